using System;
using System.Collections.Generic;

namespace HpAsyncPs.Simulation;

/// <summary>The cores of one host: who computes there shares them evenly, each with one of them at most.</summary>
/// <param name="count">How many.</param>
/// <param name="clock">The clock.</param>
/// <param name="events">Where time passes.</param>
internal sealed class SharedCores(int count, VirtualClock clock, EventQueue events)
{
    private readonly List<Work> _all = [];
    private long _at;
    private long _turns;

    private double Rate => Math.Min(1, (double)count / Math.Max(1, _all.Count));

    /// <summary>Work of so many nanoseconds of a core, which takes longer while there is more work than there are cores.</summary>
    public void Run(long time, Action done)
    {
        Advance();
        _all.Add(new Work(done) { Left = time });
        Await();
    }

    private void Advance()
    {
        double each = (clock.Now - _at) * Rate;
        foreach (Work work in _all)
            work.Left -= each;
        _at = clock.Now;
    }

    /// <summary>Lets the time pass until what has least left is done, unless more work comes before.</summary>
    private void Await()
    {
        long turn = ++_turns;
        if (_all.Count == 0)
            return;
        Work next = _all[0];
        foreach (Work work in _all)
            next = work.Left < next.Left ? work : next;
        events.Add(VirtualClock.Sum(clock.Now, (long)Math.Ceiling(Math.Max(0, next.Left) / Rate)), () =>
        {
            if (turn != _turns)
                return;
            Advance();
            _all.Remove(next);
            Await();
            next.Done();
        });
    }

    /// <param name="done">What happens then.</param>
    private sealed class Work(Action done)
    {
        public double Left { get; set; }

        public Action Done => done;
    }
}
