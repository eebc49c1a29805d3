using System;
using System.Buffers.Binary;

namespace HpAsyncPs.Kernels;

/// <summary>The reference for values of fewer bits.</summary>
public static partial class Scalar
{
    /// <summary>See <see cref="Bf16Kernel.Encode"/>.</summary>
    public static void EncodeBf16(ReadOnlySpan<float> x, Span<float> h, Span<byte> values)
    {
        for (int j = 0; j < x.Length; j++)
        {
            float delta = x[j] - h[j];
            uint bits = BitConverter.SingleToUInt32Bits(delta);
            uint rounded = float.IsNaN(delta) ? BlockScale.NotFinite : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
            BinaryPrimitives.WriteUInt16LittleEndian(values[(2 * j)..], (ushort)rounded);
            h[j] += BitConverter.UInt32BitsToSingle(rounded << 16);
        }
    }

    /// <summary>See <see cref="Bf16Kernel.Decode"/>.</summary>
    public static void DecodeBf16(ReadOnlySpan<byte> values, Span<float> c)
    {
        for (int j = 0; j < c.Length; j++)
            c[j] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(values[(2 * j)..]) << 16);
    }

    /// <summary>See <see cref="BlockKernel.EncodeInt8"/>.</summary>
    public static void EncodeInt8(ReadOnlySpan<float> x, Span<float> h, Span<byte> scales, Span<byte> values, Dither dither) =>
        EncodeBlocks(false, x, h, scales, values, dither);

    /// <summary>See <see cref="BlockKernel.EncodeInt4"/>.</summary>
    public static void EncodeInt4(ReadOnlySpan<float> x, Span<float> h, Span<byte> scales, Span<byte> values, Dither dither) =>
        EncodeBlocks(true, x, h, scales, values, dither);

    /// <summary>See <see cref="BlockKernel.DecodeInt8"/>.</summary>
    public static void DecodeInt8(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> values, Span<float> c)
    {
        for (int j = 0; j < c.Length; j++)
            c[j] = (sbyte)values[j] * Scale(scales, j / BlockScale.Values);
    }

    /// <summary>See <see cref="BlockKernel.DecodeInt4"/>.</summary>
    public static void DecodeInt4(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> values, Span<float> c)
    {
        for (int begin = 0; begin < c.Length; begin += BlockScale.Values)
        {
            int count = Math.Min(BlockScale.Values, c.Length - begin), half = (count + 1) / 2;
            for (int j = 0; j < count; j++)
            {
                byte pair = values[(begin / 2) + (j < half ? j : j - half)];
                int q = j < half ? pair & 15 : pair >> 4;
                c[begin + j] = PowerOf(q) * Scale(scales, begin / BlockScale.Values);
            }
        }
    }

    /// <summary>A number above -1/2 and below 1/2, as random as its position: an odd multiple of 2^-17.</summary>
    public static float Random(uint position) => (Draw(position) - 32767.5f) * (1f / 65536);

    /// <summary>16 bits, as random as their position.</summary>
    private static int Draw(uint position)
    {
        // The finaliser of MurmurHash3 (A. Appleby, public domain): every bit of the position changes every bit of the result.
        uint z = position ^ (position >> 16);
        z *= 0x85ebca6b;
        z ^= z >> 13;
        z *= 0xc2b2ae35;
        z ^= z >> 16;
        return (int)(z >> 16);
    }

    private static void EncodeBlocks(bool isFour, ReadOnlySpan<float> x, Span<float> h, Span<byte> scales, Span<byte> values, Dither dither)
    {
        int most = isFour ? BlockScale.MostInt4 : BlockScale.MostInt8;
        float damping = !dither.IsStochastic ? 1 : isFour ? BlockScale.DampingInt4 : BlockScale.DampingInt8;
        Span<float> delta = stackalloc float[BlockScale.Values];
        Span<int> q = stackalloc int[BlockScale.Values];
        for (int begin = 0; begin < x.Length; begin += BlockScale.Values)
        {
            int count = Math.Min(BlockScale.Values, x.Length - begin);
            for (int j = 0; j < count; j++)
                delta[j] = x[begin + j] - h[begin + j];
            float scale = BlockScale.Of(LargestMagnitude(delta[..count]), most, damping, out float inverse);
            BinaryPrimitives.WriteUInt16LittleEndian(scales[(begin / BlockScale.Values * BlockScale.Bytes)..], BlockScale.ToBits(scale));
            for (int j = 0; j < count; j++)
            {
                q[j] = 0;
                if (float.IsNaN(scale))
                    continue; // refused by who decodes it: h must stay what it is there
                float quotient = delta[j] * inverse;
                uint position = dither.Key + (uint)(begin + j);
                if (isFour)
                {
                    q[j] = RoundToPower(quotient, dither.IsStochastic ? (Draw(position) << 7) | 64 : 1 << 22);
                    h[begin + j] += PowerOf(q[j]) * scale;
                    continue;
                }

                if (dither.IsStochastic)
                    quotient = Math.Clamp(quotient + Random(position), -most, most);
                q[j] = (int)MathF.Round(quotient); // ties to even
                h[begin + j] += q[j] * scale;
            }

            if (isFour)
                Pack(q[..count], values[(begin / 2)..]);
            else
                for (int j = 0; j < count; j++)
                    values[begin + j] = (byte)q[j];
        }
    }

    /// <summary>The 4 bits of a quotient, rounded to one of the two powers of two, or of 0 and 1, that it is between.</summary>
    /// <param name="quotient">Of magnitude 64 at most, but for rounding.</param>
    /// <param name="up">From 0 to 2^23: over 2^23, the part of the way to the lower one from which on it is not yet taken, so 2^22 takes the nearest, ties up.</param>
    private static int RoundToPower(float quotient, int up)
    {
        const int one = 0x3f80_0000, exponent = 0x7f80_0000, most = 0x4280_0000; // 1, infinity and 64 as floats
        float magnitude = MathF.Abs(quotient);
        if (!(magnitude >= 2 - BitConverter.Int32BitsToSingle(one | up)))
            return 0;
        int power = Math.Clamp((BitConverter.SingleToInt32Bits(magnitude) + up) & exponent, one, most); // a carry out of the fraction doubles it
        return ((power >> 23) - 126) | (quotient < 0 ? 8 : 0);
    }

    /// <summary>What 4 bits say.</summary>
    private static float PowerOf(int q)
    {
        int m = q & 7;
        return m == 0 ? 0 : BitConverter.Int32BitsToSingle(((q & 8) << 28) | ((m + 126) << 23));
    }

    /// <summary>The first half of a block in the lower halves of bytes, the second half in the upper ones.</summary>
    private static void Pack(ReadOnlySpan<int> q, Span<byte> values)
    {
        int half = (q.Length + 1) / 2;
        for (int j = 0; j < half; j++)
            values[j] = (byte)((q[j] & 15) | (half + j < q.Length ? q[half + j] << 4 : 0));
    }

    private static float Scale(ReadOnlySpan<byte> scales, int block) =>
        BlockScale.FromBits(BinaryPrimitives.ReadUInt16LittleEndian(scales[(block * BlockScale.Bytes)..]));
}
