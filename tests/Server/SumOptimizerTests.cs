using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Policies;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>Policy asp:sum at the shard: each chunk is validated whole, where it was received, then added.</summary>
public sealed class SumOptimizerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(-0.37)]
    public void Pushes_cut_anywhere_give_the_bits_of_a_plain_loop(double sign)
    {
        const int parameters = 37;
        double rate = Math.Abs(sign);
        Shard shard = Started(parameters, rate);
        var random = new Random(8);
        double[] x = new double[parameters];
        for (int cut = 0; cut <= parameters * sizeof(float); cut++)
        {
            float[] push = new float[parameters];
            for (int j = 0; j < parameters; j++)
                push[j] = (float)(sign * random.NextDouble() * Math.Pow(10, random.Next(-6, 6)));
            Assert.True(Push(shard, (ulong)cut + 1, push, cut));
            for (int j = 0; j < parameters; j++)
                x[j] += rate * push[j];
        }

        Assert.Equal(x, shard.Sum.ToArray());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Not_finite_is_refused_whole_wherever_it_is_and_the_next_push_works(float bad)
    {
        const int parameters = 40;
        Shard shard = Started(parameters, 1);
        float[] ones = new float[parameters];
        Array.Fill(ones, 1);
        for (int at = 0; at < parameters; at++)
        {
            float[] push = (float[])ones.Clone();
            push[at] = bad;
            Assert.Throws<ProtocolException>(() => Push(shard, 1, push, (4 * at) + 2));
        }

        Assert.Equal(new double[parameters], shard.Sum.ToArray());
        Assert.True(Push(shard, 1, ones, 6));
        Assert.Equal(1.0, shard.Sum[39]);
    }

    [Fact]
    public void Sum_out_of_the_range_of_a_float_is_refused_whole_and_one_in_it_is_not()
    {
        Shard shard = Started(2, 1);
        Push(shard, 1, [3e38f, 5], 3);
        Assert.Throws<ProtocolException>(() => Push(shard, 2, [1e38f, 7], 3));
        Assert.Equal([3e38f, 5.0], shard.Sum.ToArray());
        Push(shard, 2, [-3e38f, 1], 3); // magnitudes add up to more; the sums do not
        Push(shard, 3, [3e38f, 1], 3);
        Assert.Equal([3e38f, 7.0], shard.Sum.ToArray());
        Assert.Throws<ProtocolException>(() => Push(shard, 4, [1e38f, 1], 3));
        Assert.Equal([3e38f, 7.0], shard.Sum.ToArray());
    }

    [Fact]
    public void Nothing_is_allocated_for_a_push_in_pieces()
    {
        Shard shard = Started(1000, 1);
        byte[] bytes = MemoryMarshal.AsBytes(new float[1000].AsSpan()).ToArray();
        ReadOnlySequence<byte> pieces = Pieces.Of(bytes[..1001], bytes[1001..]);
        ulong sequence = 0;
        Repeat();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Repeat();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Repeat()
        {
            for (int push = 0; push < 100; push++)
                shard.Apply(0, Header(++sequence, 1000), pieces);
        }
    }

    private static Shard Started(int parameters, double rate)
    {
        AspPolicy policy = AspPolicy.Parse(AspPolicy.Sum);
        Assert.Equal(1, policy.Optimizer!.DefaultRate(0, 3));
        policy.Optimizer.Start(parameters, Limits.ChunkParameters, rate);
        return new Shard(parameters, 1, [1.0], Aggregate.Optimized, policy.Optimizer);
    }

    private static bool Push(Shard shard, ulong sequence, float[] values, int cut)
    {
        byte[] bytes = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        return shard.Apply(0, Header(sequence, values.Length), Pieces.Of(bytes[..cut], bytes[cut..]));
    }

    private static FrameHeader Header(ulong sequence, int parameters) => new(FrameKind.Push)
    {
        Codec = CodecId.Fp32,
        Flags = FrameFlags.Last,
        Sequence = sequence,
        KeyCount = (uint)parameters,
    };
}
