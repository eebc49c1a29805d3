using System;
using System.Collections.Generic;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// Workers that push random vectors in a codec over a network that doubles, delays and cuts, and now and then are replaced; what both ends have is compared
/// whenever everything has arrived.
/// </summary>
internal sealed class CodedRun
{
    private const int ChunkKeys = 64;
    private const float Largest = 50;

    private static readonly double[] Weights = [3, 1, 8139];

    private readonly int _seed;
    private readonly int _parameters;
    private readonly int _rowLength;
    private readonly int _chunkKeys;
    private readonly bool _waits;
    private readonly Random _random;
    private readonly WorkerSession[] _workers = new WorkerSession[Weights.Length];
    private readonly float[][] _latest = new float[Weights.Length][];
    private readonly bool[] _wantsLink = new bool[Weights.Length];
    private readonly FakeTimeProvider _time = new();

    public CodedRun(int seed, string codec, string policy, int parameters, int rowLength, double fullness = 0.1)
    {
        (_seed, _parameters, _rowLength) = (seed, parameters, rowLength);
        _waits = policy == "bsp";
        _chunkKeys = rowLength > 1 ? rowLength * 3 : ChunkKeys;
        _random = new Random(seed);
        var options = new ServerOptions
        {
            Workers = Weights.Length,
            Policy = policy,
            Evaluates = false,
            Codec = CodecSpec.Parse(codec),
            MostChunkKeys = _chunkKeys,
        };
        Network = new SeededNetwork(seed, 0.2, options, _time) { Fullness = fullness };
        for (int rank = 0; rank < Weights.Length; rank++)
        {
            _workers[rank] = Network.Connect(Options(rank), _time);
            Listen(rank);
            _latest[rank] = new float[parameters];
        }

        DeliverAll();
        Assert.All(_workers, worker => Assert.NotNull(worker.Started));
    }

    public SeededNetwork Network { get; }

    public IReadOnlyList<WorkerSession> Workers => _workers;

    /// <summary>Now and then the server takes another codec.</summary>
    public bool Switches { get; init; }

    public ulong Pushes { get; private set; }

    public int Cuts { get; private set; }

    public int Replaced { get; private set; }

    /// <summary>Pushes, pulls, takes, or lets one message arrive; now and then something fails.</summary>
    public void Step(bool faults = true)
    {
        int rank = _random.Next(_workers.Length);
        if (Switches && _random.Next(40) == 0)
            Network.Server.SwitchTo(CodecSpec.Parse(_random.Next(4) switch { 0 => "fp32", 1 => "int8", 2 => "int4", _ => "topk:0.1:int8" }), "it was drawn");
        switch (_random.Next(faults ? 200 : 198))
        {
            case < 50:
                Push(rank);
                break;
            case < 70:
                if (!_waits)
                    _workers[rank].Pull();
                break;
            case < 90:
                if (_workers[rank].Started is not null)
                    _workers[rank].TakeCorrected();
                break;
            case < 198:
                Network.DeliverOne();
                GoOn();
                break;
            case 198:
                Cuts++;
                Network.Reconnect(rank);
                _wantsLink[rank] = false;
                break;
            default:
                if (_random.Next(4) > 0)
                    break;
                Replaced++;
                _workers[rank] = Network.Replace(rank, Options(rank), _time);
                Listen(rank);
                break;
        }
    }

    /// <summary>Everything arrives; both ends have the same then, bit for bit.</summary>
    public void Settle()
    {
        for (int round = 0; round < 3; round++)
        {
            DeliverAll();
            foreach (WorkerSession worker in _workers)
            {
                worker.Take();
                if (!_waits)
                    worker.Pull();
            }
        }

        double total = 0;
        for (int rank = 0; rank < _workers.Length; rank++)
        {
            total += Weights[rank];
            WorkerSession worker = _workers[rank];
            Assert.True(worker.Failure is null, $"seed {_seed}: {worker.Failure}");
            Assert.Equal(worker.Pushed, worker.Acknowledged);
            Assert.True(worker.Reconstruction.SequenceEqual(Network.Server.ReconstructionOf(rank)), $"seed {_seed}: the two ends of worker {rank} disagree");
            Downlink? downlink = Network.Server.DownlinkOf(rank);
            Assert.True(downlink is not { IsKnown: true } || worker.Take().SequenceEqual(downlink.Values), $"seed {_seed}: worker {rank} has another snapshot than the server thinks");
        }

        ReadOnlySpan<double> sum = Network.Server.Sum;
        for (int j = 0; j < _parameters; j++)
        {
            double expected = 0;
            for (int rank = 0; rank < _workers.Length; rank++)
                expected += Network.Server.StandOf(rank).Factor * _workers[rank].Reconstruction[j];
            Assert.True(Math.Abs(sum[j] - expected) <= 1e-12 * Largest * total, $"seed {_seed}, parameter {j}: {sum[j]} and {expected}");
        }
    }

    /// <summary>The same vectors again and again: in the end nothing is missing of them, nor of their mean.</summary>
    public void Converge(int rounds)
    {
        if (Switches)
            Network.Server.SwitchTo(CodecSpec.Parse("int4"), "the last");
        for (int round = 0; round < rounds; round++)
        {
            for (int rank = 0; rank < _workers.Length; rank++)
            {
                if (MayPush(_workers[rank]))
                    Assert.True(_workers[rank].TryPush(_latest[rank], 1, pulls: true), $"seed {_seed}: the window is full");
            }

            DeliverAll();
            foreach (WorkerSession worker in _workers)
                worker.Take();
        }

        Settle();
        ReadOnlySpan<double> sum = Network.Server.Sum;
        double total = 0;
        for (int rank = 0; rank < _workers.Length; rank++)
        {
            total += Weights[rank];
            for (int j = 0; j < _parameters; j++)
                Close(_latest[rank][j], _workers[rank].Reconstruction[j], $"what worker {rank} pushed", j);
        }

        for (int rank = 0; rank < _workers.Length; rank++)
        {
            Assert.True(Network.Server.DownlinkOf(rank)?.IsKnown != false, $"seed {_seed}: the server does not know what worker {rank} has");
            for (int j = 0; j < _parameters; j++)
                Close(sum[j] / total, _workers[rank].Take()[j], $"the mean at worker {rank}", j);
        }
    }

    public void DeliverAll()
    {
        for (bool goesOn = true; goesOn;)
        {
            while (Network.DeliverOne())
            {
            }

            goesOn = GoOn();
        }
    }

    /// <summary>Whom the server has hung up on connects again.</summary>
    private bool GoOn()
    {
        bool some = false;
        for (int rank = 0; rank < _workers.Length; rank++)
        {
            if (!_wantsLink[rank])
                continue;
            Network.Reconnect(rank);
            _wantsLink[rank] = false;
            some = true;
        }

        return some;
    }

    public bool Push(int rank)
    {
        WorkerSession worker = _workers[rank];
        if (worker.Started is null || !MayPush(worker))
            return false;
        float[] x = (float[])_latest[rank].Clone();
        for (int row = 0; row < x.Length / _rowLength; row++)
        {
            if (_rowLength > 1 && _random.Next(5) > 0)
                continue;
            for (int j = row * _rowLength; j < (row + 1) * _rowLength; j++)
                x[j] = (float)((_random.NextDouble() - 0.5) * 2 * Largest);
        }

        if (!worker.TryPush(x, 1, pulls: _waits))
            return false;
        Pushes++;
        _latest[rank] = x;
        return true;
    }

    /// <summary>Behind a barrier one push is made from each snapshot, as training loops do.</summary>
    private bool MayPush(WorkerSession worker) => !_waits || !worker.IsPulling;

    // A few units in the last place of the largest values there are.
    private void Close(double expected, float value, string what, int j) =>
        Assert.True(Math.Abs(expected - value) <= 4 * Largest / (1 << 23), $"seed {_seed}, parameter {j}: {what} is {expected}, {value} has come of it");

    private void Listen(int rank)
    {
        WorkerSession worker = _workers[rank];
        worker.Disconnected = () => _wantsLink[rank] |= worker == _workers[rank];
    }

    private WorkerOptions Options(int rank) => new()
    {
        Rank = rank,
        Parameters = _parameters,
        RowLength = _rowLength,
        Weight = Weights[rank],
        MostChunkKeys = _chunkKeys,
        ReconnectTimeout = TimeSpan.FromDays(1),
    };
}
