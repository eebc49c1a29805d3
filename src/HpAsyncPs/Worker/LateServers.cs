using System;

namespace HpAsyncPs.Worker;

/// <summary>For how long a worker has had the parts of all servers but one: how long it would not have waited without that one. Under the gate.</summary>
/// <param name="servers">How many.</param>
/// <param name="time">The clock.</param>
internal sealed class LateServers(int servers, TimeProvider time)
{
    private long _takenAt = time.GetTimestamp();

    private readonly double[] _seconds = new double[servers];
    private readonly double[] _told = new double[servers];

    /// <summary>For each server the seconds so far, with those of a wait that lasts. Good until the next call.</summary>
    /// <param name="all">With each server.</param>
    public double[] Seconds(ReadOnlySpan<WorkerSession> all)
    {
        _seconds.CopyTo(_told, 0);
        if (Look(all, time.GetTimestamp(), out int late, out TimeSpan wait) == 1)
            _told[late] += wait.TotalSeconds;
        return _told;
    }

    /// <summary>The newest snapshots are about to be taken: of one server at most it is an old one, whose newer one is not waited for any longer.</summary>
    /// <param name="all">With each server.</param>
    public void Measure(ReadOnlySpan<WorkerSession> all)
    {
        long now = time.GetTimestamp();
        if (Look(all, now, out int late, out TimeSpan wait) <= 1)
            _seconds[late] += wait.TotalSeconds;
        _takenAt = now;
    }

    /// <summary>
    /// Which came last, or is missing, and how long after the others; returns how many are missing. Of several that have nothing newer, one that has not acknowledged what was pushed to it, while the others
    /// have, is the one that is waited for.
    /// </summary>
    private int Look(ReadOnlySpan<WorkerSession> all, long now, out int late, out TimeSpan wait)
    {
        long last = _takenAt, before = _takenAt;
        int missing = 0, silent = 0;
        late = 0;
        for (int j = 0; j < all.Length; j++)
            silent += Owes(all[j]) ? 1 : 0;
        for (int j = 0; j < all.Length; j++)
        {
            bool isMissing = silent == 1 ? Owes(all[j]) : !all[j].HasNewer;
            missing += isMissing ? 1 : 0;
            long at = all[j].HasNewer ? all[j].ArrivedAt : isMissing ? now : _takenAt;
            if (at > last)
                (before, last, late) = (last, at, j);
            else
                before = Math.Max(before, at);
        }

        wait = time.GetElapsedTime(before, last);
        return missing;
    }

    private static bool Owes(WorkerSession one) => !one.HasNewer && one.Acknowledged < one.Pushed;
}
