using System;
using System.Threading;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>What policy auto is worth beside async and both kinds of barrier, on the virtual clock, to a gap of 1e-6: docs/policies.md.</summary>
public sealed class PolicyAutoTests(ITestOutputHelper output)
{
    private const double PassSeconds = 0.01;

    [Theory]
    [InlineData(2, "equal", 1.05)]
    [InlineData(2, "one 8 times slower", 1.05)]
    [InlineData(8, "equal", 1.05)]
    [InlineData(8, "one 3 times slower", 1.05)]
    [InlineData(8, "one 8 times slower", 0.8)]
    [InlineData(8, "one 30 times slower", 0.8)]
    [InlineData(8, "bursts", 1.05)]
    [InlineData(8, "changing", 0.9)]
    [InlineData(16, "one 8 times slower", 0.7)]
    public void On_a9a_it_takes_at_most_so_many_times_as_long_as_the_best(int workers, string pattern, double most)
    {
        SparseRows all = LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.svm.gz"), RowPart.All, CancellationToken.None);
        Compare(all, 1.0 / all.Rows, 0.323379582464847, workers, pattern, most);
    }

    /// <summary>Coded in 4 bits against the best barrier, coded or not; and the bytes beside a barrier that takes gradient steps in fp32.</summary>
    [Fact]
    public void On_a9a_in_4_bits_it_is_faster_than_any_barrier_and_sends_a_hundredth_of_what_gradient_steps_send()
    {
        SparseRows all = LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.svm.gz"), RowPart.All, CancellationToken.None);
        RunResult auto = Run("auto", "int4", LocalSolver.Svrg, 1e-6, 100);
        double best = double.PositiveInfinity;
        foreach (string codec in (string[])["fp32", "int4"])
        {
            foreach (string policy in (string[])["bsp", "bsp:1"])
            {
                RunResult barrier = Run(policy, codec, LocalSolver.Svrg, 1e-6, 10);
                best = barrier.Reason == "target" ? Math.Min(best, barrier.Status.Seconds) : best;
            }
        }

        RunResult gradient = Run("bsp", "fp32", LocalSolver.None, 1e-6, 1000); // 1,000 s do not suffice
        long sent = auto.Status.UplinkPayloadBytes + auto.Status.DownlinkPayloadBytes, sentByGradients = gradient.Status.UplinkPayloadBytes + gradient.Status.DownlinkPayloadBytes;
        output.WriteLine($"auto int4 {auto.Status.Seconds:0.000} s, best barrier {best:0.000} s, ratio {auto.Status.Seconds / best:0.00}; {sent} bytes, gradient steps {sentByGradients}, gap {gradient.Status.RelativeGap:g2}");
        Assert.Equal("target", auto.Reason);
        Assert.InRange(auto.Status.Seconds / best, 0, 0.8);
        Assert.InRange((double)sent / sentByGradients, 0, 0.01);

        RunResult Run(string policy, string codec, LocalSolver solver, double target, double limit)
        {
            SparseRows[] parts = Parts.Split(all, 8, labelSorted: false, 1);
            var simulated = new SimulatedWorker[8];
            for (int rank = 0; rank < simulated.Length; rank++)
                simulated[rank] = new SimulatedWorker(new LogisticTask(parts[rank], new LogisticSettings { L2 = 1.0 / all.Rows, Solver = solver }), TimeSpan.FromSeconds(PassSeconds), Of("one 8 times slower", rank));
            var options = new ServerOptions { Policy = policy, Codec = CodecSpec.Parse(codec), Target = target, Reference = 0.323379582464847, TimeLimit = TimeSpan.FromSeconds(limit) };
            using var cluster = new SimulatedCluster(options, simulated, new LinkSpeed(TimeSpan.FromMicroseconds(100), 125e6));
            return cluster.Run();
        }
    }

    private void Compare(SparseRows all, double l2, double optimum, int workers, string pattern, double most)
    {
        double auto = Seconds("auto"), best = Math.Min(Seconds("async"), Math.Min(Seconds("bsp"), Seconds("bsp:1")));
        output.WriteLine($"{workers} workers, {pattern}: auto {auto:0.000} s, best {best:0.000} s, ratio {auto / best:0.00}");
        Assert.True(double.IsFinite(auto), "auto did not reach the target");
        Assert.True(auto <= most * best, $"auto takes {auto:0.000} s, {auto / best:0.00} times as long as the best of the others");

        double Seconds(string policy)
        {
            SparseRows[] parts = Parts.Split(all, workers, labelSorted: false, 1);
            var simulated = new SimulatedWorker[workers];
            for (int rank = 0; rank < workers; rank++)
                simulated[rank] = new SimulatedWorker(new LogisticTask(parts[rank], new LogisticSettings { L2 = l2 }), TimeSpan.FromSeconds(PassSeconds), Of(pattern, rank));
            var options = new ServerOptions { Policy = policy, Target = 1e-6, Reference = optimum, TimeLimit = TimeSpan.FromSeconds(100) };
            using var cluster = new SimulatedCluster(options, simulated, new LinkSpeed(TimeSpan.FromMicroseconds(100), 125e6));
            RunResult result = cluster.Run();
            return result.Reason == "target" ? result.Status.Seconds : double.PositiveInfinity;
        }
    }

    private static Slowness Of(string pattern, int rank)
    {
        var random = new SeededRandom(1, 1, rank);
        return pattern switch
        {
            "one 3 times slower" when rank == 0 => Slowness.Always(3),
            "one 8 times slower" when rank == 0 => Slowness.Always(8),
            "one 30 times slower" when rank == 0 => Slowness.Always(30),
            "changing" when rank == 0 => Parsed("8@0s-0.5s"),
            "changing" when rank == 1 => Parsed("8@0.5s-100s"),
            "bursts" => Slowness.None.WithRandom(0.5, () => random.Normal()),
            _ => Slowness.None,
        };
    }

    private static Slowness Parsed(string text)
    {
        Assert.True(Slowness.TryParse(text, out Slowness slowness, out string error), error);
        return slowness;
    }
}
