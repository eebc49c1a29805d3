using System;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Training to the optimum of all data together, on the virtual clock, with late and doubled messages.</summary>
public sealed class TrainingTests
{
    private const double L2 = 0.05;

    [Theory]
    [InlineData("async", 1, "gradient")]
    [InlineData("async", 8, "gradient")]
    [InlineData("async", 30, "gradient")]
    [InlineData("bsp", 1, "gradient")]
    [InlineData("bsp", 8, "gradient")]
    [InlineData("async", 1, "gradient:5")]
    [InlineData("async", 30, "gradient:5")]
    [InlineData("bsp", 8, "gradient:5")]
    [InlineData("async", 1, "svrg")]
    [InlineData("async", 30, "svrg")]
    [InlineData("bsp", 8, "svrg")]
    [InlineData("auto", 8, "svrg")]
    [InlineData("auto", 8, "gradient")]
    [InlineData("bsp:1", 8, "svrg")]
    [InlineData("ssp:0", 8, "gradient")]
    [InlineData("ssp:3", 8, "gradient")]
    [InlineData("ssp:3", 1, "svrg")]
    [InlineData("ssp:3", 30, "svrg")]
    public void Training_whatever_the_speeds_ends_at_the_optimum(string policy, int slow, string solver)
    {
        (SparseRows all, SparseRows[] parts) = Data(labelSorted: false);
        double best = NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), L2).Objective;
        for (int seed = 0; seed < 3; seed++)
        {
            RunResult result = Train(policy, slow, parts, seed, new ServerOptions { Policy = policy, Target = 1e-6, Reference = best, Passes = 100_000 }, solver);
            Assert.Equal("target", result.Reason);
            Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, 1e-6);
        }
    }

    [Fact]
    public void Training_on_label_sorted_parts_ends_at_the_same_optimum()
    {
        (SparseRows all, SparseRows[] parts) = Data(labelSorted: true);
        double best = NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), L2).Objective;
        RunResult result = Train("async", 4, parts, 1, new ServerOptions { Policy = "async", Target = 1e-6, Reference = best });
        Assert.Equal("target ", result.Reason + " " + result.Failure);
    }

    [Fact]
    public void Async_no_worker_delays_another_and_bsp_does()
    {
        (_, SparseRows[] parts) = Data(labelSorted: false);
        var options = new ServerOptions { TimeLimit = TimeSpan.FromMilliseconds(200) };
        RunResult free = Train("async", 30, parts, 1, options with { Policy = "async" });
        RunResult barrier = Train("bsp", 30, parts, 1, options with { Policy = "bsp" });

        // A step takes 100 us, the slow one's 3 ms: 2000 steps in 200 ms, of which a fast worker must make nearly all.
        for (int rank = 1; rank < parts.Length; rank++)
            Assert.InRange(free.Status.Workers[rank].Pushes, 1500UL, 2000UL);
        Assert.InRange(free.Status.Workers[0].Pushes, 60UL, 67UL);
        Assert.All(barrier.Status.Workers, worker => Assert.InRange(worker.Pushes, 50UL, 67UL));
    }

    [Fact]
    public void Ssp_zero_waits_as_bsp_does_and_a_wide_bound_lets_the_fast_go_on_for_so_long_only()
    {
        (_, SparseRows[] parts) = Data(labelSorted: false);
        var options = new ServerOptions { TimeLimit = TimeSpan.FromMilliseconds(200) };
        RunResult barrier = Train("bsp", 30, parts, 1, options with { Policy = "bsp" });
        RunResult zero = Train("ssp:0", 30, parts, 1, options with { Policy = "ssp:0" });
        RunResult wide = Train("ssp:100", 30, parts, 1, options with { Policy = "ssp:100" });
        for (int rank = 0; rank < parts.Length; rank++)
        {
            Assert.Equal(barrier.Status.Workers[rank].Pushes, zero.Status.Workers[rank].Pushes);
            Assert.Equal(barrier.Status.Workers[rank].IdleSeconds, zero.Status.Workers[rank].IdleSeconds, 1e-9);
        }

        ulong slowest = wide.Status.Workers[0].Pushes;
        Assert.InRange(slowest, 60UL, 67UL);
        for (int rank = 1; rank < parts.Length; rank++)
            Assert.InRange(wide.Status.Workers[rank].Pushes, slowest + 100, slowest + 101);
    }

    [Fact]
    public void Passes_limit_counts_passes_over_all_data()
    {
        (_, SparseRows[] parts) = Data(labelSorted: false);
        RunResult result = Train("async", 8, parts, 2, new ServerOptions { Policy = "async", Passes = 50 });
        Assert.Equal("passes", result.Reason);
        Assert.InRange(result.Status.Passes, 50, 51);
        RunResult barrier = Train("bsp", 8, parts, 2, new ServerOptions { Policy = "bsp", Passes = 50 });
        Assert.Equal(50, barrier.Status.Passes, 6);
        Assert.All(barrier.Status.Workers, worker => Assert.Equal(50UL, worker.Pushes));
    }

    /// <summary>An aggregate that lacks a worker's part is no model, however many passes the others have made.</summary>
    [Fact]
    public void Passes_limit_waits_until_every_worker_was_heard()
    {
        (_, SparseRows[] parts) = Data(labelSorted: false);
        RunResult result = Train("async", 1000, parts, 2, new ServerOptions { Policy = "async", Passes = 3 });
        Assert.Equal("passes", result.Reason);
        Assert.All(result.Status.Workers, worker => Assert.InRange(worker.Pushes, 1UL, ulong.MaxValue));
    }

    /// <summary>Where it has to end before: the mean is that of the workers that were heard, and not of zeros.</summary>
    [Fact]
    public void Time_limit_before_a_worker_was_heard_leaves_the_model_of_the_others()
    {
        (_, SparseRows[] parts) = Data(labelSorted: false);
        RunResult result = Train("async", 1000, parts, 2, new ServerOptions { Policy = "async", TimeLimit = TimeSpan.FromMilliseconds(50) });
        Assert.Equal("time limit", result.Reason);
        Assert.Equal(0UL, result.Status.Workers[0].Pushes);
        double saved = 0, shrunk = 0, heard = 0;
        for (int rank = 1; rank < parts.Length; rank++)
            heard += parts[rank].Rows;
        for (int rank = 1; rank < parts.Length; rank++)
        {
            float[] signs = BinaryLabels.Of(parts[rank]).Signs(parts[rank]);
            double share = parts[rank].Rows / heard;
            saved += share * NewtonReference.Objective(parts[rank], signs, L2, Array.ConvertAll(result.Model!, w => (double)w));
            shrunk += share * NewtonReference.Objective(parts[rank], signs, L2, Array.ConvertAll(result.Model!, w => w * heard / 400));
        }

        Assert.True(saved < shrunk && saved < 0.6, $"{saved}; with zeros for the other {shrunk}");
    }

    [Fact]
    public void Model_that_meets_the_target_ended_there_whatever_came_first()
    {
        (_, SparseRows[] parts) = Data(labelSorted: false);
        var options = new ServerOptions { Policy = "bsp", Reference = 0.3, Passes = 6 };
        RunResult plain = Train("bsp", 1, parts, 2, options);
        Assert.Equal("passes", plain.Reason);
        double end = plain.Trace[^1].RelativeGap!.Value;
        Assert.True(plain.Trace[^2].RelativeGap > end);

        // No sample before the last one is at it, and the last one exactly.
        RunResult met = Train("bsp", 1, parts, 2, options with { Target = end });
        Assert.Equal((plain.Objective, plain.Trace.Count), (met.Objective, met.Trace.Count));
        Assert.Equal("target", met.Reason);
        Assert.Equal("passes", Train("bsp", 1, parts, 2, options with { Target = Math.BitDecrement(end) }).Reason);
    }

    /// <summary>A snapshot that lacks somebody's part may meet the target by chance; it is no model.</summary>
    [Fact]
    public void Target_is_judged_when_every_worker_was_heard()
    {
        (_, SparseRows[] parts) = Data(labelSorted: false);
        RunResult result = Train("async", 50, parts, 2, new ServerOptions { Policy = "async", Target = 10, Reference = 0.3, Passes = 1000 });
        Assert.Equal("target ", result.Reason + " " + result.Failure);
        Assert.All(result.Status.Workers, worker => Assert.InRange(worker.Pushes, 1UL, ulong.MaxValue));
    }

    [Fact]
    public void Objective_of_the_result_is_that_of_the_model_on_all_data()
    {
        (SparseRows all, SparseRows[] parts) = Data(labelSorted: false);
        RunResult result = Train("async", 3, parts, 2, new ServerOptions { Policy = "async", Passes = 20 });
        double[] weights = Array.ConvertAll(result.Model!, w => (double)w);
        double expected = NewtonReference.Objective(all, BinaryLabels.Of(all).Signs(all), L2, weights);
        Assert.Equal(expected, result.Objective!.Value, 1e-12);
        Assert.Equal(Math.Log(2), result.Trace[0].Objective, 1e-12);
    }

    private static RunResult Train(string policy, int slow, SparseRows[] parts, int seed, ServerOptions options, string solver = "gradient")
    {
        Assert.True(LocalSolver.TryParse(solver, out LocalSolver local));
        ITask[] tasks = Array.ConvertAll(parts, part => (ITask)new LogisticTask(part, new LogisticSettings { L2 = L2, Solver = local }));
        int[] microseconds = new int[parts.Length];
        Array.Fill(microseconds, 100);
        microseconds[0] *= slow;
        return new VirtualCluster(seed, options, tasks, microseconds).Run(20_000_000);
    }

    /// <summary>400 rows, 20 features, as a whole and in 4 parts of unequal size.</summary>
    internal static (SparseRows All, SparseRows[] Parts) Data(bool labelSorted)
    {
        const int rows = 400, features = 20;
        var random = new Random(4);
        var lines = new (float Label, float[] Values)[rows];
        for (int row = 0; row < rows; row++)
        {
            float[] values = new float[features];
            double margin = random.NextDouble() - 0.5;
            for (int j = 0; j < features; j++)
            {
                values[j] = (float)(random.NextDouble() - 0.5) * (j % 5 == 0 ? 4 : 1);
                margin += values[j] * ((j % 3) - 1);
            }

            lines[row] = (margin > 0 ? 1 : -1, values);
        }

        if (labelSorted)
            Array.Sort(lines, (a, b) => a.Label.CompareTo(b.Label));
        int[] ends = [60, 150, 290, rows];
        var parts = new SparseRows[ends.Length];
        for (int part = 0, begin = 0; part < ends.Length; begin = ends[part], part++)
            parts[part] = Rows(lines.AsSpan(begin..ends[part]), features);
        return (Rows(lines, features), parts);
    }

    private static SparseRows Rows(ReadOnlySpan<(float Label, float[] Values)> lines, int features)
    {
        long[] starts = new long[lines.Length + 1];
        int[] columns = new int[lines.Length * features];
        float[] values = new float[columns.Length], labels = new float[lines.Length];
        for (int row = 0; row < lines.Length; row++)
        {
            starts[row + 1] = (row + 1) * features;
            labels[row] = lines[row].Label;
            for (int j = 0; j < features; j++)
                (columns[(row * features) + j], values[(row * features) + j]) = (j, lines[row].Values[j]);
        }

        return new SparseRows("generated", starts, columns, values, labels, features);
    }
}
