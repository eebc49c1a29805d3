using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Optimizers;
using HpAsyncPs.Server.Policies;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>Policy asp at the server: optimisers, exactly once, who may join.</summary>
public sealed class OptimizerTests
{
    private const double Rate = 0.03;

    private delegate void Reference(float[] gradient, double[] x, double[] a, double[] b, int t);

    [Theory]
    [InlineData("sgd")]
    [InlineData("adagrad")]
    [InlineData("adam")]
    public void Gradients_of_two_workers_in_pieces_give_the_bits_of_a_plain_loop(string name)
    {
        const int parameters = 37;
        IServerOptimizer optimizer = Of(name);
        optimizer.Start(parameters, Limits.ChunkParameters, Rate);
        var shard = new Shard(parameters, 1, [1, 3], Aggregate.Optimized, optimizer);
        var random = new Random(4);
        double[] x = new double[parameters], a = new double[parameters], b = new double[parameters];
        for (int t = 1; t <= 500; t++)
        {
            float[] gradient = Draw(random, parameters);
            Assert.True(Push(shard, t % 2, (ulong)((t + 1) / 2), gradient, pieces: t % 3 == 0));
            ReferenceOf(name)(gradient, x, a, b, t);
        }

        Assert.Equal(x, shard.Sum.ToArray());
        Publication publication = shard.TryPublish()!;
        Assert.Equal((float)x[5], publication.Values[5]);
        shard.Release(publication);
    }

    [Fact]
    public void Adam_chunks_that_interleave_count_their_own_gradients()
    {
        const int parameters = Limits.ChunkParameters + 3;
        IServerOptimizer optimizer = Of("adam");
        optimizer.Start(parameters, Limits.ChunkParameters, Rate);
        var shard = new Shard(parameters, 1, [1, 1], Aggregate.Optimized, optimizer);
        float[] first = new float[Limits.ChunkParameters];
        first[7] = 2;
        Push(shard, 0, 1, first, flags: FrameFlags.None);
        Push(shard, 1, 1, first, flags: FrameFlags.None);
        Push(shard, 0, 1, [1, 1, 1], begin: Limits.ChunkParameters);
        double[] x = new double[1], a = new double[1], b = new double[1];
        ReferenceOf("adam")([1], x, a, b, 1);
        Assert.Equal(x[0], shard.Sum[Limits.ChunkParameters]);
        (x[0], a[0], b[0]) = (0, 0, 0);
        ReferenceOf("adam")([2], x, a, b, 1);
        ReferenceOf("adam")([2], x, a, b, 2);
        Assert.Equal(x[0], shard.Sum[7]);
    }

    [Fact]
    public void Gradients_that_are_delivered_twice_are_applied_once()
    {
        var time = new FakeTimeProvider();
        var network = new SeededNetwork(3, 0.5, new ServerOptions { Workers = 2, Policy = "asp", Rate = 1, Evaluates = false }, time);
        WorkerSession a = network.Connect(Options(1), time), b = network.Connect(Options(1), time);
        network.DeliverAll();
        for (int push = 1; push <= 200; push++)
        {
            Assert.True(a.TryPush([push], push));
            Assert.True(b.TryPush([-2f], push));
            a.Pull();
            b.Pull();
            network.DeliverAll();
            a.TakeCorrected();
            b.TakeCorrected();
        }

        Assert.True(network.Duplicated > 100);
        Assert.Equal((200 * 2) - (200 * 201 / 2), network.Server.Sum[0]);
        a.Pull();
        network.DeliverAll();
        Assert.Equal((float)network.Server.Sum[0], a.TakeCorrected()[0]);
        Assert.True(a.TryPush([5], 201)); // its own gradient is not guessed into what it sees
        Assert.Equal((float)network.Server.Sum[0], a.TakeCorrected()[0]);
    }

    [Theory]
    [InlineData("asp:adam", Aggregate.Mean, 1, "takes gradients, which this worker does not push")]
    [InlineData("async", Aggregate.Optimized, 1, "pushes gradients, which the server's policy does not take")]
    [InlineData("asp", Aggregate.Optimized, 2, "ask for a row length of 1")]
    public void Worker_that_does_not_fit_the_policy_is_told_what_to_start(string policy, Aggregate aggregate, int rowLength, string says)
    {
        var time = new FakeTimeProvider();
        var network = new SeededNetwork(1, 0, new ServerOptions { Policy = policy, Evaluates = false }, time);
        WorkerSession worker = network.Connect(Options(2) with { Aggregate = aggregate, RowLength = rowLength }, time);
        network.DeliverAll();
        Assert.Contains(says, worker.Failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("asp", new double[0], "give the server a --rate")]
    [InlineData("asp", new double[] { 4 }, null)]
    [InlineData("asp:adam", new double[0], null)]
    public void Rate_that_nobody_gives_comes_from_the_data_or_is_asked_for(string policy, double[] agreed, string? failure)
    {
        var time = new FakeTimeProvider();
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 2, Policy = policy, Evaluates = false }, time);
        for (int rank = 0; rank < 2; rank++)
            network.Connect(Options(1) with { Agreed = agreed }, time);
        network.DeliverAll();
        RunResult result = network.Server.Result();
        if (failure is null)
            Assert.Contains(result.Settings, setting => setting.Key == "rate" && setting.Value == (agreed.Length > 0 ? "0.125" : "0.001"));
        else
            Assert.Contains(failure, result.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Not_finite_gradient_is_refused_and_a_model_out_of_range_blames_the_rate()
    {
        IServerOptimizer optimizer = Of("sgd");
        optimizer.Start(1, Limits.ChunkParameters, 1e6);
        var shard = new Shard(1, 1, [1.0], Aggregate.Optimized, optimizer);
        Assert.Throws<ProtocolException>(() => Push(shard, 0, 1, [float.NaN]));
        Assert.Equal(0, shard.Sum[0]);
        Assert.Contains("smaller --rate", Assert.Throws<ProtocolException>(() => Push(shard, 0, 1, [3e38f])).Message, StringComparison.Ordinal);
    }

    private static WorkerOptions Options(int parameters) => new() { Parameters = parameters, Aggregate = Aggregate.Optimized };

    private static IServerOptimizer Of(string name) => PolicyNames.Create("asp:" + name).Optimizer!;

    private static Reference ReferenceOf(string name) => name switch
    {
        "sgd" => (g, x, a, b, t) =>
        {
            for (int j = 0; j < g.Length; j++)
                x[j] -= Rate * g[j];
        }
        ,
        "adagrad" => (g, x, a, b, t) =>
        {
            for (int j = 0; j < g.Length; j++)
            {
                a[j] += (double)g[j] * g[j];
                x[j] -= Rate * g[j] / (Math.Sqrt(a[j]) + 1e-10);
            }
        }
        ,
        _ => (g, x, a, b, t) =>
        {
            for (int j = 0; j < g.Length; j++)
            {
                a[j] = (0.9 * a[j]) + ((1 - 0.9) * g[j]);
                b[j] = (0.999 * b[j]) + ((1 - 0.999) * g[j] * g[j]);
                double mean = a[j] / (1 - Math.Pow(0.9, t)), square = b[j] / (1 - Math.Pow(0.999, t));
                x[j] -= Rate * mean / (Math.Sqrt(square) + 1e-8);
            }
        }
        ,
    };

    private static float[] Draw(Random random, int count)
    {
        float[] values = new float[count];
        for (int j = 0; j < count; j++)
            values[j] = (float)random.NextDouble() - 0.3f;
        return values;
    }

    private static bool Push(Shard shard, int rank, ulong sequence, float[] values, int begin = 0, FrameFlags flags = FrameFlags.Last, bool pieces = false)
    {
        byte[] bytes = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        var header = new FrameHeader(FrameKind.Push)
        {
            Codec = CodecId.Fp32,
            Flags = flags,
            Sequence = sequence,
            KeyBegin = (ulong)begin,
            KeyCount = (uint)values.Length,
        };
        return shard.Apply(rank, header, pieces ? Pieces.Of(bytes[..5], bytes[5..]) : new ReadOnlySequence<byte>(bytes));
    }
}
