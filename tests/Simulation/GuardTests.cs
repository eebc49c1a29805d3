using System;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// What the guard is for: shards on which local steps without it lead astray, and what it costs where it is not needed. 8 workers, a
/// pass of 10 ms, virtual time.
/// </summary>
public sealed class GuardTests(ITestOutputHelper output)
{
    private const double L2 = 1e-3;
    private const double Gap = 1e-6;
    private const int Workers = 8;
    private static readonly Lazy<(SparseRows All, double Optimum)> Census =
        new(() => WithOptimum(LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.svm.gz"), RowPart.All, CancellationToken.None)));
    private static readonly Lazy<(SparseRows All, double Optimum)> Generated = new(() => WithOptimum(OwnFeatures()));

    [Theory]
    [InlineData("by feature", 1e-4, 300)]
    [InlineData("by feature", 1e-5, 300)]
    [InlineData("own features", 1e-3, 6_000)]
    [InlineData("own features", 1e-4, 6_000)]
    public void Unguarded_leads_astray(string set, double rho, double passes)
    {
        RunResult result = Run(set, new LogisticSettings { L2 = L2, Rho = rho }, 1, Gap, passes);
        double least = double.PositiveInfinity;
        foreach (TraceRow row in result.Trace)
            least = Math.Min(least, row.RelativeGap!.Value);
        output.WriteLine($"{set}, rho {rho:g1}: gap {result.Status.RelativeGap:e2} after {result.Status.Passes:0} passes, at least {least:e2} on the way");
        Assert.Equal("passes", result.Reason);
        Assert.True(least > 1e-3 && result.Status.RelativeGap > 1e-2, $"it came to {least}");
    }

    [Theory]
    [InlineData("by feature", "async")]
    [InlineData("own features", "async")]
    [InlineData("by feature", "bsp")]
    [InlineData("own features", "bsp")]
    [InlineData("by label", "bsp")]
    [InlineData("by feature", "auto")]
    [InlineData("own features", "auto")]
    public void Guarded_arrives_there(string set, string policy)
    {
        RunResult result = Run(set, new LogisticSettings { L2 = L2 }, 1, Gap, 3_000, policy);
        output.WriteLine($"{set}, {policy}: gap {result.Status.RelativeGap:e2} after {result.Status.Passes:0} passes, {result.Status.Seconds:0.00} s");
        Assert.Equal("target", result.Reason);
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, Gap);
    }

    [Theory]
    [InlineData("random", 1e-4)]
    [InlineData("by label", 1e-4)]
    public void Guarded_costs_little_where_no_guard_is_needed(string set, double rho)
    {
        RunResult fixedRho = Run(set, new LogisticSettings { L2 = L2, Rho = rho }, 1, Gap, 1_000), guarded = Run(set, new LogisticSettings { L2 = L2 }, 1, Gap, 1_000);
        double ratio = guarded.Status.Seconds / fixedRho.Status.Seconds;
        output.WriteLine($"{set}: guarded {guarded.Status.Seconds:0.00} s, rho {rho:g1} {fixedRho.Status.Seconds:0.00} s, ratio {ratio:0.00}");
        Assert.Equal(("target", "target"), (guarded.Reason, fixedRho.Reason));
        Assert.True(ratio <= 1.25, $"the guard takes {ratio:0.00} times as long");
    }

    [Theory]
    [InlineData("random", 1)]
    [InlineData("random", 8)]
    [InlineData("by label", 1)]
    [InlineData("by label", 8)]
    [InlineData("by feature", 1)]
    [InlineData("by feature", 8)]
    [InlineData("own features", 1)]
    [InlineData("own features", 8)]
    public void Guarded_takes_no_longer_than_gradient_steps_alone(string set, int slow)
    {
        const double target = 1e-3;
        RunResult guarded = Run(set, new LogisticSettings { L2 = L2 }, slow, target, 10_000);
        RunResult alone = Run(set, new LogisticSettings { L2 = L2, Solver = LocalSolver.None }, slow, target, 10_000);
        double ratio = guarded.Status.Seconds / alone.Status.Seconds;
        output.WriteLine($"{set}, {slow}x: guarded {guarded.Status.Seconds:0.00} s, gradient steps {alone.Status.Seconds:0.00} s, ratio {ratio:0.00}; "
            + $"pushes {guarded.Status.Pushes} and {alone.Status.Pushes}");
        Assert.Equal(("target", "target"), (guarded.Reason, alone.Reason));
        Assert.True(ratio <= 1.2, $"guarded takes {ratio:0.00} times as long as gradient steps alone");
    }

    /// <summary>
    /// Two workers without a common feature, those of one thirty times as long: nothing in the rows of the other holds its steps back,
    /// and gradients that saturate do not tell how far it went. Whatever it does, it must not be worse than gradient steps alone.
    /// </summary>
    [Theory]
    [InlineData("async", 8)]
    [InlineData("async", 1)]
    [InlineData("bsp", 1)]
    public void Guarded_without_common_features_is_no_worse_than_gradient_steps_alone(string policy, int slow)
    {
        SparseRows[] parts = [OneFeature(0, 1), OneFeature(1, 30)];
        double best = 0;
        foreach (SparseRows part in parts)
            best += NewtonReference.Solve(part, BinaryLabels.Of(part).Signs(part), 2 * L2).Objective / 2; // each has half of the rows
        double guarded = GapOf(LocalSolver.Svrg), alone = GapOf(LocalSolver.None);
        output.WriteLine($"{policy}, {slow}x: guarded {guarded:e2}, gradient steps {alone:e2}");
        Assert.InRange(guarded, -1e-7, alone);

        double GapOf(LocalSolver solver)
        {
            ITask[] tasks = Array.ConvertAll(parts, part => (ITask)new LogisticTask(part, new LogisticSettings { L2 = L2, Solver = solver }));
            return Simulated.Run(new ServerOptions { Policy = policy, Reference = best, Passes = 3_000 }, tasks, [10_000 * slow, 10_000]).Status.RelativeGap!.Value;
        }
    }

    private static SparseRows OneFeature(int column, double scale)
    {
        const int rows = 300;
        var random = new SeededRandom(2, 1, column);
        long[] starts = new long[rows + 1];
        int[] columns = new int[rows];
        float[] values = new float[rows], labels = new float[rows];
        for (int row = 0; row < rows; row++)
        {
            double value = random.Normal();
            (starts[row + 1], columns[row], values[row], labels[row]) = (row + 1, column, (float)(scale * value), value + random.Normal() > 0 ? 1 : -1);
        }

        return new SparseRows("one feature", starts, columns, values, labels, 2);
    }

    private static RunResult Run(string set, LogisticSettings settings, int slow, double target, double passes, string policy = "async")
    {
        (SparseRows all, double optimum) = set == "own features" ? Generated.Value : Census.Value;
        SparseRows[] parts = set is "own features" or "by feature" ? Parts.SplitByFeatures(all, Workers) : Parts.Split(all, Workers, set == "by label", 1);
        int[] microseconds = new int[Workers];
        Array.Fill(microseconds, 10_000);
        microseconds[0] *= slow;
        ITask[] tasks = Array.ConvertAll(parts, part => (ITask)new LogisticTask(part, settings));
        return Simulated.Run(new ServerOptions { Policy = policy, Target = target, Reference = optimum, Passes = passes }, tasks, microseconds);
    }

    private static (SparseRows All, double Optimum) WithOptimum(SparseRows all) => (all, NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), L2).Objective);

    /// <summary>200 rows a worker, of ten features that no other worker has, the first of them a twentieth as long as the others.</summary>
    private static SparseRows OwnFeatures()
    {
        const int rows = Workers * 200, own = 10;
        var random = new SeededRandom(1, 1, 1);
        double[] planted = new double[Workers * own];
        for (int j = 0; j < planted.Length; j++)
            planted[j] = random.Normal();
        long[] starts = new long[rows + 1];
        int[] columns = new int[rows * own];
        float[] values = new float[rows * own], labels = new float[rows];
        for (int row = 0; row < rows; row++)
        {
            double margin = random.Normal(); // noise
            for (int k = 0; k < own; k++)
            {
                int at = (row * own) + k;
                columns[at] = (row / 200 * own) + k;
                values[at] = (float)(random.Normal() * (k == 0 ? 0.05 : 1));
                margin += planted[columns[at]] * values[at];
            }

            labels[row] = margin > 0 ? 1 : -1;
            starts[row + 1] = (row + 1) * own;
        }

        return new SparseRows("own features", starts, columns, values, labels, Workers * own);
    }
}
