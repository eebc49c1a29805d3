using System;

namespace HpAsyncPs.Simulation;

/// <summary>How long something was in use: of times that overlap, the one that they make together.</summary>
internal sealed class BusyTime
{
    private long _until;

    /// <summary>Nanoseconds until now, and what is certain to come.</summary>
    public long Total { get; private set; }

    /// <summary>It is in use from here to there. Not much before what was said last.</summary>
    public void Add(long from, long to)
    {
        Total += Math.Max(0, to - Math.Max(from, _until));
        _until = Math.Max(_until, to);
    }
}

/// <summary>One direction of a link, which serves one message at a time, in the order of asking.</summary>
/// <param name="use">Counts when it serves.</param>
/// <param name="clock">The clock.</param>
internal sealed class Resource(BusyTime use, VirtualClock clock)
{
    private long _freeAt;

    /// <summary>Takes time of it, behind what it has so far. Returns when that is over, in nanoseconds.</summary>
    public long Take(long time)
    {
        long from = Math.Max(_freeAt, clock.Now);
        _freeAt = VirtualClock.Sum(from, time);
        use.Add(from, _freeAt);
        return _freeAt;
    }
}
