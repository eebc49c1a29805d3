using System;

namespace HpAsyncPs.Server.Policies;

/// <summary>When a new snapshot may go out. One file a policy; asked once after every applied push.</summary>
public interface IPolicy
{
    /// <summary>The clock of a rank that has left: nobody waits for it.</summary>
    const ulong HasLeft = ulong.MaxValue;

    /// <summary>The name on the command line.</summary>
    string Name { get; }

    /// <summary>True when a worker must wait, after each push, for the snapshot that follows.</summary>
    bool WorkersWait { get; }

    /// <summary>
    /// May a snapshot of the present state go out?
    /// </summary>
    /// <param name="clocks">Completed pushes of each rank.</param>
    /// <param name="atRelease">The same when the last snapshot was released; the policy's caller updates it.</param>
    bool MayRelease(ReadOnlySpan<ulong> clocks, ReadOnlySpan<ulong> atRelease);
}
