using System;
using System.Buffers.Binary;

namespace HpAsyncPs.Codecs;

/// <summary>
/// The values of a chunk that have the largest magnitude. Little-endian:
/// <code>
/// offset size field
///      0    4 value_count    values that follow
///      4    1 index_mode     1 gaps, 2 bitmap
///      5    1 value_codec    as <see cref="ValueCodec"/>
///      6    2 reserved       0
///      8    i index          which keys of the chunk: see <see cref="PositionIndex"/>
///    8+i      values         in the order of the index, coded as value_codec says
/// </code>
/// Files that must agree: this one, docs/codecs.md.
/// </summary>
public static class TopKCodec
{
    /// <summary>Bytes before the index.</summary>
    public const int HeadBytes = 8;

    /// <summary>How many values of a chunk travel at most.</summary>
    /// <param name="ratio">Which part.</param>
    /// <param name="count">Values of the chunk.</param>
    public static int MostValues(double ratio, int count) => Math.Min(count, Math.Max(1, (int)Math.Ceiling(ratio * count)));

    /// <summary>Bytes of a payload.</summary>
    /// <param name="positions">Of the values, increasing.</param>
    /// <param name="keys">Keys of the chunk.</param>
    /// <param name="codec">Of the values.</param>
    public static long Bytes(ReadOnlySpan<int> positions, int keys, ValueCodec codec) =>
        HeadBytes + PositionIndex.Bytes(positions, keys) + ValueCoding.Bytes(codec, positions.Length);

    /// <summary>Writes head and index; returns where the values go, after them.</summary>
    /// <param name="positions">Of the values, increasing.</param>
    /// <param name="keys">Keys of the chunk.</param>
    /// <param name="codec">Of the values.</param>
    /// <param name="payload">At least <see cref="Bytes"/> long.</param>
    public static Span<byte> WriteIndex(ReadOnlySpan<int> positions, int keys, ValueCodec codec, Span<byte> payload)
    {
        int indexBytes = (int)PositionIndex.Bytes(positions, keys);
        BinaryPrimitives.WriteInt32LittleEndian(payload, positions.Length);
        payload[4] = PositionIndex.Write(positions, keys, payload.Slice(HeadBytes, indexBytes));
        payload[5] = (byte)codec;
        payload[6] = payload[7] = 0;
        return payload.Slice(HeadBytes + indexBytes, (int)ValueCoding.Bytes(codec, positions.Length));
    }

    /// <summary>Reads and checks a payload; null when it is well-formed, else what is wrong with it.</summary>
    /// <param name="payload">As it came, in one piece.</param>
    /// <param name="keys">Keys of the chunk.</param>
    /// <param name="count">Values.</param>
    /// <param name="codec">How the values are coded.</param>
    /// <param name="positions">Where they belong.</param>
    /// <param name="values">Their bytes.</param>
    internal static string? Read(
        ReadOnlySpan<byte> payload, int keys, out int count, out ValueCodec codec, out PositionIndex.Reader positions, out ReadOnlySpan<byte> values)
    {
        (count, codec) = (0, default);
        positions = default;
        values = default;
        if (payload.Length < HeadBytes)
            return $"a payload of largest values has at least {HeadBytes} bytes; this one has {payload.Length}";
        uint claimed = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        codec = (ValueCodec)payload[5];
        if (claimed > keys)
            return $"{claimed} values do not fit a chunk of {keys} keys";
        if (payload[6] != 0 || payload[7] != 0)
            return $"bytes 6 and 7 of a payload of largest values are reserved, and 0; these are {payload[6]} and {payload[7]}";
        if (!ValueCoding.IsKnown(codec))
            return $"there is no codec {(int)codec} for values";
        count = (int)claimed;
        long indexBytes = payload.Length - HeadBytes - ValueCoding.Bytes(codec, count);
        if (indexBytes < 0)
            return $"{count} values of codec {(int)codec} and their index do not fit {payload.Length} bytes and a chunk of {keys} keys";
        ReadOnlySpan<byte> index = payload.Slice(HeadBytes, (int)indexBytes);
        if (PositionIndex.Check(payload[4], index, keys, count) is { } wrong)
            return wrong;
        values = payload[(HeadBytes + (int)indexBytes)..];
        positions = new PositionIndex.Reader(index, payload[4] == PositionIndex.Gaps);
        return ValueCoding.Check(codec, values, count);
    }
}
