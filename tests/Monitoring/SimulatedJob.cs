using System;
using HpAsyncPs.Monitoring;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>A job of any number of workers that are not there: numbers that look like some, other ones with each look.</summary>
internal sealed class SimulatedJob : IMonitorSource
{
    private readonly int _workers;
    private readonly Random _random = new(7);
    private readonly WorkerView[] _views;
    private ulong _pushes;
    private int _looks;

    public SimulatedJob(int workers)
    {
        _workers = workers;
        _views = new WorkerView[workers];
        for (int rank = 0; rank < workers; rank++)
            _views[rank] = WorkerView.Unknown(rank) with { Address = $"10.0.{rank / 250}.{rank % 250}:40000", State = WorkerState.Computing, Codec = CodecId.Int8 };
    }

    public EventRing Events { get; } = new();

    public TimeSpan SinceTick { get; set; }

    /// <summary>Rank of a worker that is gone; -1: none is.</summary>
    public int Gone { get; set; } = -1;

    /// <summary>Whether there is a reference, and what is held out.</summary>
    public bool HasMore { get; init; }

    public void Add(MonitorEventKind kind, int? rank, string reason) => Events.Add(new MonitorEvent(
        Events.Last + 1, DateTimeOffset.UnixEpoch, 1, kind, rank, kind == MonitorEventKind.State ? WorkerState.Computing : null, kind == MonitorEventKind.State ? WorkerState.Gone : null, reason));

    public MonitorView NewView() => new(_workers);

    public bool Read(MonitorView into)
    {
        _looks++;
        for (int rank = 0; rank < _workers; rank++)
        {
            ref WorkerView view = ref _views[rank];
            ulong more = (ulong)_random.Next(12);
            _pushes += more;
            double lag = 1 + (_random.NextDouble() * _workers);
            view = view with
            {
                State = rank == Gone ? WorkerState.Gone : _random.Next(10) switch { < 6 => WorkerState.Computing, < 9 => WorkerState.Idle, _ => WorkerState.Evaluating },
                Reason = rank == Gone ? "Connection reset by peer" : "",
                Pushes = view.Pushes + more,
                Passes = view.Passes + (0.1 * more),
                LagVersions = new Quantiles(lag, 2 * lag, 3 * lag, 4 * lag),
                PushSeconds = new Quantiles(0.1, 0.2, 0.3, 0.4),
                PassSeconds = new Quantiles(1, 2, 3, 4),
                SecondsSincePush = 0.1,
                SecondsSinceHeard = 0.05,
                ComputingShare = 0.6,
                IdleShare = 0.3,
                EvaluatingShare = 0.1,
                CommunicatingShare = 0.05,
                UplinkBytes = view.UplinkBytes + (1000 * (long)more),
                DownlinkBytes = view.DownlinkBytes + (2000 * (long)more),
            };
        }

        _views.CopyTo(into.WorkersToFill);
        into.Run = new RunView
        {
            Phase = "Training",
            Seconds = 0.1 * _looks,
            Pushes = _pushes,
            Passes = _pushes / (10.0 * _workers),
            Objective = 0.3 + (1.0 / _looks),
            RelativeGap = HasMore ? 1.0 / _looks : null,
            TestRmse = HasMore ? 0.9 : null,
            UplinkBytes = 1000 * (long)_pushes,
            DownlinkBytes = 2000 * (long)_pushes,
            Policy = "async",
            Codec = "int8",
            LagVersions = new Quantiles(1, 2, 3, 4),
            RunLagVersions = new Quantiles(1, 2, 3, 4),
            Joined = _workers,
            ConnectionLimitBytes = 1 << 30,
            LastEvent = Events.Last,
        };
        return true;
    }
}
