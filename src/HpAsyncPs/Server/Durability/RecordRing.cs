using System;
using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Threading;

namespace HpAsyncPs.Server.Durability;

/// <summary>
/// Records on their way to a disk: one thread appends, which costs it a copy, another checksums and writes. Positions count bytes from the
/// first record on; the memory is a ring, begun anew whenever it is empty, so that a disk that keeps up uses only the part of it that the cache holds.
/// </summary>
internal sealed class RecordRing
{
    private readonly byte[] _memory;
    private long _origin; // position at the beginning of the memory; the appender moves it while the ring is empty
    private long _end;
    private long _begin;

    /// <param name="capacity">Bytes, a multiple of <see cref="DiskRecord.Alignment"/>.</param>
    /// <param name="start">Position of the first record.</param>
    public RecordRing(int capacity, long start)
    {
        _memory = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
        _origin = _end = _begin = start;
    }

    /// <summary>Position after the last record.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Position of the first record that is still in the ring: all before are written.</summary>
    public long Begin => Volatile.Read(ref _begin);

    /// <summary>Appender: is there room for a record of that many bytes?</summary>
    public bool HasRoom(int size) => _memory.Length - (_end - Begin) >= size;

    /// <summary>Appender: copies a record whose body is in pieces; there is room.</summary>
    public void Append(RecordKind kind, ReadOnlySpan<byte> first, in ReadOnlySequence<byte> rest)
    {
        int length = checked(first.Length + (int)rest.Length);
        if (_end == Begin)
            _origin = _end;
        long position = _end;
        PutNumber(position + DiskRecord.PositionOffset, (ulong)position);
        PutNumber(position + DiskRecord.LengthOffset, DiskRecord.LengthAndKind(length, kind));
        long next = position + DiskRecord.SizeOf(length);
        if (length > 0)
            PutNumber(next - DiskRecord.Alignment, 0);
        long at = Copy(position + DiskRecord.HeadBytes, first);
        foreach (ReadOnlyMemory<byte> piece in rest)
            at = Copy(at, piece.Span);
        Volatile.Write(ref _end, next);
    }

    /// <summary>Writer: bytes of the record at a position.</summary>
    public int SizeAt(long position) => DiskRecord.SizeOf(BinaryPrimitives.ReadInt32LittleEndian(_memory.AsSpan(Place(position + DiskRecord.LengthOffset))));

    /// <summary>Writer: computes the checksum of a record.</summary>
    public void Seal(long position, XxHash3 hash)
    {
        long end = position + SizeAt(position);
        for (long at = position + DiskRecord.PositionOffset; at < end;)
        {
            Span<byte> piece = Piece(at, end);
            hash.Append(piece);
            at += piece.Length;
        }

        PutNumber(position, hash.GetCurrentHashAsUInt64());
        hash.Reset();
    }

    /// <summary>Writer: writes sealed records from <see cref="Begin"/> on, and gives their room back.</summary>
    /// <param name="file">To write to.</param>
    /// <param name="start">Position of the file's first byte.</param>
    /// <param name="to">End of the last record that is to be written.</param>
    public void WriteTo(IDiskFile file, long start, long to)
    {
        for (long at = _begin; at < to;)
        {
            Span<byte> piece = Piece(at, to);
            file.Write(at - start, piece);
            at += piece.Length;
        }

        Volatile.Write(ref _begin, to);
    }

    private int Place(long position) => (int)((position - _origin) % _memory.Length);

    private Span<byte> Piece(long from, long to)
    {
        int place = Place(from);
        return _memory.AsSpan(place, (int)Math.Min(to - from, _memory.Length - place));
    }

    private void PutNumber(long position, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(_memory.AsSpan(Place(position)), value);

    private long Copy(long position, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            Span<byte> room = Piece(position, position + bytes.Length);
            bytes[..room.Length].CopyTo(room);
            bytes = bytes[room.Length..];
            position += room.Length;
        }

        return position;
    }
}
