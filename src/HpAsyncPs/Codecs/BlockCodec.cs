using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Codecs;

/// <summary>
/// Values as whole numbers or powers of two that share a scale with the others of their block of 64; the last block of a sequence has what is left, r
/// of them. Little-endian, n values, b = n / 64 rounded up:
/// <code>
/// offset size field
///      0  2 b scales         bf16, one for each block: 0, or from 2^-126 to the largest; NaN: the block is not finite
///    2 b    n values         int8: signed; a value is this times the scale of its block
/// </code>
/// or
/// <code>
///    2 b      values         int4: 32 bytes for each whole block, (r + 1) / 2 for the last one. Of a block of r values the
///                            first (r + 1) / 2 are in bits 0 to 3 of its bytes, the others in bits 4 to 7 of the same
///                            bytes. If r is odd, bits 4 to 7 of the last byte are 0. Of four bits the highest is the sign,
///                            the others are m: a value is 0 where m is 0, else 2^(m - 1), times the scale of its block
/// </code>
/// Encoders do not write a sign without m; it is 0. Scales have 8 significant bits, so every product is exact in binary32. Files that must agree: this one, Kernels/BlockKernel.cs, docs/codecs.md.
/// </summary>
public static class BlockCodec
{
    private const ushort LeastScale = 0x0080;
    private const ushort Infinity = 0x7f80;

    /// <summary>
    /// How far a decoded value may be from what was to be coded, where its block is finite and was rounded to the nearest: half a scale, with
    /// int4 a third of the value where that is more, and what dividing by the scale rounds off.
    /// </summary>
    /// <param name="value">What was to be coded.</param>
    /// <param name="scale">Of the block. Where it is 0, all values are below 2^-126 times 127 or 64.</param>
    /// <param name="codec">Int8 or Int4.</param>
    public static double LargestError(float value, float scale, ValueCodec codec)
    {
        if (scale == 0)
            return (codec == ValueCodec.Int8 ? BlockScale.MostInt8 : BlockScale.MostInt4) * 1.1754943508222875e-38;
        return codec == ValueCodec.Int8
            ? scale * (0.5 + (BlockScale.MostInt8 * (1.0 / (1 << 22))))
            : Math.Max(scale / 2.0, Math.Abs((double)value) / 3) * (1 + (1.0 / (1 << 22)));
    }

    /// <summary>Bytes of n values.</summary>
    public static long Int8Bytes(int count) => ScaleBytes(count) + (long)count;

    /// <summary>Bytes of n values.</summary>
    public static long Int4Bytes(int count) => ScaleBytes(count) + (((long)count + 1) / 2);

    /// <summary>The scales of a sequence of n values.</summary>
    public static ReadOnlySpan<byte> Scales(ReadOnlySpan<byte> bytes, int count) => bytes[..ScaleBytes(count)];

    /// <summary>The scales of a sequence of n values.</summary>
    public static Span<byte> Scales(Span<byte> bytes, int count) => bytes[..ScaleBytes(count)];

    /// <summary>What comes after the scales.</summary>
    public static ReadOnlySpan<byte> Values(ReadOnlySpan<byte> bytes, int count) => bytes[ScaleBytes(count)..];

    /// <summary>What comes after the scales.</summary>
    public static Span<byte> Values(Span<byte> bytes, int count) => bytes[ScaleBytes(count)..];

    /// <summary>The scales of a part.</summary>
    /// <param name="bytes">The whole sequence.</param>
    /// <param name="from">First value, a multiple of 64.</param>
    /// <param name="length">Values of the part.</param>
    public static ReadOnlySpan<byte> ScalesOf(ReadOnlySpan<byte> bytes, int from, int length) =>
        bytes.Slice(from / BlockScale.Values * BlockScale.Bytes, ScaleBytes(length));

    /// <summary>Null when n values are well-formed, else what is wrong with them.</summary>
    /// <param name="bytes">As long as n values are.</param>
    /// <param name="count">Values.</param>
    /// <param name="isInt4">Int4, or Int8.</param>
    public static string? Check(ReadOnlySpan<byte> bytes, int count, bool isInt4)
    {
        ReadOnlySpan<ushort> scales = MemoryMarshal.Cast<byte, ushort>(Scales(bytes, count));
        for (int block = 0; block < scales.Length; block++)
        {
            if (scales[block] is (> 0 and < LeastScale) or Infinity or > (ushort)short.MaxValue)
                return $"the scale of block {block} is {BlockScale.FromBits(scales[block]):g4}: neither 0 nor a number of 2^-126 at least nor NaN";
        }

        return isInt4 && (count & 1) != 0 && bytes[^1] >> 4 != 0 ? "the last 4 bits are used by no value, and 0" : null;
    }

    /// <summary>The largest scale; 0 of none, NaN if one is NaN.</summary>
    /// <param name="bytes">A sequence that was checked.</param>
    /// <param name="count">Values.</param>
    public static float LargestScale(ReadOnlySpan<byte> bytes, int count)
    {
        ushort largest = 0;
        foreach (ushort scale in MemoryMarshal.Cast<byte, ushort>(Scales(bytes, count)))
            largest = Math.Max(largest, scale); // they are not negative, and NaN is above all others
        return BlockScale.FromBits(largest);
    }

    private static int ScaleBytes(int count) => (int)(((long)count + BlockScale.Values - 1) / BlockScale.Values) * BlockScale.Bytes;
}
