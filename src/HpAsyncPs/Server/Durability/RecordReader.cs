using System;
using System.Buffers.Binary;
using System.IO.Hashing;

namespace HpAsyncPs.Server.Durability;

/// <summary>Reads records of a file one after the other, through a window of fixed size, and believes none before its checksum agrees.</summary>
/// <param name="file">To read.</param>
/// <param name="offset">Of the first record in the file.</param>
/// <param name="seed">Of the file.</param>
/// <param name="window">Of <see cref="NewWindow"/>.</param>
internal sealed class RecordReader(IDiskFile file, long offset, long seed, byte[] window)
{
    private int _from;
    private int _to;

    /// <summary>Where the next record begins in the file: after the last whole one.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>Memory for readers, one after the other: small records are read many at once, and the largest fits.</summary>
    public static byte[] NewWindow() => GC.AllocateUninitializedArray<byte>(2 * DiskRecord.MostBytes);

    /// <summary>The next record, if it is whole and says that it begins at that position.</summary>
    /// <param name="position">That the record must have.</param>
    /// <param name="kind">Of the record.</param>
    /// <param name="body">Good until the next call.</param>
    public bool TryNext(long position, out RecordKind kind, out ReadOnlyMemory<byte> body)
    {
        kind = default;
        body = default;
        if (!Fill(DiskRecord.HeadBytes))
            return false;
        ReadOnlySpan<byte> head = window.AsSpan(_from, DiskRecord.HeadBytes);
        int length = BinaryPrimitives.ReadInt32LittleEndian(head[DiskRecord.LengthOffset..]);
        if (BinaryPrimitives.ReadInt64LittleEndian(head[DiskRecord.PositionOffset..]) != position || length is < 0 or > DiskRecord.MostBody)
            return false;
        int size = DiskRecord.SizeOf(length);
        if (!Fill(size))
            return false;
        ReadOnlySpan<byte> record = window.AsSpan(_from, size);
        if (BinaryPrimitives.ReadUInt64LittleEndian(record) != XxHash3.HashToUInt64(record[DiskRecord.PositionOffset..], seed))
            return false;
        kind = (RecordKind)BinaryPrimitives.ReadInt32LittleEndian(record[(DiskRecord.LengthOffset + sizeof(int))..]);
        body = window.AsMemory(_from + DiskRecord.HeadBytes, length);
        _from += size;
        Offset += size;
        return true;
    }

    /// <summary>Makes that many bytes available in the window; false if the file ends before.</summary>
    private bool Fill(int bytes)
    {
        if (_to - _from >= bytes)
            return true;
        window.AsSpan(_from.._to).CopyTo(window);
        _to -= _from;
        _from = 0;
        while (_to < bytes)
        {
            int read = file.Read(Offset + _to, window.AsSpan(_to));
            if (read == 0)
                return false;
            _to += read;
        }

        return true;
    }
}
