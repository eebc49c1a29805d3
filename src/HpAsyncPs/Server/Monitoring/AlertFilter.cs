using System;
using System.Collections.Generic;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>
/// Which events are alerts, and which of those come so soon after the last one of their kind and worker that they are only counted. Not of the shard's thread: whoever tells somebody has one.
/// </summary>
public sealed class AlertFilter
{
    private readonly HashSet<AlertKind> _kinds;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly Dictionary<(AlertKind Kind, int Rank), Told> _told = [];
    private long _seen;
    private long _missed;

    /// <param name="kinds">What is to be told.</param>
    /// <param name="interval">The least time between two alerts of a kind and worker.</param>
    /// <param name="time">The clock.</param>
    public AlertFilter(IEnumerable<AlertKind> kinds, TimeSpan interval, TimeProvider time) => (_kinds, _interval, _time) = ([.. kinds], interval, time);

    private sealed class Told
    {
        public long At { get; set; }

        public long HeldBack { get; set; }

        /// <summary>The last that was held back; null: there was none, or it is so no more.</summary>
        public MonitorEvent? Last { get; set; }
    }

    /// <summary>Is this to be told at all?</summary>
    /// <param name="kind">What.</param>
    public bool Wants(AlertKind kind) => _kinds.Contains(kind);

    /// <summary>The next event of the job. Numbers that are left out count as missed.</summary>
    /// <param name="one">The event.</param>
    /// <returns>What to tell, or null: nothing.</returns>
    public Alert? Of(MonitorEvent one)
    {
        if (one.Number > _seen + 1)
            _missed += one.Number - _seen - 1;
        _seen = Math.Max(_seen, one.Number);
        if (one is { Kind: MonitorEventKind.State, From: { } from, Rank: { } rank } && KindOf(one with { To = from }) is { } before && _told.TryGetValue((before, rank), out Told? told))
            told.Last = null; // it is that no more
        return KindOf(one) is { } kind ? Of(kind, one) : null;
    }

    /// <summary>What a rule has seen is over: nobody is to be told of it any more.</summary>
    /// <param name="kind">What.</param>
    public void Over(AlertKind kind)
    {
        if (_told.TryGetValue((kind, -1), out Told? told))
            told.Last = null;
    }

    /// <summary>What was held back and is still so when the interval is over: without it, nobody would be told of a worker that has gone for good soon after it had come back.</summary>
    /// <param name="into">Where they go.</param>
    public void AddDue(ICollection<Alert> into)
    {
        long now = _time.GetTimestamp();
        foreach (((AlertKind kind, _), Told told) in _told)
        {
            if (told.Last is not { } one || _time.GetElapsedTime(told.At, now) < _interval)
                continue;
            into.Add(new Alert(kind, one, told.HeldBack - 1, _missed));
            (told.At, told.HeldBack, told.Last, _missed) = (now, 0, null, 0);
        }
    }

    /// <summary>Something that a rule has seen.</summary>
    /// <param name="kind">What.</param>
    /// <param name="seconds">Since training began.</param>
    /// <param name="reason">In words, with numbers, and what to do.</param>
    /// <returns>What to tell, or null: nothing.</returns>
    public Alert? Of(AlertKind kind, double seconds, string reason) => Of(kind, new MonitorEvent(0, _time.GetUtcNow(), seconds, MonitorEventKind.Phase, null, null, null, reason));

    /// <summary>The kind of alert that an event is, or null.</summary>
    /// <param name="one">The event.</param>
    public static AlertKind? KindOf(MonitorEvent one) => one switch
    {
        { Kind: MonitorEventKind.State, To: WorkerState.Gone } => AlertKind.Gone,
        { Kind: MonitorEventKind.State, To: WorkerState.Stalled } => AlertKind.Stalled,
        { Kind: MonitorEventKind.State, To: WorkerState.Slow } => AlertKind.Slow,
        { Kind: MonitorEventKind.Refusal } => AlertKind.Refused,
        { Kind: MonitorEventKind.Handshake } => AlertKind.Handshake,
        { Kind: MonitorEventKind.Disagreement } => AlertKind.Disagreement,
        _ => null,
    };

    private Alert? Of(AlertKind kind, MonitorEvent one)
    {
        if (!Wants(kind))
            return null;
        long now = _time.GetTimestamp();
        (AlertKind, int) key = (kind, one.Rank ?? -1);
        if (!_told.TryGetValue(key, out Told? told))
            _told[key] = told = new Told();
        else if (_time.GetElapsedTime(told.At, now) < _interval)
        {
            (told.HeldBack, told.Last) = (told.HeldBack + 1, one);
            return null;
        }

        var alert = new Alert(kind, one, told.HeldBack, _missed);
        (told.At, told.HeldBack, told.Last, _missed) = (now, 0, null, 0);
        return alert;
    }
}
