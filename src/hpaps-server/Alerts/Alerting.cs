using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.ServerProgram.Alerts;

/// <summary>What of a job is watched for alerts, and for what.</summary>
internal sealed record AlertWatch
{
    /// <summary>What is told.</summary>
    public required IReadOnlyList<AlertKind> Kinds { get; init; }

    /// <summary>The least time between two alerts of a kind and worker.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Relative gap to get to, or null.</summary>
    public double? Target { get; init; }

    /// <summary>The optimum that gaps are measured against, or null.</summary>
    public double? Reference { get; init; }

    /// <summary>Error of held-out examples to get to, or null.</summary>
    public double? TargetRmse { get; init; }

    /// <summary>How long an append may take to be on disk.</summary>
    public TimeSpan JournalLimit { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// Looks at the events and the view of a job on a thread of its own, and tells what is an alert on another, one at a time. The shard's thread has no part in it. At the end of the job
/// what is under way, and what is left to tell, gets <see cref="LastWords"/> in all.
/// </summary>
internal sealed class Alerting : IDisposable
{
    /// <summary>After the end of the job.</summary>
    public static readonly TimeSpan LastWords = TimeSpan.FromSeconds(10);

    private const int MostWaiting = 64;
    private const string Failed = "Failed", Ended = "Ended";
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan ViewInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ComplaintInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Unwind = TimeSpan.FromSeconds(3);

    private readonly AlertFilter _filter;
    private readonly AlertWatch _watch;
    private readonly EventRing _events;
    private readonly Func<MonitorView, bool> _read;
    private readonly MonitorView _view;
    private readonly AlertOrigin _origin;
    private readonly IReadOnlyList<(string Name, IAlertWay Way)> _ways;
    private readonly Action<LogLine> _log;
    private readonly TimeProvider _time;
    private readonly JournalRule _journal;
    private readonly ObjectiveRule _objective;
    private readonly BlockingCollection<Alert> _waiting = new(MostWaiting);
    private readonly ManualResetEvent _ends = new(false);
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _watcher;
    private readonly Thread _teller;
    private readonly Dictionary<string, (long At, long Unsaid)> _complaints = [];
    private readonly List<Alert> _due = [];
    private long _seen;
    private long _viewedAt;
    private long _evaluation; // number of the first that no view has been seen of; 0: none
    private bool _isEndTold;
    private string _phase = "the job has ended";
    private int _dropped;

    /// <param name="watch">For what.</param>
    /// <param name="events">Of the job.</param>
    /// <param name="view">A view of it, owned from now on.</param>
    /// <param name="read">Copies the newest view; false: there is none yet.</param>
    /// <param name="origin">Where alerts come from.</param>
    /// <param name="ways">How to tell, and what that is called in the log.</param>
    /// <param name="log">Gets warnings about ways that fail; any thread.</param>
    /// <param name="time">The clock.</param>
    public Alerting(AlertWatch watch, EventRing events, MonitorView view, Func<MonitorView, bool> read, AlertOrigin origin, IReadOnlyList<(string Name, IAlertWay Way)> ways, Action<LogLine> log, TimeProvider time)
    {
        (_watch, _events, _view, _read, _origin, _ways, _log, _time) = (watch, events, view, read, origin, ways, log, time);
        _filter = new AlertFilter(watch.Kinds, watch.Interval, time);
        _journal = new JournalRule(watch.JournalLimit, time);
        double? objective = watch is { Target: { } gap, Reference: { } reference } ? reference + (gap * Math.Abs(reference)) : null;
        _objective = new ObjectiveRule(watch.TargetRmse ?? objective);
        _watcher = new Thread(Watch) { IsBackground = true, Name = "alert watch" };
        _teller = new Thread(TellAll) { IsBackground = true, Name = "alerts" };
        _watcher.Start();
        _teller.Start();
    }

    /// <summary>Alerts that wait for those before them to be told, for tests.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>The job has ended: looks once more, and ends within <see cref="LastWords"/> and a moment.</summary>
    public void Dispose()
    {
        _stop.CancelAfter(LastWords);
        _ends.Set();
        bool haveEnded = _watcher.Join(LastWords) & _teller.Join(LastWords + Unwind);
        foreach ((_, IAlertWay way) in _ways)
            (way as IDisposable)?.Dispose();
        int untold = _waiting.Count + Volatile.Read(ref _dropped);
        if (untold > 0)
            _log(LogLine.Warning($"{untold} alerts were not told: they came faster than --alert-command or --alert-webhook took them, or the job ended before"));
        if (!haveEnded)
            return; // the process ends soon
        _waiting.Dispose();
        _ends.Dispose();
        _stop.Dispose();
    }

    private void Watch()
    {
        while (!_ends.WaitOne(LookInterval))
            LookAtAll(isLast: false);
        LookAtAll(isLast: true);
        _waiting.CompleteAdding();
    }

    private void LookAtAll(bool isLast)
    {
        var events = new List<MonitorEvent>();
        _seen = _events.ReadSince(_seen, events);
        foreach (MonitorEvent one in events)
        {
            if (one.Kind == MonitorEventKind.Evaluation && _evaluation == 0)
                _evaluation = one.Number;
            _phase = one.Kind == MonitorEventKind.Phase ? one.Reason : _phase;
            Take(_filter.Of(one));
        }

        _due.Clear();
        _filter.AddDue(_due);
        _due.ForEach(Take);
        if (!isLast && _evaluation == 0 && _time.GetElapsedTime(_viewedAt) < ViewInterval)
            return;
        if (!_read(_view))
            return;
        _viewedAt = _time.GetTimestamp();
        RunView run = _view.Run;
        if (run.HasJournal && _journal.Look(run.JournalBytes, run.JournalBehindBytes) is { } behind)
            Take(_filter.Of(AlertKind.Journal, run.Seconds, behind));
        if (!_journal.Holds)
            _filter.Over(AlertKind.Journal);
        double? measured = _watch.TargetRmse is not null ? run.TestRmse : run.Objective;
        if (_evaluation > 0 && run.LastEvent >= _evaluation)
        {
            _evaluation = 0;
            if (measured is { } value && _objective.Evaluated(value, run.Seconds) is { } reason)
                Take(_filter.Of(AlertKind.Objective, run.Seconds, reason));
            if (!_objective.Holds)
                _filter.Over(AlertKind.Objective);
        }

        if (!_isEndTold && run.Phase is (Failed or Ended))
            TakeEnd(run);
    }

    private void TakeEnd(RunView run)
    {
        _isEndTold = true;
        Alert? last = _filter.Of(run.Phase == Failed ? AlertKind.Failed : AlertKind.Ended, run.Seconds, _phase);
        while (last is not null && _waiting.TryTake(out _))
            _dropped++; // how it ended counts more than what went before
        Take(last);
    }

    private void Take(Alert? alert)
    {
        if (alert is not null && !_waiting.TryAdd(alert))
            Interlocked.Increment(ref _dropped);
    }

    private void TellAll()
    {
        try
        {
            foreach (Alert alert in _waiting.GetConsumingEnumerable(_stop.Token))
            {
                byte[] json = AlertJson.Of(alert, _origin);
                foreach ((string name, IAlertWay way) in _ways)
                {
                    if (TellBy(way, alert, json) is { } failure)
                        Complain(name, $"{name}: alert '{Alert.NameOf(alert.Kind)}' was not told: {failure}");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The time at the end is over; what waits is counted.
        }
    }

    /// <summary>An exception here would end the server, and the job with it.</summary>
    private string? TellBy(IAlertWay way, Alert alert, byte[] json)
    {
        try
        {
            return way.Tell(alert, json, _origin, _stop.Token);
        }
        catch (Exception e) when (!_stop.IsCancellationRequested)
        {
            return $"{e.GetType().Name}: {e.Message}";
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return $"{e.GetType().Name} at the end of the job: {e.Message}";
        }
    }

    /// <summary>Once a minute at most for each way.</summary>
    private void Complain(string name, string what)
    {
        bool isKnown = _complaints.TryGetValue(name, out (long At, long Unsaid) last);
        if (isKnown && _time.GetElapsedTime(last.At) < ComplaintInterval)
        {
            _complaints[name] = (last.At, last.Unsaid + 1);
            return;
        }

        _complaints[name] = (_time.GetTimestamp(), 0);
        _log(LogLine.Warning(what + (last.Unsaid > 0 ? $" ({last.Unsaid} more since the last such line)" : "")));
    }
}
