using System;
using System.Threading;
using Microsoft.Extensions.ObjectPool;

namespace HpAsyncPs.Buffers;

/// <summary>
/// Leases float buffers of one length, at most <c>limit</c> at a time. Thread-safe. Memory is taken on first use
/// and kept; after warm-up a lease allocates nothing.
/// </summary>
public sealed class FloatPool
{
    private readonly DefaultObjectPool<FloatBuffer> _free;
    private readonly string _users;
    private int _leased;

    /// <param name="length">Floats in each buffer.</param>
    /// <param name="limit">Buffers that may be leased at a time: the sum over the pool's users.</param>
    /// <param name="users">Who those users are; named when the limit is hit.</param>
    public FloatPool(int length, int limit, string users)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        Length = length;
        Limit = limit;
        _users = users;
        _free = new DefaultObjectPool<FloatBuffer>(new Policy(this), limit);
    }

    /// <summary>Floats in each buffer.</summary>
    public int Length { get; }

    /// <summary>Most buffers leased at a time.</summary>
    public int Limit { get; }

    /// <summary>Buffers leased now.</summary>
    public int Leased => Volatile.Read(ref _leased);

    /// <summary>Leases a buffer, or returns null when the limit is reached.</summary>
    public FloatBuffer? TryLease()
    {
        if (Interlocked.Increment(ref _leased) > Limit)
        {
            Interlocked.Decrement(ref _leased);
            return null;
        }

        FloatBuffer buffer = _free.Get();
        buffer.Lease();
        return buffer;
    }

    /// <summary>Leases a buffer.</summary>
    /// <exception cref="InvalidOperationException">The limit is reached: a user took more than its share.</exception>
    public FloatBuffer Lease() => TryLease()
        ?? throw new InvalidOperationException($"All {Limit} buffers of {Length} floats are leased ({_users}).");

    /// <summary>Takes the memory of so many buffers from the system now, as far as the limit allows, so that nobody has to later.</summary>
    public void Reserve(int buffers)
    {
        var taken = new FloatBuffer[Math.Clamp(Limit - Leased, 0, buffers)];
        for (int j = 0; j < taken.Length; j++)
            taken[j] = Lease();
        foreach (FloatBuffer buffer in taken)
            buffer.Dispose();
    }

    internal void Return(FloatBuffer buffer)
    {
        _free.Return(buffer);
        Interlocked.Decrement(ref _leased);
    }

    private sealed class Policy(FloatPool pool) : PooledObjectPolicy<FloatBuffer>
    {
        public override FloatBuffer Create() => new(pool, pool.Length);

        public override bool Return(FloatBuffer obj) => true;
    }
}
