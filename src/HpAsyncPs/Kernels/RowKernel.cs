using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HpAsyncPs.Kernels;

/// <summary>
/// Products and sums of dense rows in single precision, padded with zeros to a multiple of <see cref="Lanes"/>. One source of 256-bit vectors,
/// which sum in the same order on every machine; whether a product is rounded before it is added is the processor's.
/// </summary>
public static class RowKernel
{
    /// <summary>Lengths are multiples of this: four vectors, whose sums do not wait for each other.</summary>
    public const int Lanes = 32;

    private const int Width = 8;

    /// <summary>x.a.</summary>
    /// <param name="x">A padded row.</param>
    /// <param name="a">At least as long.</param>
    public static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> a)
    {
        nuint end = Check(x.Length, a.Length);
        ref float x0 = ref MemoryMarshal.GetReference(x), a0 = ref MemoryMarshal.GetReference(a);
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (nuint k = 0; k < end; k += Lanes)
        {
            s0 = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref x0, k), Vector256.LoadUnsafe(ref a0, k), s0);
            s1 = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref x0, k + Width), Vector256.LoadUnsafe(ref a0, k + Width), s1);
            s2 = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref x0, k + (2 * Width)), Vector256.LoadUnsafe(ref a0, k + (2 * Width)), s2);
            s3 = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref x0, k + (3 * Width)), Vector256.LoadUnsafe(ref a0, k + (3 * Width)), s3);
        }

        return Vector256.Sum(s0 + s1 + (s2 + s3));
    }

    /// <summary>x.a and x.b.</summary>
    /// <param name="x">A padded row.</param>
    /// <param name="a">At least as long.</param>
    /// <param name="b">At least as long.</param>
    public static (float A, float B) Dots(ReadOnlySpan<float> x, ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        nuint end = Check(x.Length, Math.Min(a.Length, b.Length));
        ref float x0 = ref MemoryMarshal.GetReference(x), a0 = ref MemoryMarshal.GetReference(a), b0 = ref MemoryMarshal.GetReference(b);
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (nuint k = 0; k < end; k += 2 * Width)
        {
            Vector256<float> even = Vector256.LoadUnsafe(ref x0, k), odd = Vector256.LoadUnsafe(ref x0, k + Width);
            s0 = Vector256.MultiplyAddEstimate(even, Vector256.LoadUnsafe(ref a0, k), s0);
            s1 = Vector256.MultiplyAddEstimate(odd, Vector256.LoadUnsafe(ref a0, k + Width), s1);
            s2 = Vector256.MultiplyAddEstimate(even, Vector256.LoadUnsafe(ref b0, k), s2);
            s3 = Vector256.MultiplyAddEstimate(odd, Vector256.LoadUnsafe(ref b0, k + Width), s3);
        }

        return (Vector256.Sum(s0 + s1), Vector256.Sum(s2 + s3));
    }

    /// <summary>a += factor x.</summary>
    /// <param name="x">A padded row.</param>
    /// <param name="factor">Of it.</param>
    /// <param name="a">At least as long.</param>
    public static void Add(ReadOnlySpan<float> x, float factor, Span<float> a)
    {
        nuint end = Check(x.Length, a.Length);
        ref float x0 = ref MemoryMarshal.GetReference(x), a0 = ref MemoryMarshal.GetReference(a);
        Vector256<float> by = Vector256.Create(factor);
        for (nuint k = 0; k < end; k += 2 * Width)
        {
            Vector256.MultiplyAddEstimate(by, Vector256.LoadUnsafe(ref x0, k), Vector256.LoadUnsafe(ref a0, k)).StoreUnsafe(ref a0, k);
            Vector256.MultiplyAddEstimate(by, Vector256.LoadUnsafe(ref x0, k + Width), Vector256.LoadUnsafe(ref a0, k + Width)).StoreUnsafe(ref a0, k + Width);
        }
    }

    private static nuint Check(int length, int other)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(length % Lanes, 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(other, length);
        return (nuint)length;
    }
}
