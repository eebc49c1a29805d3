using System;
using System.Collections.Generic;

namespace HpAsyncPs.Simulation;

/// <summary>A thread of a process: does one thing after the other, on a core of its own, or on those that all processes share.</summary>
/// <param name="use">Counts when it works.</param>
/// <param name="shared">Cores that it shares; null: it has one of its own.</param>
/// <param name="clock">The clock.</param>
/// <param name="events">Where time passes.</param>
internal sealed class Core(BusyTime use, SharedCores? shared, VirtualClock clock, EventQueue events)
{
    private readonly Queue<(long Time, Action Done)> _first = new();
    private readonly Queue<(long Time, Action Done)> _waiting = new();
    private bool _works;

    /// <summary>Others use the same cores.</summary>
    public bool IsShared => shared is not null;

    /// <summary>Work that comes behind what it does now and before what waits: sending.</summary>
    public void Send(long time, Action done) => Add(_first, time, done);

    /// <summary>Work that waits for its turn. What <paramref name="done"/> sends comes before the next.</summary>
    public void Add(long time, Action done) => Add(_waiting, time, done);

    /// <summary>Once all that is to be sent has been.</summary>
    public void AfterSending(Action then)
    {
        if (_works)
            Send(0, then);
        else
            then();
    }

    /// <summary>Work of so many nanoseconds of a core, which nothing here waits for.</summary>
    public void Run(long time, Action done)
    {
        if (shared is null)
            events.Add(VirtualClock.Sum(clock.Now, time), done);
        else
            shared.Run(time, done);
    }

    private void Add(Queue<(long Time, Action Done)> queue, long time, Action done)
    {
        queue.Enqueue((time, done));
        if (!_works)
            Begin();
    }

    private void Begin()
    {
        _works = _first.TryDequeue(out (long Time, Action Done) work) || _waiting.TryDequeue(out work);
        if (!_works)
            return;
        long from = clock.Now;
        Run(work.Time, () =>
        {
            use.Add(from, clock.Now);
            work.Done();
            Begin();
        });
    }
}
