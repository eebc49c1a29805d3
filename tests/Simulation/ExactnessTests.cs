using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// The optimum of all data together, to 1e-6, whatever the speeds and however the data is dealt out to 8 workers; nothing is tuned. Judged
/// in double precision by Newton's method.
/// </summary>
public sealed class ExactnessTests(ITestOutputHelper output)
{
    private const double Gap = 1e-6;
    private const int Workers = 8;
    private static readonly Lazy<SparseRows> Census = new(() => LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.svm.gz"), RowPart.All, CancellationToken.None));
    private static readonly Dictionary<(string, double), double> Optima = [];

    /// <summary>Random shards, l2 = 1 / n (0 stands for it) and 1e-3; shards sorted by label.</summary>
    [Theory]
    [InlineData(0, false, 1, 40, 40)]
    [InlineData(0, false, 4, 12, 48)]
    [InlineData(0, false, 8, 14, 112)]
    [InlineData(0, false, 30, 14, 420)]
    [InlineData(1e-3, false, 1, 40, 40)]
    [InlineData(1e-3, false, 8, 14, 112)]
    [InlineData(1e-3, false, 30, 14, 420)]
    [InlineData(1e-3, true, 1, 60, 60)]
    [InlineData(1e-3, true, 8, 14, 112)]
    [InlineData(1e-3, true, 30, 14, 420)]
    [InlineData(0, true, 1, 180, 180)]
    public void A9a_within_few_pushes(double l2, bool labelSorted, int slow, ulong mostOfSlow, ulong mostOfOthers)
    {
        SparseRows all = Census.Value;
        RunResult result = Train(all, labelSorted, new LogisticSettings { L2 = l2 == 0 ? 1.0 / all.Rows : l2 }, slow);
        Reached(result, $"l2 {l2:g3}, sorted {labelSorted}, {slow}x");
        Assert.InRange(result.Status.Workers[0].Pushes, 1UL, mostOfSlow);
        for (int rank = 1; rank < Workers; rank++)
            Assert.InRange(result.Status.Workers[rank].Pushes, 1UL, mostOfOthers);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1e-3, false)]
    [InlineData(1e-3, true)]
    public void A9a_with_random_bursts(double l2, bool labelSorted)
    {
        SparseRows all = Census.Value;
        Reached(Train(all, labelSorted, new LogisticSettings { L2 = l2 == 0 ? 1.0 / all.Rows : l2 }, 1, bursts: 1), $"bursts, l2 {l2:g3}, sorted {labelSorted}");
    }

    [Theory]
    [InlineData(false, 1, 0)]
    [InlineData(false, 8, 0)]
    [InlineData(false, 30, 0)]
    [InlineData(false, 1, 1)]
    [InlineData(true, 1, 0)]
    [InlineData(true, 8, 0)]
    [InlineData(true, 30, 0)]
    [InlineData(true, 1, 1)]
    public void Generated_set(bool labelSorted, int slow, double bursts) =>
        Reached(Train(Generated(), labelSorted, GeneratedSettings(LocalSolver.Svrg), slow, bursts: bursts), $"generated, sorted {labelSorted}, {slow}x, bursts {bursts}");

    [Theory]
    [InlineData(4, 1.8)]
    [InlineData(8, 2.6)]
    [InlineData(30, 3.7)]
    public void Generated_set_by_gradient_steps_alone_takes_less_time_than_behind_a_barrier(int slow, double times)
    {
        RunResult free = Train(Generated(), false, GeneratedSettings(LocalSolver.None), slow), barrier = Train(Generated(), false, GeneratedSettings(LocalSolver.None), slow, "bsp");
        Reached(free, "async");
        Reached(barrier, "bsp");
        double ratio = barrier.Status.Seconds / free.Status.Seconds;
        output.WriteLine($"{slow}x: bsp over async {ratio:0.00}");
        Assert.True(ratio >= times, $"bsp takes {ratio:0.00} times as long, not {times}");
    }

    /// <summary>What is not corrected does not arrive: proves that the tests above can fail.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 8)]
    public void Uncorrected_averages_and_raw_deltas_are_stuck(bool addsDeltas, int fast)
    {
        const double l2 = 1e-3;
        SparseRows all = Census.Value;
        SparseRows[] parts = Parts.Split(all, Workers, labelSorted: true, 1);
        ITask[] tasks = Array.ConvertAll(parts, part => (ITask)new BiasedTask(part, l2, addsDeltas));
        RunResult result = Run(tasks, new ServerOptions { Target = Gap, Reference = Optimum(all, l2), Passes = 20_000 }, slow: 1, fast: fast);
        output.WriteLine($"adds deltas {addsDeltas}: gap {result.Status.RelativeGap:e2}");
        Assert.Equal("passes", result.Reason);
        Assert.True(result.Status.RelativeGap > 1e-4, $"the gap is {result.Status.RelativeGap}");
    }

    [Theory]
    [InlineData(1e-3, 0, false, 3_000)]
    [InlineData(1e-4, 1e-5, false, 3_000)] // without l2 the optimum is not unique: groups of columns add up to 1
    [InlineData(1e-3, 1e-3, true, 800)]
    public void A9a_with_l1_has_the_support_of_the_reference(double l1, double l2, bool intercept, double passes)
    {
        SparseRows all = Census.Value;
        L1Reference.Solution best = L1Reference.Solve(all, BinaryLabels.Of(all).Signs(all), l1, l2, intercept);
        var settings = new LogisticSettings { L1 = l1, L2 = l2, Intercept = intercept };
        ITask[] tasks = Array.ConvertAll(Parts.Split(all, Workers, false, 1), part => (ITask)new LogisticTask(part, settings));
        RunResult result = Run(tasks, new ServerOptions { Reference = best.Objective, Passes = passes }, slow: 4);
        LogisticModel model = LogisticModel.Of(result.Model, result.Agreed, new Dictionary<string, string>(result.Settings));
        int[] first = FirstEqualColumn(all); // columns that are equal share their weight in any way
        var support = new SortedSet<int>();
        for (int j = 0; j < model.Weights.Length; j++)
        {
            if (model.Weights[j] != 0)
                support.Add(first[j]);
        }

        output.WriteLine($"l1 {l1:g3}: gap {result.Status.RelativeGap:e2}, {support.Count} of {all.Features}, pushes {result.Status.Workers[7].Pushes}");
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, Gap);
        Assert.Equal(new SortedSet<int>(Array.ConvertAll(best.Support, j => first[j])), support);
        if (intercept)
            Assert.Equal(best.Weights[^1], model.Intercept!.Value, 1e-2);
    }

    private static int[] FirstEqualColumn(SparseRows rows)
    {
        ulong[] hashes = new ulong[rows.Features];
        for (int row = 0; row < rows.Rows; row++)
        {
            for (int k = 0; k < rows.RowColumns(row).Length; k++)
                hashes[rows.RowColumns(row)[k]] = (hashes[rows.RowColumns(row)[k]] * 0x9E3779B97F4A7C15UL) + (ulong)row + BitConverter.SingleToUInt32Bits(rows.RowValues(row)[k]);
        }

        return Array.ConvertAll(hashes, hash => Array.IndexOf(hashes, hash));
    }

    private void Reached(RunResult result, string what)
    {
        output.WriteLine($"{what}: gap {result.Status.RelativeGap:e2}, pushes {result.Status.Workers[0].Pushes} and {result.Status.Workers[^1].Pushes}, passes {result.Status.Passes:0}");
        Assert.Equal("target", result.Reason);
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, Gap);
    }

    private static RunResult Train(SparseRows all, bool labelSorted, LogisticSettings settings, int slow, string policy = "async", double bursts = 0)
    {
        ITask[] tasks = Array.ConvertAll(Parts.Split(all, Workers, labelSorted, 1), part => (ITask)new LogisticTask(part, settings));
        return Run(tasks, new ServerOptions { Policy = policy, Target = Gap, Reference = Optimum(all, settings.L2), Passes = 50_000 }, slow, bursts: bursts);
    }

    private static RunResult Run(ITask[] tasks, ServerOptions options, int slow, int fast = 1, double bursts = 0)
    {
        int[] microseconds = new int[tasks.Length];
        Array.Fill(microseconds, 10_000 * fast);
        microseconds[0] = 10_000 * slow;
        return Simulated.Run(options, tasks, microseconds, bursts);
    }

    private static double Optimum(SparseRows all, double l2)
    {
        lock (Optima)
        {
            if (!Optima.TryGetValue((all.Source, l2), out double best))
                Optima[(all.Source, l2)] = best = NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), l2).Objective;
            return best;
        }
    }

    private static LogisticSettings GeneratedSettings(LocalSolver solver) => new() { L2 = 1e-3, Solver = solver };

    /// <summary>16,000 rows, 60 features; E[x x^T] and l2 give the objective a condition number of 251.</summary>
    private static SparseRows Generated()
    {
        var settings = new ClassificationSettings { Rows = 16_000, Features = 60, Density = 0.25, Condition = 1e4, Seed = 3 };
        using var file = new TempFolder();
        string path = Path.Combine(file.Path, "generated.svm");
        using (FileStream stream = File.Create(path))
            new ClassificationGenerator(settings).WriteTraining(stream, null, CancellationToken.None);
        SparseRows rows = LibsvmReader.Read(path, RowPart.All, CancellationToken.None);
        return new SparseRows("generated", rows.RowStarts.ToArray(), rows.Columns.ToArray(), rows.Values.ToArray(), rows.Labels.ToArray(), rows.Features);
    }
}
