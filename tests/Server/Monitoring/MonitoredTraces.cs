using System;
using System.Collections.Generic;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>A monitor that is told of pushes of so many workers in virtual time, and ticked as a server ticks it.</summary>
internal sealed class MonitoredTraces
{
    public const int Workers = 8;

    private const double Tick = 0.005;
    private const double Look = 0.1;

    private readonly Traces[] _traces = new Traces[Workers];
    private readonly double[] _began = new double[Workers];
    private readonly double[] _next = new double[Workers];
    private readonly double _median;
    private readonly double _length;
    private double _lookedAt;

    public MonitoredTraces(string family, ulong seed, double median, double length)
    {
        (_median, _length) = (median, length);
        for (int rank = 0; rank < Workers; rank++)
        {
            _traces[rank] = new Traces(family, seed, rank);
            _next[rank] = median * _traces[rank].Next(0);
        }

        Monitor = new StalenessMonitor(Workers, () => DateTimeOffset.UnixEpoch.AddSeconds(Now)) { Happened = Events.Add };
        Monitor.Begin(0);
    }

    public StalenessMonitor Monitor { get; }

    public List<MonitorEvent> Events { get; } = [];

    public double Now { get; private set; }

    public long Pushes { get; private set; }

    /// <summary>A worker that pushes no more.</summary>
    public int Stopped { get; set; } = -1;

    /// <summary>When the push before that one's end was.</summary>
    public double BeganAt(int rank) => _began[rank];

    /// <summary>How often a state was entered.</summary>
    public int Count(WorkerState state) => Events.FindAll(one => one.To == state).Count;

    public void RunTo(double until, Func<bool>? stop = null)
    {
        // Between the ticks nothing is looked at, so that long times may pass fast.
        double step = Math.Max(Tick, _median / 1000);
        while (Now < until && stop?.Invoke() != true)
        {
            Now += step;
            for (int rank = 0; rank < Workers; rank++)
            {
                while (_next[rank] <= Now && rank != Stopped)
                    Push(rank);
            }

            Monitor.Study(Now);
            if (Now - _lookedAt < Look)
                continue;
            _lookedAt = Now;
            for (int rank = 0; rank < Workers; rank++)
                Monitor.Look(rank, new Sight(true, false, 0.5, true, false, Now - _began[rank], ""), Now);
        }
    }

    private void Push(int rank)
    {
        Pushes++;
        double at = _next[rank];
        Monitor.Pushed(rank, rank, 1, at - _began[rank], at, isMeasured: true);
        Monitor.Sent(rank);
        _began[rank] = at;
        _next[rank] = at + (_median * _traces[rank].Next(at / _length));
    }
}
