using System;

namespace HpAsyncPs.Worker;

/// <summary>For how long a worker has had the parts of all servers but one: how long it would not have waited without that one. Under the gate.</summary>
/// <param name="servers">How many.</param>
/// <param name="time">The clock.</param>
internal sealed class LateServers(int servers, TimeProvider time)
{
    private long _takenAt = time.GetTimestamp();

    /// <summary>For each server, so far.</summary>
    public double[] Seconds { get; } = new double[servers];

    /// <summary>The newest snapshots are about to be taken: of one server at most it is an old one, whose newer one is not waited for any longer.</summary>
    /// <param name="all">With each server.</param>
    public void Measure(ReadOnlySpan<WorkerSession> all)
    {
        long now = time.GetTimestamp(), last = _takenAt, before = _takenAt;
        int missing = 0, late = 0;
        for (int j = 0; j < all.Length; j++)
        {
            missing += all[j].HasNewer ? 0 : 1;
            long at = all[j].HasNewer ? all[j].ArrivedAt : now;
            if (at > last)
                (before, last, late) = (last, at, j);
            else
                before = Math.Max(before, at);
        }

        if (missing <= 1)
            Seconds[late] += time.GetElapsedTime(before, last).TotalSeconds;
        _takenAt = now;
    }
}
