using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace HpAsyncPs.Buffers;

/// <summary>
/// A lease of pinned, 64-byte aligned float memory. Owned once, disposed once: disposing returns it to its
/// <see cref="FloatPool"/>; a second disposal throws, because it would hand the same memory to two owners.
/// The content is whatever the last owner left.
/// </summary>
public sealed class FloatBuffer : IDisposable
{
    private const int Alignment = 64;

    private readonly FloatPool _pool;
    private readonly Memory<float> _memory;
    private int _leased;

    internal FloatBuffer(FloatPool pool, int length)
    {
        _pool = pool;
        float[] array = GC.AllocateArray<float>(length + (Alignment / sizeof(float)), pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        int skip = (int)((Alignment - (address & (Alignment - 1))) & (Alignment - 1)) / sizeof(float);
        _memory = array.AsMemory(skip, length);
    }

    /// <summary>Number of floats.</summary>
    public int Length => _memory.Length;

    /// <summary>The floats. Throws when the lease has ended.</summary>
    public Span<float> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _leased) == 0, this);
            return _memory.Span;
        }
    }

    /// <summary>Ends the lease.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _leased, 0) == 0)
#pragma warning disable CA1065 // A silent second return would corrupt somebody's parameters.
            throw new InvalidOperationException("This buffer was already returned to its pool: a lease is disposed once.");
#pragma warning restore CA1065
        _pool.Return(this);
    }

    internal void Lease() => Volatile.Write(ref _leased, 1);
}
