using System;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>What the loss of a worker does to the optimum: docs/algorithms.md.</summary>
public sealed class WorkerLossTests
{
    private const double L2 = 1e-2;
    private const int Lost = 3;
    private const int Early = 150; // far from the optimum
    private const int Late = 2000; // at it

    [Theory]
    [InlineData("async", Early)]
    [InlineData("async", Late)]
    [InlineData("bsp", Early)]
    [InlineData("auto", Early)]
    [InlineData("auto", Late)]
    [InlineData("ssp:2", Late)]
    public void Evicted_the_others_reach_the_optimum_of_their_own_rows(string policy, int lostAt)
    {
        SparseRows[] parts = Data();
        SparseRows rest = Parts.Join(parts.AsSpan(0, Lost));
        RunResult result = TrainWithout(policy, WorkerLoss.Evict, lostAt, parts, new ServerOptions { Target = 1e-6, Reference = Best(rest), Passes = 100_000 });
        Assert.Equal("target ", $"{result.Reason} {result.Failure}");
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, 1e-6);
    }

    [Theory]
    [InlineData("async")]
    [InlineData("bsp")]
    public void Kept_early_the_others_end_elsewhere(string policy)
    {
        SparseRows[] parts = Data();
        SparseRows all = Parts.Join(parts), rest = Parts.Join(parts.AsSpan(0, Lost));
        RunResult result = TrainWithout(policy, WorkerLoss.Keep, Early, parts, new ServerOptions { Passes = 2000 });
        Assert.Equal("passes ", $"{result.Reason} {result.Failure}");
        double[] model = Array.ConvertAll(result.Model!, w => (double)w).AsSpan(0, all.Features).ToArray();
        double gapOfAll = Gap(all, model), gapOfRest = Gap(rest, model);
        TestContext.Current.SendDiagnosticMessage($"{policy}: the gap on all rows is {gapOfAll:g3}, on those of the workers that remain {gapOfRest:g3}");
        Assert.InRange(gapOfAll, 1e-6, 1);
        Assert.InRange(gapOfRest, 1e-6, 1);
    }

    [Fact]
    public void Kept_at_the_optimum_changes_nothing()
    {
        SparseRows[] parts = Data();
        SparseRows all = Parts.Join(parts);
        RunResult result = TrainWithout("async", WorkerLoss.Keep, Late, parts, new ServerOptions { Passes = 2000 });
        Assert.InRange(Gap(all, Array.ConvertAll(result.Model!, w => (double)w).AsSpan(0, all.Features).ToArray()), -1e-7, 1e-6);
    }

    [Theory]
    [InlineData("async")]
    [InlineData("bsp")]
    [InlineData("auto")]
    [InlineData("ssp:2")]
    public void Waited_for_and_replaced_all_reach_the_optimum_of_all_rows(string policy)
    {
        SparseRows[] parts = Data();
        SparseRows all = Parts.Join(parts);
        var options = new ServerOptions { Policy = policy, Target = 1e-6, Reference = Best(all), Passes = 100_000 };
        VirtualCluster cluster = New(options, parts);
        RunResult result = cluster.Run(20_000_000, step =>
        {
            if (step is Early or (2 * Early) or Late)
                cluster.Replace(Lost, NewTask(parts[Lost]));
        });
        Assert.Equal("target ", $"{result.Reason} {result.Failure}");
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, 1e-6);
    }

    private static RunResult TrainWithout(string policy, WorkerLoss onLoss, int lostAt, SparseRows[] parts, ServerOptions options)
    {
        VirtualCluster cluster = New(options with { Policy = policy, OnWorkerLoss = onLoss }, parts);
        return cluster.Run(20_000_000, step =>
        {
            if (step == lostAt)
                cluster.Kill(Lost);
        });
    }

    private static VirtualCluster New(ServerOptions options, SparseRows[] parts) =>
        new(5, options, Array.ConvertAll(parts, NewTask), [100, 120, 250, 100]);

    private static ITask NewTask(SparseRows rows) => new LogisticTask(rows, new LogisticSettings { L2 = L2 });

    private static SparseRows[] Data() => TrainingTests.Data(labelSorted: false).Parts;

    private static double Best(SparseRows rows) => NewtonReference.Solve(rows, BinaryLabels.Of(rows).Signs(rows), L2).Objective;

    private static double Gap(SparseRows rows, double[] model)
    {
        double best = Best(rows);
        return (NewtonReference.Objective(rows, BinaryLabels.Of(rows).Signs(rows), L2, model) - best) / best;
    }
}
