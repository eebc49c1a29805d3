using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using Xunit;

namespace HpAsyncPs.Tests.Server;

public sealed class ShardTests
{
    [Fact]
    public void Sum_after_a_million_pushes_equals_the_reconstructions()
    {
        double[] weights = [1, 977, 8139];
        var shard = new Shard(16, 1, weights, Aggregate.Mean);
        var random = new Random(3);
        float[] c = new float[16];
        for (ulong push = 0; push < 1_000_000; push++)
        {
            int rank = (int)(push % 3);
            float size = push % 1000 == 0 ? 1e4f : 1e-3f;
            for (int j = 0; j < c.Length; j++)
                c[j] = ((float)random.NextDouble() - 0.5f) * size;
            Assert.True(Push(shard, rank, (push / 3) + 1, c));
        }

        Assert.Equal(1_000_000UL, shard.Version);
        for (int j = 0; j < 16; j++)
        {
            double expected = 0, magnitude = 0;
            for (int rank = 0; rank < 3; rank++)
            {
                expected += weights[rank] * shard.ReconstructionOf(rank)[j];
                magnitude += weights[rank] * 1e4;
            }

            Assert.True(Math.Abs(expected - shard.Sum[j]) <= 1e-13 * magnitude, $"parameter {j}: {expected:R} and {shard.Sum[j]:R}");
        }
    }

    [Fact]
    public void Apply_the_same_chunk_again_changes_nothing()
    {
        var shard = new Shard(3, 1, [2.0], Aggregate.Sum);
        Assert.True(Push(shard, 0, 1, [1, 2, 3]));
        Assert.False(Push(shard, 0, 1, [1, 2, 3]));
        Assert.False(Push(shard, 0, 1, [9, 9, 9]));
        Assert.Equal([1.0, 2.0, 3.0], shard.Sum.ToArray());
        Assert.Equal(1UL, shard.Version);
    }

    [Fact]
    public void Apply_a_push_out_of_turn_is_refused_and_changes_nothing()
    {
        var shard = new Shard(3, 1, [2.0], Aggregate.Sum);
        Assert.Throws<ProtocolException>(() => Push(shard, 0, 2, [1, 2, 3]));
        Assert.Equal([0.0, 0.0, 0.0], shard.Sum.ToArray());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Apply_not_finite_is_refused_whole_and_the_next_push_still_works(float bad)
    {
        var shard = new Shard(3, 1, [2.0], Aggregate.Sum);
        ProtocolException error = Assert.Throws<ProtocolException>(() => Push(shard, 0, 1, [1, bad, 3]));
        Assert.Contains("NaN, infinity", error.Message, StringComparison.Ordinal);
        Assert.Equal([0.0, 0.0, 0.0], shard.Sum.ToArray());
        Assert.True(Push(shard, 0, 1, [1, 2, 3]));
    }

    [Fact]
    public void Apply_overflow_of_a_sum_of_finite_deltas_is_refused()
    {
        var shard = new Shard(1, 1, [2.0], Aggregate.Sum);
        Push(shard, 0, 1, [3e38f]);
        Assert.Throws<ProtocolException>(() => Push(shard, 0, 2, [3e38f]));
        Assert.True(double.IsFinite(shard.Sum[0]));
    }

    [Fact]
    public void Apply_keys_beyond_the_shard_are_refused()
    {
        var shard = new Shard(3, 1, [2.0], Aggregate.Sum);
        Assert.Throws<ProtocolException>(() => Push(shard, 0, 1, [1, 2, 3, 4]));
        Assert.Throws<ProtocolException>(() => Push(shard, 0, 1, [1, 2]));
        Assert.Throws<ProtocolException>(() => Push(shard, 0, 1, [1], begin: 2));
        Assert.Throws<ProtocolException>(() => Push(shard, 0, 1, [1, 2], flags: FrameFlags.Last));
        Assert.Equal([0.0, 0.0, 0.0], shard.Sum.ToArray());
    }

    [Fact]
    public void Publication_in_the_middle_of_a_push_says_chunk_by_chunk_what_it_contains()
    {
        const int parameters = Limits.ChunkParameters + 8;
        var shard = new Shard(parameters, 1, [1.0], Aggregate.Sum);
        Push(shard, 0, 1, Filled(Limits.ChunkParameters, 1), flags: FrameFlags.None);
        Publication publication = shard.TryPublish()!;
        Assert.Equal(1UL, publication.Contains(0, 0));
        Assert.Equal(0UL, publication.Contains(0, Limits.ChunkParameters));
        Assert.Equal((1f, 0f), (publication.Values[0], publication.Values[^1]));
        Assert.Equal(0UL, publication.Version);
        Push(shard, 0, 1, Filled(8, 1), begin: Limits.ChunkParameters);
        Assert.Equal(0f, publication.Values[^1]);
        shard.Release(publication);
        Publication next = shard.TryPublish()!;
        Assert.Equal((1UL, 1UL, 1f), (next.Version, next.Contains(0, Limits.ChunkParameters), next.Values[^1]));
        shard.Release(next);
        shard.ForgetNewest();
        Assert.Equal(0, shard.LeasedPublications);
    }

    [Fact]
    public void Publications_that_were_reserved_allocate_nothing()
    {
        var shard = new Shard(100, 1, [1.0, 1.0], Aggregate.Mean);
        shard.Reserve(2);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Publication held = shard.TryPublish()!;
        shard.ForgetNewest();
        Publication other = shard.TryPublish()!;
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotSame(held, other);
        shard.Release(held);
        shard.Release(other);
    }

    [Fact]
    public void Publication_stays_as_it_was_while_readers_hold_it_and_buffers_come_back()
    {
        var shard = new Shard(1, 1, [1.0, 1.0], Aggregate.Mean);
        Publication held = shard.TryPublish()!;
        for (ulong push = 1; push <= 100; push++)
        {
            Push(shard, 0, push, [1]);
            Publication newest = shard.TryPublish()!;
            Assert.Equal(push / 2f, newest.Values[0]);
            shard.Release(newest);
        }

        Assert.Equal(0f, held.Values[0]);
        Assert.Equal(2, shard.LeasedPublications);
        shard.Release(held);
        shard.ForgetNewest();
        Assert.Equal(0, shard.LeasedPublications);
    }

    private static float[] Filled(int count, float value)
    {
        float[] values = new float[count];
        Array.Fill(values, value);
        return values;
    }

    private static bool Push(Shard shard, int rank, ulong sequence, float[] c, int begin = 0, FrameFlags? flags = null)
    {
        var header = new FrameHeader(FrameKind.Push)
        {
            Codec = CodecId.Fp32,
            Sequence = sequence,
            KeyBegin = (ulong)begin,
            KeyCount = (uint)c.Length,
            PayloadLength = (uint)c.Length * 4,
            Flags = flags ?? (begin + c.Length == shard.Parameters ? FrameFlags.Last : FrameFlags.None),
        };
        return shard.Apply(rank, header, new ReadOnlySequence<byte>(MemoryMarshal.AsBytes(c.AsSpan()).ToArray()));
    }
}
