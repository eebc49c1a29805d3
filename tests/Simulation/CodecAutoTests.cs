using System;
using System.Collections.Generic;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>What --codec auto is worth over links of a cluster, on the virtual clock: docs/algorithms.md.</summary>
public sealed class CodecAutoTests
{
    private const int Workers = 4;

    [Theory]
    [InlineData(double.PositiveInfinity, 0.9)]
    [InlineData(125e6, 1)]
    [InlineData(12.5e6, 5)]
    public void It_takes_at_most_a_tenth_longer_than_the_best(double bytesPerSecond, double timesOfFp32)
    {
        double fp32 = Seconds("fp32", bytesPerSecond), best = Math.Min(fp32, Math.Min(Seconds("int8", bytesPerSecond), Seconds("int4", bytesPerSecond)));
        double auto = Seconds("auto", bytesPerSecond);
        TestContext.Current.SendDiagnosticMessage($"{bytesPerSecond:g3} bytes/s: auto {auto:g4} s, best {best:g4} s, fp32 {fp32:g4} s");
        Assert.InRange(auto / best, 0, 1.1);
        Assert.InRange(fp32 / auto, timesOfFp32, 100);
    }

    private static double Seconds(string codec, double bytesPerSecond)
    {
        var workers = new SimulatedWorker[Workers];
        for (int rank = 0; rank < Workers; rank++)
            workers[rank] = new SimulatedWorker(new Bowl(200_000, rank), TimeSpan.FromMilliseconds(2), Slowness.None);
        var options = new ServerOptions { Codec = CodecSpec.Parse(codec), Target = 1e-4, Reference = 1, Passes = 10_000 };
        using var cluster = new SimulatedCluster(options, workers, new LinkSpeed(TimeSpan.FromMicroseconds(100), bytesPerSecond));
        RunResult result = cluster.Run();
        Assert.Equal("target", result.Reason);
        Assert.Equal(codec, result.Status.Codec);
        return result.Status.Seconds;
    }

    /// <summary>f_i(x) = 1 + |x - b_i|^2 / (2 n) with b_i that sum to what is best for all: gradient steps of a length that takes some rounds.</summary>
    private sealed class Bowl : ITask
    {
        private readonly float[] _best;
        private readonly double _spread;

        public Bowl(int parameters, int rank)
        {
            _best = new float[parameters];
            for (int j = 0; j < parameters; j++)
            {
                double common = Math.Sin(j), own = Math.Cos((0.7 * j) + (rank * 2 * Math.PI / Workers));
                _best[j] = (float)(common + own);
                _spread += own * own;
            }
        }

        public int Parameters => _best.Length;
        public int RowLength => 1;
        public Aggregate Aggregate => Aggregate.Mean;
        public double Weight => 1;
        public double[] Agreed => [];
        public IReadOnlyList<KeyValuePair<string, string>> Settings => [];
        public int Values => 1;
        public void Start(StartMessage agreed) { }

        public double Step(in StepInput input, Span<float> x)
        {
            for (int j = 0; j < x.Length; j++)
                x[j] = input.Aggregate[j] - (0.1f * (input.Aggregate[j] - _best[j]));
            return 1;
        }

        public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
        {
            double sum = -_spread;
            for (int j = 0; j < z.Length; j++)
            {
                double d = z[j] - (double)_best[j];
                sum += d * d;
            }

            values[0] = 1 + (sum / (2 * z.Length));
        }
    }
}
