using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// A whole training run on a virtual clock: the real server, sessions and training loops; a step of worker i takes its
/// own number of microseconds, and what is under way is delivered when the clock moves, in an order drawn from the seed.
/// </summary>
internal sealed class VirtualCluster
{
    private readonly FakeTimeProvider _time = new();
    private readonly SeededNetwork _network;
    private readonly Worker[] _workers;
    private readonly double _bursts;
    private SeededRandom _random;

    // bursts: each step takes exp(bursts N(0, 1)) times as long as usual.
    public VirtualCluster(int seed, ServerOptions options, ITask[] tasks, int[] stepMicroseconds, double bursts = 0)
    {
        _bursts = bursts;
        _random = new SeededRandom((ulong)seed, 1, 0);
        _network = new SeededNetwork(seed, 0.1, options with { Workers = tasks.Length, FinalTimeout = TimeSpan.FromDays(1), LivenessTimeout = TimeSpan.FromDays(1) }, _time);
        _workers = new Worker[tasks.Length];
        for (int rank = 0; rank < tasks.Length; rank++)
            _workers[rank] = NewWorker(rank, tasks[rank], TimeSpan.FromMicroseconds(stepMicroseconds[rank]));
    }

    /// <summary>What the server logs.</summary>
    public IReadOnlyList<string> Log => _network.Log;

    /// <summary>A worker's process ends, and nobody starts it again.</summary>
    public void Kill(int rank)
    {
        _workers[rank].IsDead = true;
        _network.Kill(_workers[rank].Link, rank);
    }

    /// <summary>A worker's process ends, and another with the same part begins.</summary>
    public void Replace(int rank, ITask task)
    {
        _network.Cut(_workers[rank].Link);
        _workers[rank] = NewWorker(rank, task, _workers[rank].StepTime);
    }

    private Worker NewWorker(int rank, ITask task, TimeSpan stepTime)
    {
        var join = new WorkerOptions
        {
            Rank = rank,
            Parameters = task.Parameters,
            RowLength = task.RowLength,
            Aggregate = task.Aggregate,
            Weight = task.Weight,
            Agreed = task.Agreed,
            Settings = task.Settings,
            LivenessTimeout = TimeSpan.FromDays(1),
        };
        return new Worker(_network.Connect(join, _time), task, stepTime) { Link = _network.Links - 1 };
    }

    /// <summary>Runs to the end and gives the result; the virtual time is in its status.</summary>
    /// <param name="mostEvents">Gives up after so many.</param>
    /// <param name="before">Called before each, with its number.</param>
    public RunResult Run(int mostEvents, Action<int>? before = null)
    {
        _network.DeliverAll();
        for (int e = 0; e < mostEvents && !_network.Server.HasEnded; e++)
        {
            before?.Invoke(e);
            bool progress = false;
            foreach (Worker worker in _workers)
                progress |= Act(worker);
            _network.Server.Tick();
            if (!_network.DeliverOne() && !progress)
                Advance();
        }

        foreach (Worker worker in _workers)
        {
            worker.Loop?.Dispose();
            worker.Session.Dispose();
        }

        return _network.Server.Result();
    }

    private bool Act(Worker worker)
    {
        if (worker.IsDead || worker.Session.Started is null)
            return false;
        if (worker.Loop is null)
        {
            worker.Task.Start(worker.Session.Started);
            worker.Loop = new TrainingLoop(worker.Session, worker.Task, _time);
        }

        if (worker.BusyUntil is { } until)
        {
            if (_time.GetUtcNow() < until)
                return false;
            worker.BusyUntil = null;
            worker.Loop!.Complete();
            return true;
        }

        switch (worker.Loop.Next(out TimeSpan wait))
        {
            case NextAction.Step:
                worker.Loop.Compute();
                worker.BusyUntil = _time.GetUtcNow() + (worker.StepTime * worker.Loop.StepPasses * Math.Exp(_bursts * _random.Normal()));
                return true;
            case NextAction.Evaluate:
                worker.Loop.Evaluate();
                return true;
            case NextAction.Leave when !worker.HasLeft:
                worker.HasLeft = true;
                worker.Session.Leave("done", worker.Loop.Progress);
                return true;
            default:
                worker.WaitUntil = wait > TimeSpan.Zero ? _time.GetUtcNow() + wait : null;
                return false;
        }
    }

    private void Advance()
    {
        DateTimeOffset next = DateTimeOffset.MaxValue;
        foreach (Worker worker in _workers)
        {
            if (worker.IsDead)
                continue;
            DateTimeOffset at = worker.BusyUntil ?? worker.WaitUntil ?? DateTimeOffset.MaxValue;
            next = at < next ? at : next;
        }

        TimeSpan step = next == DateTimeOffset.MaxValue ? TimeSpan.FromMilliseconds(1) : next - _time.GetUtcNow();
        _time.Advance(step > TimeSpan.Zero ? step : TimeSpan.FromTicks(1));
    }

    private sealed class Worker(WorkerSession session, ITask task, TimeSpan stepTime)
    {
        public WorkerSession Session => session;

        public ITask Task => task;

        public TimeSpan StepTime => stepTime;

        public TrainingLoop? Loop { get; set; }

        public DateTimeOffset? BusyUntil { get; set; }

        public DateTimeOffset? WaitUntil { get; set; }

        public bool HasLeft { get; set; }

        public bool IsDead { get; set; }

        public int Link { get; init; }
    }
}
