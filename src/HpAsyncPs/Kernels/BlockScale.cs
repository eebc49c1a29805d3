using System;
using System.Runtime.CompilerServices;

namespace HpAsyncPs.Kernels;

/// <summary>
/// The scale that a block of values shares: a bf16 number (a float whose lower 16 bits are 0), so that a scale times a whole number
/// of up to 16 bits, or a power of two, is exact in fp32 and both ends compute the same bits.
/// </summary>
public static class BlockScale
{
    /// <summary>Values of a block; the last block of a sequence may have fewer.</summary>
    public const int Values = 64;

    /// <summary>Bytes of a scale.</summary>
    public const int Bytes = sizeof(ushort);

    /// <summary>The scale of a block that has a NaN or an infinity.</summary>
    public const ushort NotFinite = 0x7fc0;

    /// <summary>Largest whole number that an encoder writes with 8 bits.</summary>
    public const int MostInt8 = 127;

    /// <summary>Largest power of two that 4 bits can say.</summary>
    public const int MostInt4 = 64;

    private const int SmallestNormal = 0x0080_0000;
    private const uint Upper = 0xffff_0000;

    /// <summary>
    /// What a block of whole numbers that is rounded at random is multiplied by: 1 / (1 + omega). The variance of an element is at most a
    /// quarter of the scale's square, that of a block at most omega = <see cref="Values"/> / (4 most^2) times its squared norm.
    /// </summary>
    public const float DampingInt8 = 1f / (1f + (Values / (4f * MostInt8 * MostInt8)));

    /// <summary>
    /// The same of powers of two. Between p and 2p the variance of an element d is (|d| - p)(2p - |d|), at most d^2 / 8 (at |d| = 4p/3);
    /// below a scale it is at most a quarter of the scale's square. The scale was rounded up by at most 1/128, so the largest is at least 63.5
    /// scales, and the variance of a block at most omega = 1/8 + <see cref="Values"/> / (4 63.5^2) times its squared norm.
    /// </summary>
    public const float DampingInt4 = 1f / (1f + (1f / 8) + (Values / (4f * 63.5f * 63.5f)));

    /// <summary>The scale of a block: the largest magnitude over <paramref name="most"/>, rounded up to bf16; 0 where that is below 2^-126.</summary>
    /// <param name="largest">Largest magnitude; the block is not finite if this is not.</param>
    /// <param name="most">Largest whole number or power of two.</param>
    /// <param name="damping">1, or what the scale that is sent is multiplied by; the product is rounded down to bf16.</param>
    /// <param name="inverse">What to multiply the values with: 1 over the undamped scale; 0 if the scale is 0.</param>
    /// <returns>The scale to send; NaN if the block is not finite or most times the scale would not be.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of(float largest, int most, float damping, out float inverse)
    {
        float scale = Float((BitConverter.SingleToUInt32Bits(largest / most) + ~Upper) & Upper);
        float sent = damping == 1 ? scale : Float(BitConverter.SingleToUInt32Bits(scale * damping) & Upper);
        if (!(largest <= float.MaxValue && scale * most <= float.MaxValue)) // NaN is not, either
        {
            inverse = 0;
            return float.NaN;
        }

        if (BitConverter.SingleToUInt32Bits(sent) < SmallestNormal)
        {
            inverse = 0;
            return 0;
        }

        inverse = 1 / scale;
        return sent;
    }

    /// <summary>The upper 16 bits of a scale.</summary>
    public static ushort ToBits(float scale) => float.IsNaN(scale) ? NotFinite : (ushort)(BitConverter.SingleToUInt32Bits(scale) >> 16);

    /// <summary>The scale of these bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float FromBits(ushort bits) => Float((uint)bits << 16);

    private static float Float(uint bits) => BitConverter.UInt32BitsToSingle(bits);
}
