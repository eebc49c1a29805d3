using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO.Hashing;
using System.Threading;

namespace HpAsyncPs.Server.Durability;

/// <summary>
/// Records on their way to a disk: one thread appends, which costs it a copy, another checksums and writes. Positions count bytes from the first record
/// on. The memory is a fixed number of blocks; the block that was written last is filled next, so that a disk that keeps up uses few of them, and
/// those are in the cache. A record lies within one block.
/// </summary>
internal sealed class RecordQueue
{
    /// <summary>Bytes of a block: the largest record, and the end of a checkpoint behind it.</summary>
    public const int BlockBytes = DiskRecord.MostBytes + DiskRecord.HeadBytes + sizeof(ulong);

    private readonly Lock _gate = new(); // guards the two below, and Start, End and Closed of blocks where they change
    private readonly Stack<Block> _free;
    private readonly Queue<Block> _filled;
    private Block _current; // the appender's
    private long _end;
    private long _begin;

    /// <param name="blocks">How many, at least 1.</param>
    /// <param name="start">Position of the first record.</param>
    public RecordQueue(int blocks, long start)
    {
        _free = new Stack<Block>(blocks);
        _filled = new Queue<Block>(blocks);
        for (int j = 1; j < blocks; j++)
            _free.Push(new Block());
        _current = new Block { Start = start };
        _filled.Enqueue(_current);
        _end = _begin = start;
    }

    /// <summary>Position after the last record.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Position of the first record that is still here: all before are written.</summary>
    public long Begin => Volatile.Read(ref _begin);

    /// <summary>Forgets what is here, and begins anew at position 0. No other thread uses it.</summary>
    public void Restart()
    {
        while (_filled.Count > 1)
            _free.Push(_filled.Dequeue());
        _current.Start = _end = _begin = 0;
    }

    /// <summary>Appender: is there room for a record of that many bytes?</summary>
    public bool HasRoom(int size)
    {
        if (_current.Room(_end) >= size || Begin == _end)
            return true;
        lock (_gate)
            return _free.Count > 0;
    }

    /// <summary>Appender: copies a record whose body is in pieces; there is room.</summary>
    public void Append(RecordKind kind, ReadOnlySpan<byte> first, in ReadOnlySequence<byte> rest)
    {
        int length = checked(first.Length + (int)rest.Length);
        int size = DiskRecord.SizeOf(length);
        if (_current.Room(_end) < size)
            NextBlock();
        Span<byte> record = _current.From(_end)[..size];
        BinaryPrimitives.WriteInt64LittleEndian(record[DiskRecord.PositionOffset..], _end);
        BinaryPrimitives.WriteUInt64LittleEndian(record[DiskRecord.LengthOffset..], DiskRecord.LengthAndKind(length, kind));
        Span<byte> at = record[DiskRecord.HeadBytes..];
        first.CopyTo(at);
        at = at[first.Length..];
        foreach (ReadOnlyMemory<byte> piece in rest)
        {
            piece.Span.CopyTo(at);
            at = at[piece.Length..];
        }

        at.Clear();
        Volatile.Write(ref _end, _end + size);
    }

    /// <summary>Writer: seals records from <see cref="Begin"/> on, up to a number of bytes or one record; they lie in a row.</summary>
    /// <param name="most">Bytes, about.</param>
    /// <param name="until">No record ends after this position, unless it begins at <paramref name="free"/>.</param>
    /// <param name="free">See <paramref name="until"/>.</param>
    /// <param name="seed">Of the checksums.</param>
    /// <returns>The records, none if the first would end after <paramref name="until"/>; <see cref="Release"/> gives their room back.</returns>
    public ReadOnlySpan<byte> Seal(int most, long until, long free, long seed)
    {
        (Block block, long end) = Head();
        long begin = _begin, to = begin;
        while (to < end && to - begin < most)
        {
            Span<byte> record = block.From(to);
            record = record[..DiskRecord.SizeOf(BinaryPrimitives.ReadInt32LittleEndian(record[DiskRecord.LengthOffset..]))];
            if (to + record.Length > until && to > free)
                break;
            BinaryPrimitives.WriteUInt64LittleEndian(record, XxHash3.HashToUInt64(record[DiskRecord.PositionOffset..], seed));
            to += record.Length;
        }

        return block.From(begin)[..(int)(to - begin)];
    }

    /// <summary>Writer: so many bytes from <see cref="Begin"/> on are written.</summary>
    public void Release(int bytes)
    {
        Volatile.Write(ref _begin, _begin + bytes);
        _ = Head(); // gives back the block if that was its last record
    }

    /// <summary>Writer: the block of the first record, and where the records in it end.</summary>
    private (Block Block, long End) Head()
    {
        lock (_gate)
        {
            while (_filled.Peek() is { Closed: true } done && done.End <= _begin)
                _free.Push(_filled.Dequeue());
            Block head = _filled.Peek();
            return (head, head.Closed ? head.End : End);
        }
    }

    private void NextBlock()
    {
        lock (_gate)
        {
            if (Begin == _end)
            {
                _current.Start = _end; // nothing of it waits any more: begin it anew
                return;
            }

            _current.End = _end;
            _current.Closed = true;
            _current = _free.Pop();
            _current.Start = _end;
            _current.Closed = false;
            _filled.Enqueue(_current);
        }
    }

    private sealed class Block
    {
        private readonly byte[] _memory = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);

        public long Start { get; set; }

        /// <summary>Of the last record, once it is closed: the appender fills another.</summary>
        public long End { get; set; }

        public bool Closed { get; set; }

        public long Room(long end) => BlockBytes - (end - Start);

        public Span<byte> From(long position) => _memory.AsSpan((int)(position - Start));
    }
}
