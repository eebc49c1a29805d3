using System;
using System.Collections.Generic;

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

/// <summary>What serves one at a time, in the order of asking: a core, or one direction of a link.</summary>
/// <param name="use">Counts when it serves.</param>
/// <param name="clock">The clock.</param>
/// <param name="events">Where time passes.</param>
internal sealed class Resource(BusyTime use, VirtualClock clock, EventQueue events)
{
    private readonly Queue<(long Time, Action Done)> _waiting = new();
    private bool _works;

    /// <summary>When it is done with what it has so far, in nanoseconds.</summary>
    public long FreeAt { get; private set; }

    /// <summary>Takes time of it at once, behind what it does now and before what waits. Returns when that is over.</summary>
    public long Take(long time)
    {
        FreeAt = Math.Max(FreeAt, clock.Now) + time;
        use.Add(FreeAt - time, FreeAt);
        return FreeAt;
    }

    /// <summary>Work that waits for its turn. What <paramref name="done"/> takes more comes before the next.</summary>
    public void Add(long time, Action done)
    {
        _waiting.Enqueue((time, done));
        if (!_works)
            Begin();
    }

    private void Begin()
    {
        _works = _waiting.TryDequeue(out (long Time, Action Done) work);
        if (!_works)
            return;
        events.Add(Take(work.Time), () =>
        {
            work.Done();
            Begin();
        });
    }
}
