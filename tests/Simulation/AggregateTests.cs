using System;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Invariant 1: the aggregate is the weighted mean of the workers' latest vectors, whatever the network did.</summary>
public sealed class AggregateTests
{
    private static readonly double[] Weights = [3, 1, 8139, 57];

    [Theory]
    [InlineData("async", 37, 1, 40, 400)]
    [InlineData("bsp", 37, 1, 40, 400)]
    [InlineData("ssp:2", 37, 1, 40, 400)]
    [InlineData("async", Limits.ChunkParameters + 1000, 1, 3, 60)]
    [InlineData("async", 33 * 40, 33, 40, 400)]
    [InlineData("bsp", 33 * 40, 33, 20, 400)]
    [InlineData("async", 33 * 9000, 33, 3, 60)]
    public void Aggregate_late_twice_and_in_any_order_is_the_weighted_mean(string policy, int parameters, int rowLength, int seeds, int steps)
    {
        int duplicated = 0;
        for (int seed = 0; seed < seeds; seed++)
        {
            var run = new Run(seed, policy, parameters, rowLength);
            for (int step = 0; step < steps; step++)
                run.Step();
            run.Settle();
            duplicated += run.Network.Duplicated;
        }

        Assert.True(duplicated > seeds, $"only {duplicated} pushes came twice: the test tests nothing");
    }

    private sealed class Run
    {
        private readonly int _seed;
        private readonly int _parameters;
        private readonly int _rowLength;
        private readonly Random _random;
        private readonly List<WorkerSession> _workers = [];
        private readonly float[][] _latest = new float[Weights.Length][];
        private readonly FakeTimeProvider _time = new();

        public Run(int seed, string policy, int parameters, int rowLength)
        {
            _seed = seed;
            _parameters = parameters;
            _rowLength = rowLength;
            _random = new Random(seed);
            Network = new SeededNetwork(seed, 0.3, new ServerOptions { Workers = Weights.Length, Policy = policy, Evaluates = false }, _time);
            for (int rank = 0; rank < Weights.Length; rank++)
            {
                _workers.Add(Network.Connect(new WorkerOptions { Rank = rank, Parameters = parameters, RowLength = rowLength, Weight = Weights[rank] }, _time));
                _latest[rank] = new float[parameters];
            }

            Network.DeliverAll();
            Assert.All(_workers, worker => Assert.NotNull(worker.Started));
        }

        public SeededNetwork Network { get; }

        public void Step()
        {
            int rank = _random.Next(_workers.Count);
            WorkerSession worker = _workers[rank];
            switch (_random.Next(5))
            {
                case 0:
                    float[] x = (float[])_latest[rank].Clone();
                    for (int row = 0; row < x.Length / _rowLength; row++)
                    {
                        // With rows, about a fifth of them change; else all of it.
                        if (_rowLength > 1 && _random.Next(5) > 0)
                            continue;
                        for (int j = row * _rowLength; j < (row + 1) * _rowLength; j++)
                            x[j] = (float)((_random.NextDouble() - 0.5) * 100);
                    }

                    if (worker.TryPush(x, 1))
                        _latest[rank] = x;
                    break;
                case 1:
                    worker.Pull();
                    break;
                case 2:
                    worker.Take();
                    break;
                default:
                    Network.DeliverOne();
                    break;
            }
        }

        /// <summary>Delivers everything, pulls once more, and compares all copies.</summary>
        public void Settle()
        {
            Network.DeliverAll();
            double total = 0;
            foreach (double weight in Weights)
                total += weight;
            for (int rank = 0; rank < _workers.Count; rank++)
            {
                Assert.True(_workers[rank].Failure is null, $"seed {_seed}: {_workers[rank].Failure}");
                Assert.Equal(_workers[rank].Pushed, _workers[rank].Acknowledged);
                Assert.True(_workers[rank].Reconstruction.SequenceEqual(Network.Server.ReconstructionOf(rank)),
                    $"seed {_seed}: the two ends of worker {rank} disagree");
            }

            CheckSnapshots();
            ReadOnlySpan<double> sum = Network.Server.Sum;
            for (int j = 0; j < _parameters; j++)
            {
                double mean = 0, residual = 0;
                for (int rank = 0; rank < _workers.Count; rank++)
                {
                    mean += Weights[rank] * _workers[rank].Reconstruction[j];
                    residual = Math.Max(residual, Math.Abs(_workers[rank].Reconstruction[j] - _latest[rank][j]));
                }

                Assert.True(Math.Abs(sum[j] - mean) <= 1e-12 * 50 * total, $"seed {_seed}, parameter {j}: {sum[j]} and {mean}");
                Assert.True(residual < 1e-4, $"seed {_seed}, parameter {j}: what was pushed last is not what the server has ({residual})");
            }
        }

        /// <summary>Everybody's newest snapshot, put together from changed rows, is the aggregate rounded to fp32.</summary>
        private void CheckSnapshots()
        {
            foreach (WorkerSession worker in _workers)
            {
                worker.Pull();
                Network.DeliverAll();
                ReadOnlySpan<float> snapshot = worker.Take();
                if (worker.Version != Network.Server.Status().Pushes)
                    continue; // under bsp the last round may be incomplete
                ReadOnlySpan<double> sum = Network.Server.Sum;
                double scale = 0;
                foreach (double weight in Weights)
                    scale += weight;
                for (int j = 0; j < _parameters; j++)
                    Assert.True(snapshot[j] == (float)(sum[j] * (1 / scale)), $"seed {_seed}, parameter {j}: {snapshot[j]} and {sum[j] / scale}");
            }
        }
    }
}
