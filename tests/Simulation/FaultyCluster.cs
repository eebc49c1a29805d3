using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>A fault that a test plants, to see that the simulation finds it.</summary>
public enum Planted
{
    None,

    /// <summary>A push that comes twice is taken for another one.</summary>
    NoDeduplication,

    /// <summary>Pushes are acknowledged before they are on disk, although that was promised.</summary>
    AcknowledgedBeforeJournal,

    /// <summary>One chunk is counted and not applied.</summary>
    ForgottenChunk,
}

/// <summary>
/// A server, its disk and its workers, all real but for threads, clock, network and disk. Everything that happens is drawn from the seed: which
/// message arrives, when a link is cut and who notices when, who crashes, what of the disk is lost. After every step what the server has is compared with
/// a ledger of what was pushed.
/// </summary>
internal sealed partial class FaultyCluster : IDisposable
{
    private const int Workers = 3;
    private const int ChunkKeys = 3;
    private const int Parameters = (3 * ChunkKeys) + 1;

    private static readonly TimeSpan Long = TimeSpan.FromDays(10_000);

    private readonly Random _random;
    private readonly FakeTimeProvider _time = new();
    private readonly SimulatedDisk _journalDisk;
    private readonly SimulatedDisk _checkpointDisk;
    private readonly ServerOptions _options;
    private readonly bool _isKept;
    private readonly TimeSpan? _interval;
    private readonly Planted _planted;
    private readonly double[] _weights = new double[Workers];
    private readonly Machine[] _machines = new Machine[Workers];
    private readonly Ledger[] _ledgers = new Ledger[Workers];
    private readonly bool[] _evicted = new bool[Workers];
    private readonly List<FaultyLink> _links = [];
    private ParameterServer? _server;
    private DurableState? _state;
    private int _lives;
    private bool _hasForgotten;

    public FaultyCluster(int seed, Planted planted = Planted.None, string codec = "fp32")
    {
        _random = new Random(seed);
        _planted = planted;
        _journalDisk = new SimulatedDisk(_random.Next());
        _checkpointDisk = new SimulatedDisk(_random.Next());
        string[] policies = ["async", "bsp", "ssp:1", "auto", "asp:sum"];
        int durability = planted == Planted.AcknowledgedBeforeJournal ? 2 : _random.Next(3);
        _isKept = durability > 0;
        _interval = durability == 1 || planted == Planted.AcknowledgedBeforeJournal ? TimeSpan.FromMilliseconds(100) : null;
        IsAlways = durability == 2;
        string policy = policies[_random.Next(policies.Length - (IsLossy(codec) ? 1 : 0))]; // of gradients the ledger knows only what was meant
        IsSum = policy == "asp:sum";
        Aggregate = IsSum ? Aggregate.Optimized : _random.Next(2) == 0 ? Aggregate.Sum : Aggregate.Mean;
        _options = new ServerOptions
        {
            Workers = Workers,
            Policy = policy,
            Evaluates = false,
            OnWorkerLoss = (WorkerLoss)_random.Next(3),
            JoinTimeout = Long,
            RejoinTimeout = Long,
            MostChunkKeys = ChunkKeys,
            Codec = CodecSpec.Parse(codec),
        };
        for (int rank = 0; rank < Workers; rank++)
        {
            _weights[rank] = Aggregate == Aggregate.Mean ? 1 + _random.Next(9) : 1;
            _machines[rank] = new Machine();
            _ledgers[rank] = new Ledger(Parameters);
        }

        StartServer();
    }

    public List<string> Log { get; } = [];

    public bool IsAlways { get; }

    public bool IsSum { get; }

    public Aggregate Aggregate { get; }

    public long Crashes { get; private set; }

    public long Cuts { get; private set; }

    public long Pushes { get; private set; }

    public long Recoveries { get; private set; }

    public long Resynchronisations { get; private set; }

    /// <summary>One thing happens, and everything is checked.</summary>
    public void Step(bool faults)
    {
        int what = _random.Next(faults ? 1000 : 960);
        try
        {
            if (what < 260)
                Push(_random.Next(Workers));
            else if (what < 300)
                _machines[_random.Next(Workers)].Session?.Pull();
            else if (what < 340)
                Take(_machines[_random.Next(Workers)]);
            else if (what < 760)
                Deliver();
            else if (what < 860)
                WorkDisk();
            else if (what < 960)
                Pass(TimeSpan.FromMilliseconds(1 + _random.Next(50)));
            else if (what < 980)
                Cut();
            else if (what < 986)
                CrashWorker(_random.Next(Workers));
            else if (what < 990)
                CrashServer();
            else if (what < 993)
                Pass(TimeSpan.FromSeconds(_random.Next(2, 30)));
            else
                Partition();
        }
        catch (SimulatedCrashException)
        {
            CrashServer();
        }

        Check();
    }

    /// <summary>All faults are over: everybody comes back, pushes once more, and all copies agree.</summary>
    public void Settle()
    {
        IsSettled = true;
        foreach (FaultyLink link in _links)
            link.IsBlocked = false;
        (_journalDisk.CrashAt, _checkpointDisk.CrashAt) = (int.MaxValue, int.MaxValue);
        for (int round = 0; round < 60; round++)
        {
            for (int step = 0; step < 60; step++)
            {
                Deliver();
                Check();
                WorkDisk();
            }

            Pass(TimeSpan.FromSeconds(1));
            if (round % 8 == 7)
                PushWhereRoom();
            Check();
        }

        for (int rank = 0; rank < Workers; rank++)
        {
            WorkerSession session = _machines[rank].Session ?? throw new InvalidOperationException($"worker {rank} is not there; {Tail()}");
            Assert.True(session.Failure is null, $"worker {rank}: {session.Failure}");
            Assert.True(session.Pushed == session.Acknowledged, $"worker {rank} has pushed {session.Pushed}, {session.Acknowledged} are acknowledged; {Tail()}");
            (ulong sequence, int next, _) = _server!.StandOf(rank);
            Assert.True(sequence == session.Pushed && next == 0, $"worker {rank} has pushed {session.Pushed}, the server stands at {sequence}, key {next}");
            if (!IsSum)
                Assert.True(session.Reconstruction.SequenceEqual(_server.ReconstructionOf(rank)), $"the two ends of worker {rank} disagree");
        }

        CheckSnapshots();
    }

    /// <summary>Does it leave something out of whole numbers as they are pushed here?</summary>
    private static bool IsLossy(string codec) => codec is not ("fp32" or "bf16");

    public void Dispose() => _state?.Dispose();

    private void PushWhereRoom()
    {
        for (int rank = 0; rank < Workers; rank++)
        {
            if (_machines[rank].Session is { Started: not null })
                Push(rank);
            _machines[rank].Session?.Pull();
            Take(_machines[rank]);
        }
    }

    private void Push(int rank)
    {
        Machine machine = _machines[rank];
        if (machine.Session is not { Started: not null, HasEnded: false, AwaitsSnapshot: false } session)
            return;
        float[] x = new float[Parameters], delta = new float[Parameters], before = session.Reconstruction.ToArray();
        for (int j = 0; j < Parameters; j++)
        {
            delta[j] = _random.Next(-8, 9);
            x[j] = IsSum ? delta[j] : session.Reconstruction[j] + delta[j];
        }

        if (!session.TryPush(x, 1 + session.Pushed, pulls: _random.Next(2) == 0))
            return;
        Pushes++;
        machine.Known = session.Pushed;
        machine.HasPushed = true;
        for (int j = 0; j < Parameters && !IsSum; j++)
            delta[j] = session.Reconstruction[j] - before[j]; // what was pushed, and what the codec has not left out of it
        _ledgers[rank].Push(session.Pushed, delta);
    }

    private static void Take(Machine machine)
    {
        if (machine.Session is { Started: not null })
            machine.Session.TakeCorrected();
    }

    private void WorkDisk()
    {
        if (_state is null)
            return;
        if (_random.Next(400) == 0 && !IsSettled)
            _journalDisk.CrashAt = _journalDisk.Operations + _random.Next(1, 4);
        for (int pieces = _random.Next(1, 6); pieces > 0; pieces--)
        {
            _state.Journal.Work();
            _server!.Checkpoint?.Work();
        }
    }

    private bool IsSettled { get; set; }

    private void Pass(TimeSpan time)
    {
        for (TimeSpan left = time; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(1))
        {
            _time.Advance(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
            _server?.Tick();
            foreach (Machine machine in _machines)
                machine.Session?.Tick(default);
        }

        if (_server is null && _random.Next(3) == 0)
            StartServer();
        for (int rank = 0; rank < Workers && _server is not null; rank++)
            Connect(rank);
    }

    /// <summary>A worker that wants a connection gets one, now and then; one that has crashed starts anew.</summary>
    private void Connect(int rank)
    {
        Machine machine = _machines[rank];
        if (machine.Session is { Failure: not null, Started: null })
            CrashWorker(rank); // it could not join, and is started again
        if (!machine.WantsLink || _random.Next(2) == 0)
            return;
        machine.WantsLink = false;
        foreach (FaultyLink old in _links)
            old.IsNewest &= old.Rank != rank;
        var link = new FaultyLink(rank, ++machine.NewestLink, _lives, _server!, Sent);
        link.Peer = _server!.Opened(link.ServerSink);
        _links.Add(link);
        if (machine.Session is null)
        {
            machine.Session = link.Worker = NewSession(rank, link);
            (machine.Known, machine.HasPushed) = (0, false);
            link.Worker.Join();
        }
        else
        {
            link.Worker = machine.Session;
            link.Worker.GoOn(link.WorkerSink);
            link.Worker.Join();
        }
    }

    private WorkerSession NewSession(int rank, FaultyLink link)
    {
        var options = new WorkerOptions
        {
            Rank = rank,
            Parameters = Parameters,
            Aggregate = Aggregate,
            Weight = _weights[rank],
            ReconnectTimeout = Long,
            Session = ((ulong)_random.Next(1, int.MaxValue) << 16) + (ulong)link.Number,
            MostChunkKeys = ChunkKeys,
        };
        return new WorkerSession(options, _time, link.WorkerSink) { Disconnected = () => _machines[rank].WantsLink = true };
    }

    /// <summary>What the server has is what the ledgers say, to the last chunk.</summary>
    private void Check()
    {
        if (_server is null || _server.Sum.Length == 0)
            return;
        Assert.False(_server.HasEnded, $"the job has ended; {Tail()}");
        double[] sum = new double[Parameters];
        for (int rank = 0; rank < Workers; rank++)
        {
            (ulong sequence, int next, double factor) = _server.StandOf(rank);
            bool isCleared = factor == 0 && !_server.ReconstructionOf(rank).ContainsAnyExcept(0f) && _ledgers[rank].At(sequence, next)?.AsSpan().ContainsAnyExcept(0f) != false;
            if (factor == 0 && (!_evicted[rank] || isCleared))
                _ledgers[rank].Begin(new float[Parameters], sequence, _server.LifeOf(rank), isTold: false);
            _evicted[rank] = factor == 0;
            float[]? expected = _ledgers[rank].At(sequence, next);
            Assert.True(expected is not null, $"worker {rank}: the server stands at push {sequence}, key {next}, which was never pushed; ledger: {_ledgers[rank]} {Tail()}");
            if (!IsSum)
                Assert.True(_server.ReconstructionOf(rank).SequenceEqual(expected), $"worker {rank}: at push {sequence}, key {next} the server has another vector than was pushed; {Tail()}");
            for (int j = 0; j < Parameters; j++)
                sum[j] += (IsSum ? 1 : factor) * expected![j];
        }

        Assert.True(_server.Sum.SequenceEqual(sum), $"the sum is not that of the vectors; {Tail()}");
    }

    private string Tail() => string.Join(" | ", Log.GetRange(Math.Max(0, Log.Count - 8), Math.Min(8, Log.Count)));

    private sealed class Machine
    {
        public WorkerSession? Session { get; set; }

        public bool WantsLink { get; set; } = true;

        public int NewestLink { get; set; }

        /// <summary>This process has a vector: one that it has pushed, or that the server has told.</summary>
        public bool HasPushed { get; set; }

        /// <summary>Pushes that the ledger knows of.</summary>
        public ulong Known { get; set; }
    }
}
