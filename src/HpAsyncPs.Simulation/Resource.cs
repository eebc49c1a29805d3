using System;
using System.Collections.Generic;

namespace HpAsyncPs.Simulation;

/// <summary>What serves one at a time, in the order of asking: a core, or one direction of a link.</summary>
internal sealed class Resource(VirtualClock clock, EventQueue events)
{
    private readonly Queue<(long Time, Action Done)> _waiting = new();
    private bool _works;

    /// <summary>When it is done with what it has so far, in nanoseconds.</summary>
    public long FreeAt { get; private set; }

    /// <summary>Nanoseconds that were taken of it.</summary>
    public long Taken { get; private set; }

    /// <summary>Takes time of it at once, behind what it does now and before what waits. Returns when that is over.</summary>
    public long Take(long time)
    {
        Taken += time;
        return FreeAt = Math.Max(FreeAt, clock.Now) + time;
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
