namespace HpAsyncPs.Server.Policies;

/// <summary>
/// A barrier every round: a worker gets a snapshot when every worker has pushed since its last one.
/// Source: Valiant, A Bridging Model for Parallel Computation, CACM 33(8), 1990.
/// </summary>
/// <param name="exchanges">Of a round: 2, where the task can (gradients first, then steps), or 1.</param>
public sealed class BspPolicy(int exchanges = 2) : IPolicy
{
    /// <inheritdoc/>
    public string Name => exchanges == 2 ? "bsp" : "bsp:1";

    /// <inheritdoc/>
    public bool WorkersWait => true;

    /// <inheritdoc/>
    public int Exchanges => exchanges;

    /// <inheritdoc/>
    public bool MayHave(ulong clock, ulong rounds, ulong seenRounds) => rounds > seenRounds;
}
