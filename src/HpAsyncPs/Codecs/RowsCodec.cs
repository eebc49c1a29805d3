using System;
using System.Buffers.Binary;

namespace HpAsyncPs.Codecs;

/// <summary>
/// Only some rows of a chunk. Little-endian, L parameters in a row:
/// <code>
/// offset size field
///      0    4 row_count      rows that follow
///      4    1 index_mode     1 gaps, 2 bitmap
///      5    1 value_codec    as <see cref="ValueCodec"/>
///      6    2 reserved       0
///      8    i index          which rows of the chunk: see <see cref="PositionIndex"/>
///    8+i      values         in the order of the index, each row a sequence of L values for itself, coded as value_codec says
/// </code>
/// Rows have scales of their own, so that what changes little is not lost beside what changes much. Files that must agree: this one, docs/codecs.md.
/// </summary>
public static class RowsCodec
{
    /// <summary>Bytes before the index.</summary>
    public const int HeadBytes = 8;

    /// <summary>Bytes of a payload.</summary>
    /// <param name="rows">Indices of the rows within the chunk, increasing.</param>
    /// <param name="rowsOfChunk">How many there are.</param>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="codec">Of the values.</param>
    public static long Bytes(ReadOnlySpan<int> rows, int rowsOfChunk, int rowLength, ValueCodec codec) =>
        HeadBytes + PositionIndex.Bytes(rows, rowsOfChunk) + (rows.Length * ValueCoding.Bytes(codec, rowLength));

    /// <summary>Writes head and index; returns where the values go, <see cref="ValueCoding.Bytes"/> for each row.</summary>
    /// <param name="rows">Indices of the rows within the chunk, increasing.</param>
    /// <param name="rowsOfChunk">How many there are.</param>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="codec">Of the values.</param>
    /// <param name="payload">At least <see cref="Bytes"/> long.</param>
    public static Span<byte> WriteIndex(ReadOnlySpan<int> rows, int rowsOfChunk, int rowLength, ValueCodec codec, Span<byte> payload)
    {
        int indexBytes = (int)PositionIndex.Bytes(rows, rowsOfChunk);
        BinaryPrimitives.WriteInt32LittleEndian(payload, rows.Length);
        payload[4] = PositionIndex.Write(rows, rowsOfChunk, payload.Slice(HeadBytes, indexBytes));
        payload[5] = (byte)codec;
        payload[6] = payload[7] = 0;
        return payload.Slice(HeadBytes + indexBytes, rows.Length * (int)ValueCoding.Bytes(codec, rowLength));
    }

    /// <summary>Reads and checks a payload; null when it is well-formed, else what is wrong with it.</summary>
    /// <param name="payload">As it came, in one piece.</param>
    /// <param name="keys">Keys of the chunk.</param>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="codec">How their values are coded.</param>
    /// <param name="positions">Which rows.</param>
    /// <param name="values">Their bytes.</param>
    internal static string? Read(
        ReadOnlySpan<byte> payload, int keys, int rowLength, out int count, out ValueCodec codec, out PositionIndex.Reader positions, out ReadOnlySpan<byte> values)
    {
        (count, codec) = (0, default);
        positions = default;
        values = default;
        if (payload.Length < HeadBytes)
            return $"a payload of rows has at least {HeadBytes} bytes; this one has {payload.Length}";
        uint claimed = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        codec = (ValueCodec)payload[5];
        if (payload[6] != 0 || payload[7] != 0)
            return $"bytes 6 and 7 of a payload of rows are reserved, and 0; these are {payload[6]} and {payload[7]}";
        if (!ValueCoding.IsKnown(codec))
            return $"there is no codec {(int)codec} for values";
        if (keys % rowLength != 0 || claimed > keys / rowLength)
            return $"{claimed} rows of {rowLength} parameters do not fit a chunk of {keys} keys";
        count = (int)claimed;
        int rowBytes = (int)ValueCoding.Bytes(codec, rowLength);
        long indexBytes = payload.Length - HeadBytes - ((long)count * rowBytes);
        if (indexBytes < 0)
            return $"{count} rows of {rowLength} parameters of codec {(int)codec} and their index do not fit {payload.Length} bytes";
        ReadOnlySpan<byte> index = payload.Slice(HeadBytes, (int)indexBytes);
        if (PositionIndex.Check(payload[4], index, keys / rowLength, count) is { } wrong)
            return wrong;
        values = payload[(HeadBytes + (int)indexBytes)..];
        positions = new PositionIndex.Reader(index, payload[4] == PositionIndex.Gaps);
        for (int row = 0; row < count; row++)
        {
            if (ValueCoding.Check(codec, values.Slice(row * rowBytes, rowBytes), rowLength) is { } what)
                return $"row {row} of the payload: {what}";
        }

        return null;
    }
}
