using System;
using System.Buffers;
using System.Collections.Generic;
using System.Threading;

namespace HpAsyncPs.Buffers;

/// <summary>
/// The memory that pipes are made of: pinned blocks of <see cref="BlockBytes"/>, at most <c>limit</c> at a time.
/// Pinned once, so the kernel's copy never waits for a pin. Thread-safe; allocates nothing after warm-up.
/// </summary>
public sealed class SlabPool : MemoryPool<byte>
{
    /// <summary>Bytes in a block.</summary>
    public const int BlockBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Stack<Block> _free = new(); // what came back last goes out first: it is still in the cache
    private readonly int _limit;
    private int _made;
    private int _leased;

    /// <param name="limit">Blocks that may be leased at a time.</param>
    public SlabPool(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        _limit = limit;
    }

    /// <summary>Blocks leased now.</summary>
    public int Leased => Volatile.Read(ref _leased);

    /// <summary>Blocks that may be leased at a time.</summary>
    public int Limit => _limit;

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The limit is reached, or a block is too small for the request.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        if (minBufferSize > BlockBytes)
            throw new InvalidOperationException($"A block has {BlockBytes} bytes; {minBufferSize} were asked for.");
        Block? block;
        lock (_gate)
        {
            if (_leased == _limit)
                throw new InvalidOperationException($"All {_limit} blocks of {BlockBytes / 1024} KiB for connections are leased.");
            if (!_free.TryPop(out block))
            {
                block = new Block(this);
                _free.EnsureCapacity(++_made); // it need not grow when blocks come back
            }

            _leased++;
        }

        block.Lease();
        return block;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }

    /// <summary>Takes the memory of so many blocks from the system now, as far as the limit allows, so that nobody has to later.</summary>
    public void Reserve(int blocks)
    {
        var taken = new IMemoryOwner<byte>[Math.Clamp(_limit - Leased, 0, blocks)];
        for (int j = 0; j < taken.Length; j++)
            taken[j] = Rent();
        foreach (IMemoryOwner<byte> block in taken)
            block.Dispose();
    }

    private void Return(Block block)
    {
        lock (_gate)
        {
            _free.Push(block);
            _leased--;
        }
    }

    private sealed class Block(SlabPool pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);
        private int _leased;

        public Memory<byte> Memory => _bytes;

        public void Lease() => Volatile.Write(ref _leased, 1);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _leased, 0) == 1)
                pool.Return(this);
        }
    }
}
