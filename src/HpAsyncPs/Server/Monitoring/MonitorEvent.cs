using System;
using System.Collections.Generic;
using System.Threading;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>How a worker stands: docs/monitoring.md has the rules.</summary>
public enum WorkerState
{
    /// <summary>Training has not begun.</summary>
    Joining,

    /// <summary>It is its turn: it computes, or its push is under way.</summary>
    Computing,

    /// <summary>It waits for the server, or for others.</summary>
    Idle,

    /// <summary>It evaluates a snapshot.</summary>
    Evaluating,

    /// <summary>Its passes take much longer than those of the others.</summary>
    Slow,

    /// <summary>It lives, and pushes nothing though it should have.</summary>
    Stalled,

    /// <summary>Its connection has gone, or nothing is heard of it.</summary>
    Gone,

    /// <summary>It said goodbye, or the job goes on without it.</summary>
    Left,
}

/// <summary>What an event is about.</summary>
public enum MonitorEventKind
{
    /// <summary>A worker's state has changed.</summary>
    State,

    /// <summary>The job has begun, is being ended, or has failed.</summary>
    Phase,

    /// <summary>A worker has joined, gone, come back, or is done without.</summary>
    Membership,

    /// <summary>Policy auto waits for others than before.</summary>
    Policy,

    /// <summary>Deltas are coded in another way.</summary>
    Codec,

    /// <summary>A snapshot was evaluated by all workers.</summary>
    Evaluation,

    /// <summary>What a worker sent was not accepted; once a second at most for each.</summary>
    Refusal,

    /// <summary>Somebody was not let in; once a second at most.</summary>
    Handshake,

    /// <summary>Server and worker had different vectors, and are made to agree.</summary>
    Disagreement,

    /// <summary>Workers wait for one of several servers, or no more.</summary>
    Shard,
}

/// <summary>Something that happened to a job, or was decided in it.</summary>
/// <param name="Number">From 1 on, without gaps.</param>
/// <param name="Time">When, by the server's clock.</param>
/// <param name="Seconds">Since training began; 0 before.</param>
/// <param name="Kind">What it is about.</param>
/// <param name="Rank">Of the worker; null: of none.</param>
/// <param name="From">With <see cref="MonitorEventKind.State"/>: before.</param>
/// <param name="To">With <see cref="MonitorEventKind.State"/>: from now on.</param>
/// <param name="Reason">In words, with numbers.</param>
public sealed record MonitorEvent(long Number, DateTimeOffset Time, double Seconds, MonitorEventKind Kind, int? Rank, WorkerState? From, WorkerState? To, string Reason);

/// <summary>The last events of a job. One thread adds, any may read, and none waits for another.</summary>
public sealed class EventRing
{
    /// <summary>Events that are kept.</summary>
    public const int Kept = 1000;

    private readonly MonitorEvent?[] _events = new MonitorEvent?[Kept];
    private long _last;

    /// <summary>Number of the newest event; 0: there was none.</summary>
    public long Last => Volatile.Read(ref _last);

    /// <summary>Adds the events after one to a list, those that are still there, the oldest first.</summary>
    /// <param name="number">Of the last event that is known.</param>
    /// <param name="into">Where they go.</param>
    /// <returns>Number of the newest one: what to ask with next.</returns>
    public long ReadSince(long number, ICollection<MonitorEvent> into)
    {
        long last = Last;
        if (number >= last)
            return last;
        for (long next = Math.Max(number, last - Kept) + 1; next <= last; next++)
        {
            MonitorEvent? one = Volatile.Read(ref _events[next % Kept]);
            if (one?.Number == next) // else a newer one has taken its place
                into.Add(one);
        }

        return last;
    }

    internal void Add(MonitorEvent one)
    {
        Volatile.Write(ref _events[one.Number % Kept], one);
        Volatile.Write(ref _last, one.Number);
    }
}
