namespace HpAsyncPs.Server.Policies;

/// <summary>
/// Rounds that wait for as many workers, and as long, as is worth it by their measured times: from no waiting over a quorum to a barrier (<see cref="Gathering"/>).
/// Who is not waited for is answered at once.
/// </summary>
public sealed class AutoPolicy : IPolicy
{
    /// <inheritdoc/>
    public string Name => "auto";

    /// <inheritdoc/>
    public bool WorkersWait => true;

    /// <inheritdoc/>
    public bool Gathers => true;

    /// <inheritdoc/>
    public bool MayHave(ulong clock, ulong rounds, ulong seenRounds) => true;
}
