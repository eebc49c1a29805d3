using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Buffers;
using Xunit;

namespace HpAsyncPs.Tests.Buffers;

public sealed class PoolTests
{
    [Fact]
    public void FloatPool_that_has_reserved_allocates_nothing_for_leases_and_takes_no_more_than_its_limit()
    {
        var pool = new FloatPool(1000, 3, "a test");
        pool.Reserve(5);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FloatBuffer a = pool.Lease(), b = pool.Lease(), c = pool.Lease();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Null(pool.TryLease());
        a.Dispose();
        b.Dispose();
        c.Dispose();
    }

    [Fact]
    public void FloatPool_beyond_limit_is_refused_until_a_lease_ends()
    {
        var pool = new FloatPool(10, 2, "the test");
        FloatBuffer a = pool.Lease();
        pool.Lease();
        Assert.Null(pool.TryLease());
        Assert.Contains("the test", Assert.Throws<InvalidOperationException>(() => pool.Lease()).Message, StringComparison.Ordinal);
        a.Dispose();
        Assert.Equal(1, pool.Leased);
        Assert.Same(a, pool.Lease());
    }

    [Fact]
    public void FloatBuffer_disposed_twice_throws_and_use_after_dispose_throws()
    {
        var pool = new FloatPool(10, 2, "the test");
        FloatBuffer a = pool.Lease();
        a.Dispose();
        Assert.Throws<InvalidOperationException>(a.Dispose);
        Assert.Throws<ObjectDisposedException>(() => a.Span.Length);
        Assert.Equal(0, pool.Leased);
    }

    [Fact]
    public void FloatBuffer_memory_is_aligned_and_as_long_as_asked()
    {
        foreach (int length in new[] { 1, 7, 16, 1000, 262_145 })
        {
            using FloatBuffer buffer = new FloatPool(length, 1, "the test").Lease();
            Assert.Equal(length, buffer.Span.Length);
            Assert.True(IsAligned(buffer.Span), $"length {length}");
        }
    }

    [Fact]
    public void SlabPool_allocates_nothing_for_as_many_blocks_as_were_reserved()
    {
        using var pool = new SlabPool(1000);
        pool.Reserve(300);
        Assert.Equal(0, pool.Leased);
        var blocks = new IMemoryOwner<byte>[300];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 3; round++)
        {
            for (int j = 0; j < blocks.Length; j++)
                blocks[j] = pool.Rent();
            for (int j = 0; j < blocks.Length; j++)
                blocks[j].Dispose();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void SlabPool_beyond_limit_throws_and_blocks_come_back_once()
    {
        using var pool = new SlabPool(2);
        IMemoryOwner<byte> a = pool.Rent(), b = pool.Rent(SlabPool.BlockBytes);
        Assert.Throws<InvalidOperationException>(() => pool.Rent());
        a.Dispose();
        a.Dispose();
        b.Dispose();
        Assert.Equal(0, pool.Leased);
        Assert.Throws<InvalidOperationException>(() => pool.Rent(SlabPool.BlockBytes + 1));
    }

    private static unsafe bool IsAligned(Span<float> span)
    {
        fixed (float* p = &MemoryMarshal.GetReference(span))
            return (nint)p % 64 == 0;
    }
}
