using System;

namespace HpAsyncPs.Kernels;

/// <summary>
/// The reference: what every kernel computes, written to be read. Each vectorised kernel must agree with it bit for
/// bit, at any vector width. Not used on any hot path.
/// </summary>
public static partial class Scalar
{
    /// <summary>See <see cref="DeltaKernel.Encode"/>.</summary>
    public static void Encode(ReadOnlySpan<float> x, Span<float> h, Span<float> c)
    {
        for (int j = 0; j < x.Length; j++)
        {
            c[j] = x[j] - h[j];
            h[j] += c[j];
        }
    }

    /// <summary>See <see cref="DeltaKernel.StaysWithin"/>.</summary>
    public static bool StaysWithin(ReadOnlySpan<float> c, ReadOnlySpan<float> h, float limit)
    {
        bool finite = true;
        for (int j = 0; j < c.Length; j++)
            finite &= MathF.Abs(h[j] + c[j]) <= limit; // false for NaN
        return finite;
    }

    /// <summary>See <see cref="DeltaKernel.Apply"/>.</summary>
    public static void Apply(ReadOnlySpan<float> c, double weight, Span<float> h, Span<double> sum)
    {
        for (int j = 0; j < c.Length; j++)
        {
            float before = h[j];
            h[j] = before + c[j];
            sum[j] += weight * ((double)h[j] - before);
        }
    }

    /// <summary>See <see cref="DeltaKernel.Publish"/>.</summary>
    public static void Publish(ReadOnlySpan<double> sum, double scale, Span<float> snapshot)
    {
        for (int j = 0; j < sum.Length; j++)
            snapshot[j] = (float)(sum[j] * scale);
    }

    /// <summary>See <see cref="DeltaKernel.AddScaled"/>.</summary>
    public static void AddScaled(ReadOnlySpan<float> c, double scale, Span<float> x)
    {
        for (int j = 0; j < c.Length; j++)
            x[j] = (float)(x[j] + (scale * c[j]));
    }

    /// <summary>See <see cref="DeltaKernel.AddWeighted"/>.</summary>
    public static void AddWeighted(ReadOnlySpan<float> h, double weight, Span<double> sum)
    {
        for (int j = 0; j < h.Length; j++)
            sum[j] += weight * h[j];
    }

    /// <summary>See <see cref="DeltaKernel.LargestMagnitude"/>.</summary>
    public static float LargestMagnitude(ReadOnlySpan<float> c)
    {
        int largest = 0;
        for (int j = 0; j < c.Length; j++)
            largest = Math.Max(largest, BitConverter.SingleToInt32Bits(c[j]) & int.MaxValue);
        return BitConverter.Int32BitsToSingle(largest);
    }
}
