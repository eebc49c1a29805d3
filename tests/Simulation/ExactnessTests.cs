using System;
using System.IO;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>The optimum of all data together, to 1e-6, whatever the speeds and however the data is dealt out; nothing is tuned.</summary>
public sealed class ExactnessTests(ITestOutputHelper output)
{
    private const double Gap = 1e-6;

    [Theory]
    [InlineData(0, false, 1, 40, 40)]
    [InlineData(0, false, 4, 12, 60)]
    [InlineData(0, false, 8, 14, 112)]
    [InlineData(0, false, 30, 14, 420)]
    [InlineData(1e-3, false, 1, 40, 40)]
    [InlineData(1e-3, false, 8, 14, 112)]
    [InlineData(1e-3, false, 30, 14, 420)]
    [InlineData(1e-3, true, 1, 100, 100)]
    [InlineData(1e-3, true, 8, 14, 112)]
    [InlineData(1e-3, true, 30, 14, 420)]
    [InlineData(0, true, 1, 150, 150)]
    public void A9a_reaches_the_optimum_within_few_pushes(double l2, bool labelSorted, int slow, ulong mostOfSlow, ulong mostOfOthers)
    {
        SparseRows all = A9a();
        l2 = l2 == 0 ? 1.0 / all.Rows : l2;
        RunResult result = Train(all, Parts.Split(all, 8, labelSorted, 1), new LogisticSettings { L2 = l2 }, slow);
        output.WriteLine($"l2 {l2:g3} sorted {labelSorted} slow {slow}: gap {result.Status.RelativeGap:e2}, pushes {result.Status.Workers[0].Pushes} and {result.Status.Workers[7].Pushes}, passes {result.Status.Passes:0}");
        Assert.Equal("target", result.Reason);
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, Gap);
        Assert.InRange(result.Status.Workers[0].Pushes, 1UL, mostOfSlow);
        for (int rank = 1; rank < 8; rank++)
            Assert.InRange(result.Status.Workers[rank].Pushes, 1UL, mostOfOthers);
    }

    private static RunResult Train(SparseRows all, SparseRows[] parts, LogisticSettings settings, int slow)
    {
        double best = NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), settings.L2).Objective;
        ITask[] tasks = Array.ConvertAll(parts, part => (ITask)new LogisticTask(part, settings));
        int[] microseconds = new int[parts.Length];
        Array.Fill(microseconds, 10_000);
        microseconds[0] *= slow;
        return new VirtualCluster(1, new ServerOptions { Policy = "async", Target = Gap, Reference = best, Passes = 20_000 }, tasks, microseconds).Run(20_000_000);
    }

    private static SparseRows A9a()
    {
        string file = DataFolder.PathOf("a9a/a9a.svm.gz");
        return LibsvmReader.Read(file, RowPart.All, CancellationToken.None);
    }
}
