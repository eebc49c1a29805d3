using System;
using System.Collections.Generic;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Several servers train what one would, whatever their delays, and their model is one.</summary>
public sealed class ShardTests
{
    private const double L2 = 0.05;

    [Theory]
    [InlineData("async", "fp32", 2)]
    [InlineData("async", "fp32", 5)]
    [InlineData("async", "int8", 3)]
    [InlineData("bsp", "fp32", 3)]
    [InlineData("bsp:1", "fp32", 2)]
    [InlineData("ssp:2", "fp32", 3)]
    [InlineData("auto", "fp32", 3)]
    public void Shards_with_delays_of_their_own_end_at_the_optimum(string policy, string codec, int servers)
    {
        SparseRows all = Parts.Small();
        double best = NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), L2).Objective;
        for (int seed = 0; seed < 3; seed++)
        {
            double[] eagerness = new double[servers];
            Array.Fill(eagerness, 1);
            eagerness[^1] = 0.1; // its messages wait until hardly any other is under way
            var random = new Random(seed);
            using ShardedCluster cluster = Cluster(seed, new ServerOptions { Policy = policy, Codec = CodecSpec.Parse(codec), Target = 1e-6, Reference = best, Passes = 20_000 }, eagerness, all, out Recorder[] tasks);
            RunResult result = cluster.Run(1_000_000, e =>
            {
                if (random.Next(500) == 0 && cluster.Session(0) is { HasEnded: false })
                    cluster.Cut(0, random.Next(servers));
            });
            Assert.Equal("target ", $"{result.Reason} {result.Failure}");
            Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, 1e-6);
            Assert.Equal(tasks[0].Parameters, result.Model!.Length);
            double objective = 0;
            foreach (Recorder task in tasks)
                objective += task.Weight * task.ObjectiveAt(result.Model) / all.Rows;
            Assert.Equal(result.Objective!.Value, objective, 12); // the model is the vector that was evaluated, part by part
            for (int s = 1; s < servers; s++)
            {
                Assert.True(cluster.Server(s).HasEnded);
                Assert.Equal("target ", $"{cluster.Server(s).Result().Reason} {cluster.Server(s).Result().Failure}");
            }
        }
    }

    [Fact]
    public void Workers_evaluate_one_vector_whatever_the_servers_delays()
    {
        SparseRows all = Parts.Small();
        using ShardedCluster cluster = Cluster(4, new ServerOptions { Policy = "async", Passes = 3_000 }, [1, 0.05, 1], all, out Recorder[] tasks);
        RunResult result = cluster.Run(400_000);
        Assert.Equal("passes", result.Reason);
        Assert.True(tasks[0].Evaluated.Count > 3);
        foreach (Recorder task in tasks)
        {
            Assert.Equal(tasks[0].Evaluated.Count, task.Evaluated.Count);
            for (int j = 0; j < task.Evaluated.Count; j++)
                Assert.Equal(tasks[0].Evaluated[j], task.Evaluated[j]);
        }

        Assert.Equal(tasks[0].Evaluated[^1], result.Model);
    }

    /// <summary>Behind a barrier nothing depends on who is late: the rounds are those of one server.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Bsp_of_several_servers_is_bsp_of_one(int servers)
    {
        SparseRows all = Parts.Small();
        var options = new ServerOptions { Policy = "bsp", Passes = 60 };
        using ShardedCluster one = Cluster(1, options, [1], all, out Recorder[] expected), several = Cluster(2, options, Ones(servers), all, out Recorder[] actual);
        one.Run(400_000);
        several.Run(400_000);
        for (int rank = 0; rank < expected.Length; rank++)
        {
            Assert.True(expected[rank].Stepped.Count > 40 && actual[rank].Stepped.Count > 40);
            for (int step = 0; step < 40; step++)
                Assert.Equal(expected[rank].Stepped[step], actual[rank].Stepped[step], static (a, b) => Math.Abs(a - b) <= 1e-6f);
        }
    }

    [Fact]
    public void Model_is_collected_from_another_worker_when_one_goes()
    {
        SparseRows all = Parts.Small();
        using ShardedCluster cluster = Cluster(3, new ServerOptions { Policy = "async", Passes = 30 }, [1, 1], all, out Recorder[] tasks);
        int cuts = 0;
        RunResult result = cluster.Run(400_000, _ =>
        {
            for (int rank = 0; rank < tasks.Length; rank++)
            {
                if (cluster.First.Status().Phase == "Collecting" && cluster.Session(rank) is { WantsModel: true } && cuts < 2)
                {
                    cuts++;
                    cluster.Cut(rank, 0);
                }
            }
        });
        Assert.Equal(2, cuts);
        Assert.Equal("passes ", $"{result.Reason} {result.Failure}");
        Assert.Equal(tasks[0].Evaluated[^1], result.Model);
    }

    /// <summary>A refusal is that worker's affair: the servers after the first do not take it for the end of the job.</summary>
    [Fact]
    public void Job_goes_on_without_a_worker_that_the_first_server_alone_refuses()
    {
        SparseRows all = Parts.Small();
        using ShardedCluster cluster = Cluster(5, new ServerOptions { Policy = "async", Passes = 100, OnWorkerLoss = WorkerLoss.Keep }, [1, 1], all, out Recorder[] tasks);
        tasks[0].BreaksAt = 10;
        RunResult result = cluster.Run(400_000);
        Assert.Equal("passes ", $"{result.Reason} {result.Failure}");
        Assert.Equal([0], result.Status.Lost);
        Assert.Equal(tasks[1].Evaluated[^1], result.Model);
        Assert.True(cluster.Server(1).HasEnded);
    }

    /// <summary>Between the look and the taking another evaluation may have begun: parts of two are no vector.</summary>
    [Fact]
    public void Evaluation_of_which_parts_are_missing_is_not_taken()
    {
        SparseRows all = Parts.Small();
        using ShardedCluster cluster = Cluster(6, new ServerOptions { Policy = "async", Passes = 200 }, [1, 0.05], all, out Recorder[] tasks);
        int missing = 0;
        RunResult result = cluster.Run(400_000, _ =>
        {
            for (int rank = 0; rank < tasks.Length; rank++)
            {
                if (cluster.Session(rank) is not { AwaitsEvaluation: true } session)
                    continue;
                missing++;
                Assert.False(session.TryTakeEvaluation(out ReadOnlySpan<float> vector));
                Assert.True(vector.IsEmpty);
            }
        });
        Assert.True(missing > 0);
        Assert.Equal("passes ", $"{result.Reason} {result.Failure}");
        Assert.Equal(tasks[0].Evaluated[^1], result.Model);
    }

    [Fact]
    public void Model_is_collected_from_another_worker_when_one_is_silent()
    {
        SparseRows all = Parts.Small();
        using ShardedCluster cluster = Cluster(3, new ServerOptions { Policy = "async", Passes = 30 }, [1, 1], all, out Recorder[] tasks);
        RunResult result = cluster.Run(400_000, _ =>
        {
            for (int rank = 0; cluster.Mute < 0 && rank < tasks.Length; rank++)
                cluster.Mute = cluster.Session(rank) is { WantsModel: true } ? rank : -1; // the one that is asked first
        });
        Assert.True(cluster.Mute >= 0);
        Assert.Equal("passes ", $"{result.Reason} {result.Failure}");
        Assert.Equal(tasks[0].Evaluated[^1], result.Model);
    }

    [Theory]
    [InlineData(7, 1, 3, new double[0], new[] { 0, 3, 5, 7 })]
    [InlineData(12, 4, 3, new double[0], new[] { 0, 4, 8, 12 })]
    [InlineData(20, 4, 2, new double[0], new[] { 0, 12, 20 })]
    [InlineData(8, 4, 3, new double[0], null)]
    [InlineData(100, 1, 2, new[] { 3.0, 1.0 }, new[] { 0, 35, 100 })] // 2.2 of 4.4 are in the first 35 rows, with 0.004 for a row that nobody pushes
    [InlineData(100, 1, 4, new[] { 0.0, 0.0, 0.0, 9.0 }, new[] { 0, 80, 87, 94, 100 })]
    [InlineData(4, 1, 4, new[] { 1.0, 0.0, 0.0, 0.0 }, new[] { 0, 1, 2, 3, 4 })]
    [InlineData(4, 1, 3, new[] { 0.0, 0.0, 0.0, 1.0 }, new[] { 0, 2, 3, 4 })]
    public void Rows_are_whole_and_loads_spread_evenly(int parameters, int rowLength, int servers, double[] loads, int[]? bounds) =>
        Assert.Equal(bounds, new ShardIndex(0, servers).Cut(parameters, rowLength, loads));

    [Fact]
    public void Loads_of_random_cuts_are_within_a_slice_of_even()
    {
        var random = new Random(3);
        for (int j = 0; j < 2_000; j++)
        {
            int servers = 1 + random.Next(9), rows = servers + random.Next(400), length = 1 + random.Next(5), slices = random.Next(Math.Min(rows, 40) + 1);
            double[] loads = new double[slices];
            for (int slice = 0; slice < slices; slice++)
                loads[slice] = random.Next(3) == 0 ? 0 : random.Next(1_000);
            int[] bounds = new ShardIndex(0, servers).Cut(rows * length, length, loads)!;
            Assert.Equal(servers + 1, bounds.Length);
            Assert.Equal((0, rows * length), (bounds[0], bounds[^1]));
            for (int s = 0; s < servers; s++)
                Assert.True(bounds[s] < bounds[s + 1] && bounds[s] % length == 0);
        }
    }

    [Theory]
    [InlineData("3/3")]
    [InlineData("-1/3")]
    [InlineData("0/0")]
    [InlineData("0/65")]
    [InlineData("1")]
    [InlineData("a/b")]
    public void What_is_no_shard_is_refused(string text) => Assert.Throws<FormatException>(() => ShardIndex.Parse(text));

    private static double[] Ones(int count)
    {
        double[] ones = new double[count];
        Array.Fill(ones, 1);
        return ones;
    }

    private static ShardedCluster Cluster(int seed, ServerOptions options, double[] eagerness, SparseRows all, out Recorder[] tasks)
    {
        tasks = Array.ConvertAll(Parts.Split(all, 3, labelSorted: false, 1), static part => new Recorder(new LogisticTask(part, new LogisticSettings { L2 = L2 })));
        return new ShardedCluster(seed, options, eagerness, tasks, [100, 100, 800]);
    }
}
