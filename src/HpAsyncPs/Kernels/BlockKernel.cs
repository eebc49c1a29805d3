using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HpAsyncPs.Kernels;

/// <summary>
/// Deltas as whole numbers of 8 bits or powers of two of 4, <see cref="BlockScale.Values"/> at a time, which share a scale. One source, 256-bit vectors
/// and a last block that is short padded, or scalar if it is very short or rounded at random, as <see cref="DeltaKernel"/>. The arrangement of the bytes is that of Codecs/BlockCodec.cs.
/// </summary>
public static class BlockKernel
{
    private const int Lanes = 8;
    private const int Values = BlockScale.Values;
    private const int LeastPadded = 8; // fewer are done one by one sooner than as a whole block

    /// <summary>
    /// Added to a number of small magnitude it leaves no bits for a fraction, so the sum is rounded to a whole number, ties to even, whose
    /// lower bits are the lower bits of the sum; subtracted again, the whole number is left.
    /// </summary>
    private const float Rounder = 12582912; // 1.5 * 2^23

    /// <summary>c = x - h, each rounded to a multiple of its block's scale; h += c. A block with a NaN or an infinity leaves h as it is.</summary>
    /// <param name="x">The new vector.</param>
    /// <param name="h">The reconstruction, of the same length.</param>
    /// <param name="scales">Receives 2 bytes for each block.</param>
    /// <param name="values">Receives a byte for each element.</param>
    /// <param name="dither">How to round.</param>
    public static void EncodeInt8(ReadOnlySpan<float> x, Span<float> h, Span<byte> scales, Span<byte> values, Dither dither)
    {
        SameCount(x.Length, h.Length, scales.Length, values.Length, x.Length);
        int whole = dither.IsStochastic ? Encode<Eight, Stochastic>(x, h, scales, values, dither.Key) : Encode<Eight, Nearest>(x, h, scales, values, 0);
        ReadOnlySpan<float> rest = x[whole..];
        Span<byte> scale = scales[(whole / Values * BlockScale.Bytes)..], bytes = values[whole..];
        if (rest.Length >= LeastPadded && !dither.IsStochastic)
            EncodePadded<Eight>(rest, h[whole..], scale, bytes);
        else
            Scalar.EncodeInt8(rest, h[whole..], scale, bytes, dither.From(whole));
    }

    /// <summary>The same with powers of two, 4 bits an element: of a block of n elements the first (n + 1) / 2 in the lower halves of bytes, the others in the upper ones.</summary>
    public static void EncodeInt4(ReadOnlySpan<float> x, Span<float> h, Span<byte> scales, Span<byte> values, Dither dither)
    {
        SameCount(x.Length, h.Length, scales.Length, values.Length, (x.Length + 1) / 2);
        int whole = dither.IsStochastic ? Encode<Four, Stochastic>(x, h, scales, values, dither.Key) : Encode<Four, Nearest>(x, h, scales, values, 0);
        ReadOnlySpan<float> rest = x[whole..];
        Span<byte> scale = scales[(whole / Values * BlockScale.Bytes)..], bytes = values[(whole / 2)..];
        if (rest.Length >= LeastPadded && !dither.IsStochastic)
            EncodePadded<Four>(rest, h[whole..], scale, bytes);
        else
            Scalar.EncodeInt4(rest, h[whole..], scale, bytes, dither.From(whole));
    }

    /// <summary>c = values times the scale of their block.</summary>
    /// <param name="scales">2 bytes for each block.</param>
    /// <param name="values">A byte for each element.</param>
    /// <param name="c">Receives the delta.</param>
    public static void DecodeInt8(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> values, Span<float> c)
    {
        SameCount(c.Length, c.Length, scales.Length, values.Length, c.Length);
        ref byte s0 = ref MemoryMarshal.GetReference(scales), v0 = ref MemoryMarshal.GetReference(values);
        ref float c0 = ref MemoryMarshal.GetReference(c);
        nuint n = (nuint)c.Length, j = 0;
        for (; j + Values <= n; j += Values)
        {
            Vector256<float> scale = LoadScale(ref s0, j);
            Store(Vector256.LoadUnsafe(ref v0, j).AsSByte(), scale, ref c0, j);
            Store(Vector256.LoadUnsafe(ref v0, j + (Values / 2)).AsSByte(), scale, ref c0, j + (Values / 2));
        }

        int tail = (int)j;
        scales = scales[(tail / Values * BlockScale.Bytes)..];
        values = values[tail..];
        c = c[tail..];
        if (c.Length < LeastPadded)
        {
            Scalar.DecodeInt8(scales, values, c);
            return;
        }

        Span<byte> bytes = stackalloc byte[Values];
        Span<float> padded = stackalloc float[Values];
        values.CopyTo(bytes);
        DecodeInt8(scales, bytes, padded);
        padded[..c.Length].CopyTo(c);
    }

    /// <summary>The same with 4 bits an element.</summary>
    public static void DecodeInt4(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> values, Span<float> c)
    {
        SameCount(c.Length, c.Length, scales.Length, values.Length, (c.Length + 1) / 2);
        ref byte s0 = ref MemoryMarshal.GetReference(scales), v0 = ref MemoryMarshal.GetReference(values);
        ref float c0 = ref MemoryMarshal.GetReference(c);
        nuint n = (nuint)c.Length, j = 0;
        Vector256<byte> lower = Vector256.Create((byte)15);
        for (; j + Values <= n; j += Values)
        {
            Vector256<float> scale = LoadScale(ref s0, j);
            Vector256<byte> pairs = Vector256.LoadUnsafe(ref v0, j / 2);
            StorePowers(pairs & lower, scale, ref c0, j);
            StorePowers((pairs.AsUInt16() >> 4).AsByte() & lower, scale, ref c0, j + (Values / 2));
        }

        int tail = (int)j;
        scales = scales[(tail / Values * BlockScale.Bytes)..];
        values = values[(tail / 2)..];
        c = c[tail..];
        if (c.Length < LeastPadded)
        {
            Scalar.DecodeInt4(scales, values, c);
            return;
        }

        Span<byte> bytes = stackalloc byte[Values / 2];
        Span<float> padded = stackalloc float[Values];
        values.CopyTo(bytes);
        DecodeInt4(scales, bytes, padded);
        padded[..values.Length].CopyTo(c);
        padded.Slice(Values / 2, c.Length - values.Length).CopyTo(c[values.Length..]);
    }

    /// <summary>A short block as a whole one: zeros, in neither vector, change no scale. Rows are short blocks, one after the other.</summary>
    private static void EncodePadded<TBits>(ReadOnlySpan<float> x, Span<float> h, Span<byte> scales, Span<byte> values)
        where TBits : struct
    {
        bool isFour = typeof(TBits) == typeof(Four);
        int first = isFour ? values.Length : x.Length, rest = x.Length - first; // the halves of bytes are as far apart as in a whole block
        Span<float> newer = stackalloc float[Values], older = stackalloc float[Values];
        Span<byte> bytes = stackalloc byte[Values];
        x[..first].CopyTo(newer);
        x[first..].CopyTo(newer[(Values / 2)..]);
        h[..first].CopyTo(older);
        h[first..].CopyTo(older[(Values / 2)..]);
        Encode<TBits, Nearest>(newer, older, scales, bytes, 0);
        older[..first].CopyTo(h);
        older.Slice(Values / 2, rest).CopyTo(h[first..]);
        bytes[..values.Length].CopyTo(values);
    }

    /// <summary>Whole blocks; returns how many elements they have.</summary>
    private static int Encode<TBits, TRounding>(ReadOnlySpan<float> x, Span<float> h, Span<byte> scales, Span<byte> values, uint key)
        where TBits : struct
        where TRounding : struct
    {
        bool isFour = typeof(TBits) == typeof(Four), isStochastic = typeof(TRounding) == typeof(Stochastic);
        int most = isFour ? BlockScale.MostInt4 : BlockScale.MostInt8;
        float damping = !isStochastic ? 1 : isFour ? BlockScale.DampingInt4 : BlockScale.DampingInt8;
        ref float x0 = ref MemoryMarshal.GetReference(x), h0 = ref MemoryMarshal.GetReference(h);
        ref byte s0 = ref MemoryMarshal.GetReference(scales), v0 = ref MemoryMarshal.GetReference(values);
        nuint n = (nuint)x.Length, j = 0;
        for (; j + Values <= n; j += Values)
        {
            Vector256<float> d0 = Difference(ref x0, ref h0, j), d1 = Difference(ref x0, ref h0, j + 8);
            Vector256<float> d2 = Difference(ref x0, ref h0, j + 16), d3 = Difference(ref x0, ref h0, j + 24);
            Vector256<float> d4 = Difference(ref x0, ref h0, j + 32), d5 = Difference(ref x0, ref h0, j + 40);
            Vector256<float> d6 = Difference(ref x0, ref h0, j + 48), d7 = Difference(ref x0, ref h0, j + 56);
            Vector256<int> most01 = Vector256.Max(Magnitude(d0), Magnitude(d1)), most23 = Vector256.Max(Magnitude(d2), Magnitude(d3));
            Vector256<int> most45 = Vector256.Max(Magnitude(d4), Magnitude(d5)), most67 = Vector256.Max(Magnitude(d6), Magnitude(d7));
            float largest = Largest(Vector256.Max(Vector256.Max(most01, most23), Vector256.Max(most45, most67)));
            float sent = BlockScale.Of(largest, most, damping, out float factor);
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref s0, j / Values * BlockScale.Bytes), BlockScale.ToBits(sent));
            nuint at = isFour ? j / 2 : j;
            if (float.IsNaN(sent))
            {
                Vector256<byte>.Zero.StoreUnsafe(ref v0, at);
                if (!isFour)
                    Vector256<byte>.Zero.StoreUnsafe(ref v0, at + (Values / 2));
                continue;
            }

            Vector256<float> inverse = Vector256.Create(factor), scale = Vector256.Create(sent);
            uint position = key + (uint)j;
            Vector256<ushort> q01 = Vector256.Narrow(Step<TBits, TRounding>(d0, inverse, scale, ref h0, j, position), Step<TBits, TRounding>(d1, inverse, scale, ref h0, j + 8, position + 8));
            Vector256<ushort> q23 = Vector256.Narrow(Step<TBits, TRounding>(d2, inverse, scale, ref h0, j + 16, position + 16), Step<TBits, TRounding>(d3, inverse, scale, ref h0, j + 24, position + 24));
            Vector256<ushort> q45 = Vector256.Narrow(Step<TBits, TRounding>(d4, inverse, scale, ref h0, j + 32, position + 32), Step<TBits, TRounding>(d5, inverse, scale, ref h0, j + 40, position + 40));
            Vector256<ushort> q67 = Vector256.Narrow(Step<TBits, TRounding>(d6, inverse, scale, ref h0, j + 48, position + 48), Step<TBits, TRounding>(d7, inverse, scale, ref h0, j + 56, position + 56));
            if (isFour)
            {
                Vector256.Narrow(FourBits(q01) | (FourBits(q45) << 4), FourBits(q23) | (FourBits(q67) << 4)).StoreUnsafe(ref v0, at);
            }
            else
            {
                Vector256.Narrow(q01, q23).StoreUnsafe(ref v0, at);
                Vector256.Narrow(q45, q67).StoreUnsafe(ref v0, at + (Values / 2));
            }
        }

        return (int)j;
    }

    /// <summary>
    /// h += the rounded quotient times the scale. Returns integers whose lower bits are those of the rounded quotient, or sign and
    /// exponent of a power of two as floats have them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Step<TBits, TRounding>(
        Vector256<float> delta, Vector256<float> inverse, Vector256<float> scale, ref float h0, nuint j, uint position)
        where TBits : struct
        where TRounding : struct
    {
        if (typeof(TBits) == typeof(Four))
        {
            Vector256<int> power = RoundToPower(delta, inverse, typeof(TRounding) == typeof(Stochastic) ? (Draw(position) << 7) | Vector256.Create(64) : Vector256.Create(1 << 22));
            (Vector256.LoadUnsafe(ref h0, j) + (power.AsSingle() * scale)).StoreUnsafe(ref h0, j);
            return power.AsUInt32() >> 23;
        }

        Vector256<float> quotient = delta * inverse, rounder = Vector256.Create(Rounder);
        if (typeof(TRounding) == typeof(Stochastic))
        {
            Vector256<float> most = Vector256.Create((float)BlockScale.MostInt8);
            quotient = Vector256.MinNative(Vector256.MaxNative(quotient + Random(position), -most), most);
        }

        // Nearest needs no limits: the scale was rounded up, so a quotient is above the largest whole number by a rounding error at most.
        Vector256<float> rounded = quotient + rounder;
        (Vector256.LoadUnsafe(ref h0, j) + ((rounded - rounder) * scale)).StoreUnsafe(ref h0, j);
        return rounded.AsUInt32();
    }

    /// <summary>As in <see cref="Scalar"/>; returns 0 or the power of two with its sign, as the bits of a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RoundToPower(Vector256<float> delta, Vector256<float> inverse, Vector256<int> up)
    {
        Vector256<int> one = Vector256.Create(0x3f80_0000), exponent = Vector256.Create(0x7f80_0000), most = Vector256.Create(0x4280_0000); // 1, infinity, 64
        Vector256<float> magnitude = Magnitude(delta).AsSingle() * inverse;
        Vector256<int> power = Vector256.Max(Vector256.Min((magnitude.AsInt32() + up) & exponent, most), one);
        return (power | (delta.AsInt32() & Vector256.Create(int.MinValue))) & Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(2f) - (one | up).AsSingle()).AsInt32();
    }

    /// <summary>What <see cref="Step"/> returned of powers of two, as 4 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> FourBits(Vector256<ushort> power)
    {
        Vector256<ushort> none = Vector256.Create((ushort)126);
        return (Vector256.Max(power & Vector256.Create((ushort)byte.MaxValue), none) - none) | ((power >> 5) & Vector256.Create((ushort)8));
    }

    /// <summary>See <see cref="Scalar.Random"/>.</summary>
    private static Vector256<float> Random(uint position) => (Vector256.ConvertToSingle(Draw(position)) - Vector256.Create(32767.5f)) * (1f / 65536);

    private static Vector256<int> Draw(uint position)
    {
        Vector256<uint> z = Vector256.Create(position) + Vector256<uint>.Indices;
        z = (z ^ (z >> 16)) * 0x85ebca6b;
        z = (z ^ (z >> 13)) * 0xc2b2ae35;
        z ^= z >> 16;
        return (z >> 16).AsInt32();
    }

    private static Vector256<float> Difference(ref float x0, ref float h0, nuint j) => Vector256.LoadUnsafe(ref x0, j) - Vector256.LoadUnsafe(ref h0, j);

    private static Vector256<int> Magnitude(Vector256<float> x) => x.AsInt32() & Vector256.Create(int.MaxValue);

    /// <summary>The largest of eight magnitudes, in the order of their bits: infinity is above all numbers, NaN above that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(Vector256<int> magnitudes)
    {
        Vector128<int> most = Vector128.Max(magnitudes.GetLower(), magnitudes.GetUpper());
        most = Vector128.Max(most, Vector128.Shuffle(most, Vector128.Create(2, 3, 0, 1)));
        most = Vector128.Max(most, Vector128.Shuffle(most, Vector128.Create(1, 0, 3, 2)));
        return BitConverter.Int32BitsToSingle(most.ToScalar());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<sbyte> q, Vector256<float> scale, ref float c0, nuint j)
    {
        (Vector256<short> low, Vector256<short> high) = Vector256.Widen(q);
        (Vector256<int> a, Vector256<int> b) = Vector256.Widen(low);
        (Vector256<int> c, Vector256<int> d) = Vector256.Widen(high);
        (Vector256.ConvertToSingle(a) * scale).StoreUnsafe(ref c0, j);
        (Vector256.ConvertToSingle(b) * scale).StoreUnsafe(ref c0, j + Lanes);
        (Vector256.ConvertToSingle(c) * scale).StoreUnsafe(ref c0, j + (2 * Lanes));
        (Vector256.ConvertToSingle(d) * scale).StoreUnsafe(ref c0, j + (3 * Lanes));
    }

    /// <summary>The same of powers of two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePowers(Vector256<byte> q, Vector256<float> scale, ref float c0, nuint j)
    {
        (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(q);
        StorePowers(low, scale, ref c0, j);
        StorePowers(high, scale, ref c0, j + (2 * Lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePowers(Vector256<ushort> q, Vector256<float> scale, ref float c0, nuint j)
    {
        // Sign and exponent are in the upper 16 bits of a float.
        Vector256<ushort> m = q & Vector256.Create((ushort)7), sign = (q & Vector256.Create((ushort)8)) << 12;
        Vector256<ushort> upper = Vector256.AndNot(((m + Vector256.Create((ushort)126)) << 7) | sign, Vector256.Equals(m, Vector256<ushort>.Zero));
        (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(upper);
        ((low << 16).AsSingle() * scale).StoreUnsafe(ref c0, j);
        ((high << 16).AsSingle() * scale).StoreUnsafe(ref c0, j + Lanes);
    }

    private static Vector256<float> LoadScale(ref byte s0, nuint j) =>
        Vector256.Create(BlockScale.FromBits(Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref s0, j / Values * BlockScale.Bytes))));

    private static void SameCount(int x, int h, int scales, int values, int expected)
    {
        if (x != h || scales != ((long)x + Values - 1) / Values * BlockScale.Bytes || values != expected)
            throw new ArgumentException($"{x} elements were given with {h}, {scales} bytes of scales and {values} bytes of values.");
    }

    private readonly struct Four;

    private readonly struct Eight;

    private readonly struct Nearest;

    private readonly struct Stochastic;
}
