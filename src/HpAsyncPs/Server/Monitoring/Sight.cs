namespace HpAsyncPs.Server.Monitoring;

/// <summary>What is seen of a worker from outside at a moment.</summary>
/// <param name="IsConnected">It has a connection.</param>
/// <param name="HasLeft">The job goes on without it, or it said goodbye.</param>
/// <param name="SilentSeconds">Since it was heard of, in heartbeats, which come every second.</param>
/// <param name="IsItsTurn">It has what it asked for, and nobody waits for anything but its push.</param>
/// <param name="IsEvaluating">It was sent a snapshot to evaluate, and has not answered.</param>
/// <param name="TurnSeconds">Since its turn began.</param>
/// <param name="GoneBecause">Why it has no connection.</param>
internal readonly record struct Sight(bool IsConnected, bool HasLeft, double SilentSeconds, bool IsItsTurn, bool IsEvaluating, double TurnSeconds, string GoneBecause)
{
    /// <summary>Since it was heard of, those in which the server itself stood still included.</summary>
    public double UnheardSeconds { get; init; }
}
