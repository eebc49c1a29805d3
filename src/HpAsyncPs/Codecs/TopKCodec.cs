using System;
using System.Buffers.Binary;
using System.Numerics;

namespace HpAsyncPs.Codecs;

/// <summary>
/// The values of a chunk that have the largest magnitude. Little-endian:
/// <code>
/// offset size field
///      0    4 value_count    values that follow
///      4    1 index_mode     1 gaps, 2 bitmap
///      5    1 value_codec    as <see cref="ValueCodec"/>
///      6    2 reserved       0
///      8    i index          gaps: a byte for each value, the positions without a value before it; 255: so many positions
///                            without a value, and the next byte goes on. bitmap: a bit for each key of the chunk, bit 0
///                            of byte 0 the first, 1 where there is a value; unused bits 0
///    8+i      values         in the order of the index, coded as value_codec says
/// </code>
/// Encoders take the shorter index. Files that must agree: this one, docs/codecs.md.
/// </summary>
public static class TopKCodec
{
    /// <summary>Bytes before the index.</summary>
    public const int HeadBytes = 8;

    private const byte Gaps = 1;
    private const byte Bitmap = 2;
    private const byte GoOn = 255;

    /// <summary>How many values of a chunk travel at most.</summary>
    /// <param name="ratio">Which part.</param>
    /// <param name="count">Values of the chunk.</param>
    public static int MostValues(double ratio, int count) => Math.Min(count, Math.Max(1, (int)Math.Ceiling(ratio * count)));

    /// <summary>Bytes of a payload.</summary>
    /// <param name="positions">Of the values, increasing.</param>
    /// <param name="keys">Keys of the chunk.</param>
    /// <param name="codec">Of the values.</param>
    public static long Bytes(ReadOnlySpan<int> positions, int keys, ValueCodec codec) =>
        HeadBytes + Math.Min(GapBytes(positions), BitmapBytes(keys)) + ValueCoding.Bytes(codec, positions.Length);

    /// <summary>Writes head and index; returns where the values go, after them.</summary>
    /// <param name="positions">Of the values, increasing.</param>
    /// <param name="keys">Keys of the chunk.</param>
    /// <param name="codec">Of the values.</param>
    /// <param name="payload">At least <see cref="Bytes"/> long.</param>
    public static Span<byte> WriteIndex(ReadOnlySpan<int> positions, int keys, ValueCodec codec, Span<byte> payload)
    {
        long gapBytes = GapBytes(positions);
        bool hasGaps = gapBytes <= BitmapBytes(keys);
        int indexBytes = hasGaps ? (int)gapBytes : BitmapBytes(keys);
        BinaryPrimitives.WriteInt32LittleEndian(payload, positions.Length);
        payload[4] = hasGaps ? Gaps : Bitmap;
        payload[5] = (byte)codec;
        payload[6] = payload[7] = 0;
        Span<byte> index = payload.Slice(HeadBytes, indexBytes);
        if (hasGaps)
            WriteGaps(positions, index);
        else
            WriteBitmap(positions, index);
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
        ReadOnlySpan<byte> payload, int keys, out int count, out ValueCodec codec, out PositionReader positions, out ReadOnlySpan<byte> values)
    {
        (count, codec) = (0, default);
        positions = default;
        values = default;
        if (payload.Length < HeadBytes)
            return $"a payload of largest values has at least {HeadBytes} bytes; this one has {payload.Length}";
        uint claimed = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        byte mode = payload[4];
        codec = (ValueCodec)payload[5];
        if (claimed > keys)
            return $"{claimed} values do not fit a chunk of {keys} keys";
        if (mode is not (Gaps or Bitmap) || payload[6] != 0 || payload[7] != 0)
            return $"byte 4 of a payload of largest values is 1 or 2, bytes 6 and 7 are reserved, and 0; these are {mode}, {payload[6]} and {payload[7]}";
        if (!ValueCoding.IsKnown(codec))
            return $"there is no codec {(int)codec} for values";
        count = (int)claimed;
        long indexBytes = payload.Length - HeadBytes - ValueCoding.Bytes(codec, count);
        if (indexBytes < 0 || (mode == Bitmap && indexBytes != BitmapBytes(keys)))
            return $"{count} values of codec {(int)codec} and their index do not fit {payload.Length} bytes and a chunk of {keys} keys";
        ReadOnlySpan<byte> index = payload.Slice(HeadBytes, (int)indexBytes);
        if ((mode == Gaps ? CheckGaps(index, keys, count) : CheckBitmap(index, keys, count)) is { } wrong)
            return wrong;
        values = payload[(HeadBytes + (int)indexBytes)..];
        positions = new PositionReader(index, mode == Gaps);
        return ValueCoding.Check(codec, values, count);
    }

    private static int BitmapBytes(int keys) => (int)(((long)keys + 7) / 8);

    private static long GapBytes(ReadOnlySpan<int> positions)
    {
        long bytes = positions.Length;
        int previous = -1;
        foreach (int position in positions)
        {
            bytes += (position - previous - 1) / GoOn;
            previous = position;
        }

        return bytes;
    }

    private static void WriteGaps(ReadOnlySpan<int> positions, Span<byte> index)
    {
        int at = 0, previous = -1;
        foreach (int position in positions)
        {
            int gap = position - previous - 1;
            for (; gap >= GoOn; gap -= GoOn)
                index[at++] = GoOn;
            index[at++] = (byte)gap;
            previous = position;
        }
    }

    private static void WriteBitmap(ReadOnlySpan<int> positions, Span<byte> index)
    {
        index.Clear();
        foreach (int position in positions)
            index[position / 8] |= (byte)(1 << (position % 8));
    }

    private static string? CheckGaps(ReadOnlySpan<byte> index, int keys, int count)
    {
        long next = 0;
        int found = 0;
        bool goesOn = false;
        foreach (byte gap in index)
        {
            goesOn = gap == GoOn;
            next += goesOn ? GoOn : gap + 1;
            found += goesOn ? 0 : 1;
        }

        return goesOn || found != count || next > keys ? $"{index.Length} bytes of gaps for {count} values have {found} and reach key {next} of {keys}" : null;
    }

    private static string? CheckBitmap(ReadOnlySpan<byte> index, int keys, int count)
    {
        int found = 0;
        foreach (byte bits in index)
            found += BitOperations.PopCount(bits);
        if (found != count)
            return $"the bitmap has {found} of {count} values";
        return keys % 8 != 0 && index[^1] >> (keys % 8) != 0 ? "the last bits of the bitmap are used by no key, and 0" : null;
    }

    /// <summary>Reads positions off an index that was checked.</summary>
    internal ref struct PositionReader(ReadOnlySpan<byte> index, bool hasGaps)
    {
        private readonly ReadOnlySpan<byte> _index = index;
        private readonly bool _hasGaps = hasGaps;
        private int _at;
        private int _next; // gaps: the first position that may come
        private uint _bits; // bitmap: those of the byte before _at that are left

        /// <summary>The next ones, as many as there is room for.</summary>
        public void Next(scoped Span<int> positions)
        {
            for (int k = 0; k < positions.Length; k++)
                positions[k] = _hasGaps ? NextGap() : NextBit();
        }

        private int NextGap()
        {
            byte gap;
            while ((gap = _index[_at++]) == GoOn)
                _next += GoOn;
            _next += gap + 1;
            return _next - 1;
        }

        private int NextBit()
        {
            while (_bits == 0)
                _bits = _index[_at++];
            int bit = BitOperations.TrailingZeroCount(_bits);
            _bits &= _bits - 1;
            return (8 * (_at - 1)) + bit;
        }
    }
}
