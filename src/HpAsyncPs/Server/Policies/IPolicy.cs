using HpAsyncPs.Server.Optimizers;

namespace HpAsyncPs.Server.Policies;

/// <summary>
/// When a worker that asked for a snapshot may have it. One file a policy. It is asked when a pull comes in, after every applied push
/// and when a worker leaves, so it keeps no state and looks at counters alone: docs/policies.md.
/// </summary>
public interface IPolicy
{
    /// <summary>As on the command line.</summary>
    string Name { get; }

    /// <summary>True when a worker must wait, after each push, for a snapshot that contains it.</summary>
    bool WorkersWait { get; }

    /// <summary>What applies the gradients that workers push, not started; null when workers exchange vectors.</summary>
    IServerOptimizer? Optimizer => null;

    /// <summary>
    /// Exchanges of a round that all begin with the same snapshot and wait for each other in: 1, or 2 where the task can; who is slow does less in it. 0: there are no
    /// such rounds. Where there are, those who wait are asked about again only when a round has ended.
    /// </summary>
    int Exchanges => 0;

    /// <summary>Rounds wait for whom it is worth to wait for, and <see cref="MayHave"/> is not asked.</summary>
    bool Gathers => false;

    /// <summary>May the worker have a snapshot of the present state?</summary>
    /// <param name="clock">Its own completed pushes.</param>
    /// <param name="rounds">Completed pushes of the worker that has made the fewest, of those that have not left.</param>
    /// <param name="seenRounds">What <paramref name="rounds"/> was when the last snapshot went out to it; 0 before the first.</param>
    bool MayHave(ulong clock, ulong rounds, ulong seenRounds);
}
