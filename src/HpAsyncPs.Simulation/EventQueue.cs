using System;
using System.Collections.Generic;

namespace HpAsyncPs.Simulation;

/// <summary>What is to happen, in order of virtual time; at equal times in the order in which it was added.</summary>
internal sealed class EventQueue(VirtualClock clock)
{
    private readonly PriorityQueue<Action, (long Time, long Number)> _events = new();
    private long _added;

    /// <param name="time">Nanoseconds; not before now.</param>
    /// <param name="happen">What happens then.</param>
    public void Add(long time, Action happen) => _events.Enqueue(happen, (Math.Max(time, clock.Now), _added++));

    /// <summary>Sets the clock to the next event and lets it happen. False when there is none.</summary>
    public bool Next()
    {
        if (!_events.TryDequeue(out Action? happen, out (long Time, long Number) at))
            return false;
        clock.Now = at.Time;
        happen();
        return true;
    }
}
