using System;
using System.Numerics;

namespace HpAsyncPs.Codecs;

/// <summary>
/// Which positions of many have a value, in increasing order; the shorter of two forms:
/// <code>
/// gaps (1)    a byte for each value: the positions without a value before it; 255: so many positions without a value, and the next byte goes on
/// bitmap (2)  a bit for each position, bit 0 of byte 0 the first, 1 where there is a value; unused bits 0
/// </code>
/// Files that must agree: this one, docs/codecs.md.
/// </summary>
internal static class PositionIndex
{
    /// <summary>The number of the form.</summary>
    public const byte Gaps = 1;

    /// <summary>The number of the form.</summary>
    public const byte Bitmap = 2;

    private const byte GoOn = 255;

    /// <summary>Bytes of the shorter form.</summary>
    public static long Bytes(ReadOnlySpan<int> positions, int keys) => Math.Min(GapBytes(positions), BitmapBytes(keys));

    /// <summary>Writes the shorter form; returns its number.</summary>
    /// <param name="positions">Increasing, below <paramref name="keys"/>.</param>
    /// <param name="keys">How many there are.</param>
    /// <param name="index">Exactly <see cref="Bytes"/> long.</param>
    public static byte Write(ReadOnlySpan<int> positions, int keys, Span<byte> index)
    {
        if (GapBytes(positions) <= BitmapBytes(keys))
        {
            WriteGaps(positions, index);
            return Gaps;
        }

        WriteBitmap(positions, index);
        return Bitmap;
    }

    /// <summary>Null when an index is well-formed, else what is wrong with it.</summary>
    /// <param name="form">Any number.</param>
    /// <param name="index">As it came.</param>
    /// <param name="keys">How many positions there are.</param>
    /// <param name="count">How many have a value.</param>
    public static string? Check(byte form, ReadOnlySpan<byte> index, int keys, int count) => form switch
    {
        Gaps => CheckGaps(index, keys, count),
        Bitmap when index.Length == BitmapBytes(keys) => CheckBitmap(index, keys, count),
        Bitmap => $"a bitmap of {keys} has {BitmapBytes(keys)} bytes; this one has {index.Length}",
        _ => $"an index has form {Gaps} or {Bitmap}; this one has {form}",
    };

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

        return goesOn || found != count || next > keys ? $"{index.Length} bytes of gaps for {count} values have {found} and reach position {next} of {keys}" : null;
    }

    private static string? CheckBitmap(ReadOnlySpan<byte> index, int keys, int count)
    {
        int found = 0;
        foreach (byte bits in index)
            found += BitOperations.PopCount(bits);
        if (found != count)
            return $"the bitmap has {found} of {count} values";
        return keys % 8 != 0 && index[^1] >> (keys % 8) != 0 ? "the last bits of the bitmap are used by nothing, and 0" : null;
    }

    /// <summary>Reads positions off an index that was checked.</summary>
    public ref struct Reader(ReadOnlySpan<byte> index, bool hasGaps)
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
