namespace HpAsyncPs.Server.Policies;

/// <summary>No worker waits for another: every push may be seen at once.</summary>
public sealed class AsyncPolicy : IPolicy
{
    /// <inheritdoc/>
    public string Name => "async";

    /// <inheritdoc/>
    public bool WorkersWait => false;

    /// <inheritdoc/>
    public bool MayHave(ulong clock, ulong rounds, ulong seenRounds) => true;
}
