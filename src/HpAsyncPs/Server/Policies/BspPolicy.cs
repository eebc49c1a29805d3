namespace HpAsyncPs.Server.Policies;

/// <summary>
/// A barrier every round: a worker gets a snapshot when every worker has pushed since its last one.
/// Source: Valiant, A Bridging Model for Parallel Computation, CACM 33(8), 1990.
/// </summary>
public sealed class BspPolicy : IPolicy
{
    /// <inheritdoc/>
    public string Name => "bsp";

    /// <inheritdoc/>
    public bool WorkersWait => true;

    /// <inheritdoc/>
    public bool MayHave(ulong clock, ulong rounds, ulong seenRounds) => rounds > seenRounds;
}
