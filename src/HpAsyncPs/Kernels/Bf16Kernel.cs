using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HpAsyncPs.Kernels;

/// <summary>Deltas as bf16: the upper half of a float. One source, 256-bit vectors and a scalar tail, as <see cref="DeltaKernel"/>.</summary>
public static class Bf16Kernel
{
    private const int Lanes = 8;

    /// <summary>c = x - h rounded to bf16, to the nearest, ties to even; h += c. A NaN is sent as 0x7fc0; what rounds beyond the largest float is infinite.</summary>
    /// <param name="x">The new vector.</param>
    /// <param name="h">The reconstruction, of the same length.</param>
    /// <param name="values">Receives 2 bytes for each element.</param>
    public static void Encode(ReadOnlySpan<float> x, Span<float> h, Span<byte> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(h.Length, x.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, 2 * x.Length);
        ref float x0 = ref MemoryMarshal.GetReference(x), h0 = ref MemoryMarshal.GetReference(h);
        ref byte v0 = ref MemoryMarshal.GetReference(values);
        nuint n = (nuint)x.Length, j = 0;
        for (; j + (2 * Lanes) <= n; j += 2 * Lanes)
            Vector256.Narrow(Step(ref x0, ref h0, j), Step(ref x0, ref h0, j + Lanes)).AsByte().StoreUnsafe(ref v0, 2 * j);
        int tail = (int)j;
        Scalar.EncodeBf16(x[tail..], h[tail..], values[(2 * tail)..]);
    }

    /// <summary>c = the values.</summary>
    /// <param name="values">2 bytes for each element.</param>
    /// <param name="c">Receives the delta.</param>
    public static void Decode(ReadOnlySpan<byte> values, Span<float> c)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, 2 * c.Length);
        ref byte v0 = ref MemoryMarshal.GetReference(values);
        ref float c0 = ref MemoryMarshal.GetReference(c);
        nuint n = (nuint)c.Length, j = 0;
        for (; j + (2 * Lanes) <= n; j += 2 * Lanes)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.LoadUnsafe(ref v0, 2 * j).AsUInt16());
            (low << 16).AsSingle().StoreUnsafe(ref c0, j);
            (high << 16).AsSingle().StoreUnsafe(ref c0, j + Lanes);
        }

        int tail = (int)j;
        Scalar.DecodeBf16(values[(2 * tail)..], c[tail..]);
    }

    private static Vector256<uint> Step(ref float x0, ref float h0, nuint j)
    {
        Vector256<float> before = Vector256.LoadUnsafe(ref h0, j), delta = Vector256.LoadUnsafe(ref x0, j) - before;
        Vector256<uint> bits = delta.AsUInt32();
        Vector256<uint> rounded = (bits + Vector256.Create(0x7fffu) + ((bits >> 16) & Vector256<uint>.One)) >> 16;
        rounded = Vector256.ConditionalSelect(Vector256.Equals(delta, delta).AsUInt32(), rounded, Vector256.Create((uint)BlockScale.NotFinite));
        (before + (rounded << 16).AsSingle()).StoreUnsafe(ref h0, j);
        return rounded;
    }
}
