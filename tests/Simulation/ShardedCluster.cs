using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// A job of several servers on a virtual clock, in one thread: real servers, sessions and loops; which server's messages arrive next is drawn from the seed, and some servers are slow.
/// </summary>
internal sealed class ShardedCluster : IDisposable
{
    private const int ChunkKeys = 3; // so that vectors have several
    private const int TellsEvery = 29; // looks at a worker

    private readonly FakeTimeProvider _time = new();
    private readonly SeededNetwork[] _networks;
    private readonly Worker[] _workers;
    private readonly double[] _eagerness;
    private readonly int _chunkKeys;
    private int _tolds;
    private SeededRandom _random;

    /// <param name="seed">Of the order of deliveries.</param>
    /// <param name="options">Of the first server; the others have what they share with it.</param>
    /// <param name="eagerness">One for each server: how likely its messages move when others do not.</param>
    /// <param name="tasks">One for each worker.</param>
    /// <param name="stepMicroseconds">Of each worker.</param>
    /// <param name="states">Of each server, or null: nothing is kept.</param>
    /// <param name="chunkKeys">Of a vector's chunks.</param>
    public ShardedCluster(int seed, ServerOptions options, double[] eagerness, ITask[] tasks, int[] stepMicroseconds, DurableState[]? states = null, int chunkKeys = ChunkKeys)
    {
        _chunkKeys = chunkKeys;
        (_eagerness, _random) = (eagerness, new SeededRandom((ulong)seed, 7, 0));
        options = options with { Workers = tasks.Length, FinalTimeout = TimeSpan.FromDays(1), LivenessTimeout = TimeSpan.FromDays(1), MostChunkKeys = chunkKeys };
        _networks = new SeededNetwork[eagerness.Length];
        for (int s = 0; s < _networks.Length; s++)
        {
            var shard = new ShardIndex(s, _networks.Length);
            ServerOptions own = s == 0 ? options : new ServerOptions { Workers = options.Workers, Policy = options.Policy, Rate = options.Rate, Codec = options.Codec, OnWorkerLoss = options.OnWorkerLoss, FinalTimeout = options.FinalTimeout, LivenessTimeout = options.LivenessTimeout, MostChunkKeys = chunkKeys };
            _networks[s] = new SeededNetwork(seed + s, 0.1, own with { Shard = shard }, _time, state: states?[s]);
        }

        _workers = new Worker[tasks.Length];
        for (int rank = 0; rank < tasks.Length; rank++)
            _workers[rank] = new Worker(tasks[rank], TimeSpan.FromMicroseconds(stepMicroseconds[rank])) { Rank = rank, Sessions = new WorkerSession[_networks.Length] };
    }

    /// <summary>How many workers, the last ones, never come.</summary>
    public int Absent { get; init; }

    /// <summary>Workers say that they are alive, also before the start.</summary>
    public bool Tells { get; init; }

    /// <summary>Of a worker that never sends what is collected.</summary>
    public int Mute { get; set; } = -1;

    public ParameterServer First => _networks[0].Server;

    public ParameterServer Server(int shard) => _networks[shard].Server;

    public IReadOnlyList<string> Log(int shard) => _networks[shard].Log;

    public JobSession? Session(int rank) => _workers[rank].Job;

    /// <summary>One connection is cut, with some of what is under way, and the worker goes on over another one.</summary>
    public void Cut(int rank, int shard) => _networks[shard].Reconnect(_workers[rank].Links[shard]);

    /// <summary>Runs until all servers have ended.</summary>
    /// <param name="mostEvents">Gives up after so many.</param>
    /// <param name="before">Called before each, with its number.</param>
    public RunResult Run(int mostEvents, Action<int>? before = null)
    {
        for (int rank = 0; rank < _workers.Length - Absent; rank++)
        {
            if (_workers[rank].Sessions[0] is null)
                Join(_workers[rank], 0, _workers[rank].Task.Parameters);
        }

        for (int e = 0; e < mostEvents && !Array.TrueForAll(_networks, one => one.Server.HasEnded); e++)
        {
            before?.Invoke(e);
            bool progress = false;
            foreach (Worker worker in _workers)
            {
                progress |= Act(worker);
                if (Tells && _tolds++ % TellsEvery == 0)
                    worker.Sessions[0]?.Tick(default);
            }

            foreach (SeededNetwork one in _networks)
                one.Server.Tick();
            if (!Deliver() && !progress)
                Advance();
        }

        return First.Result();
    }

    public void Dispose()
    {
        foreach (Worker worker in _workers)
        {
            worker.Loop?.Dispose();
            worker.Job?.Dispose();
            foreach (WorkerSession? session in worker.Sessions)
                session?.Dispose();
        }
    }

    private void Join(Worker worker, int shard, int parameters)
    {
        worker.Links[shard] = _networks[shard].Links;
        worker.Sessions[shard] = _networks[shard].Connect(
            new WorkerOptions
            {
                Rank = worker.Rank,
                Parameters = parameters,
                RowLength = worker.Task.RowLength,
                Aggregate = worker.Task.Aggregate,
                Weight = worker.Task.Weight,
                Agreed = worker.Task.Agreed,
                Settings = _networks.Length == 1 ? worker.Task.Settings : [.. worker.Task.Settings, new(ShardIndex.Setting, $"{shard}/{_networks.Length}")],
                LivenessTimeout = TimeSpan.FromDays(1),
                MostChunkKeys = _chunkKeys,
            },
            _time, worker.Gate);
    }

    private bool Deliver()
    {
        int start = (int)(_random.Uniform() * _networks.Length) % _networks.Length;
        bool some = false;
        for (int j = 0; j < _networks.Length && !some; j++)
        {
            int s = (start + j) % _networks.Length;
            some = _random.Uniform() < _eagerness[s] && _networks[s].DeliverOne();
        }

        for (int s = 0; s < _networks.Length && !some; s++)
            some = _networks[s].DeliverOne();
        return some;
    }

    private bool Act(Worker worker)
    {
        if (worker.Sessions[0]?.Started is not { } start)
            return false;
        if (_networks.Length > 1 && worker.Sessions[1] is null)
        {
            for (int s = 1; s < _networks.Length; s++)
                Join(worker, s, start.Bounds![s + 1] - start.Bounds[s]);
        }

        if (!Array.TrueForAll(worker.Sessions, static one => one.Started is not null && !one.AwaitsSnapshot))
            return false;
        if (worker.Loop is null)
        {
            worker.Job = new JobSession(worker.Sessions);
            worker.Task.Start(worker.Job.Started);
            worker.Loop = new TrainingLoop(worker.Job, worker.Task, _time);
        }

        if (worker.BusyUntil is { } until)
        {
            if (_time.GetUtcNow() < until)
                return false;
            worker.BusyUntil = null;
            worker.Loop.Complete();
            return true;
        }

        switch (worker.Loop.Next(out TimeSpan wait))
        {
            case NextAction.Step:
                worker.Loop.Compute();
                worker.BusyUntil = _time.GetUtcNow() + (worker.StepTime * worker.Loop.StepPasses);
                return true;
            case NextAction.Evaluate:
                worker.Loop.Evaluate();
                return true;
            case NextAction.Deliver when worker.Rank != Mute:
                worker.Loop.Deliver();
                return true;
            case NextAction.Leave when !worker.HasLeft:
                worker.HasLeft = true;
                worker.Job!.Leave("done", worker.Loop.Progress);
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
            DateTimeOffset at = worker.BusyUntil ?? worker.WaitUntil ?? DateTimeOffset.MaxValue;
            next = at < next ? at : next;
        }

        if (First.HasEnded)
            next = _time.GetUtcNow() + TimeSpan.FromHours(1); // a server waits for who was cut off as it left, for as long as it takes to be lost
        TimeSpan step = next == DateTimeOffset.MaxValue ? TimeSpan.FromMilliseconds(1) : next - _time.GetUtcNow();
        _time.Advance(step > TimeSpan.Zero ? step : TimeSpan.FromTicks(1));
    }

    private sealed class Worker(ITask task, TimeSpan stepTime)
    {
        public required int Rank { get; init; }

        public ITask Task => task;

        public TimeSpan StepTime => stepTime;

        public object Gate { get; } = new();

        public required WorkerSession[] Sessions { get; init; }

        public Dictionary<int, int> Links { get; } = [];

        public JobSession? Job { get; set; }

        public TrainingLoop? Loop { get; set; }

        public DateTimeOffset? BusyUntil { get; set; }

        public DateTimeOffset? WaitUntil { get; set; }

        public bool HasLeft { get; set; }
    }
}
