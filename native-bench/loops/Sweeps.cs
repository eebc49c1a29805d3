using System;
using System.Globalization;
using System.IO;
using System.Numerics.Tensors;
using HpAsyncPs.Buffers;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Bench.Loops;

/// <summary>Sweeps over vectors on the library's own memory. What they made is looked at afterwards: no number for work that was not done.</summary>
internal static class Sweeps
{
    private const int AddBytes = 12;
    private const int ApplyBytes = 28;
    private const double Weight = 0.5;
    private const int CountsTo = 1 << 24; // in fp32, by ones, and stays there

    /// <summary>
    /// Over large vectors TensorPrimitives is slower than over slices of them, by about a tenth where the result goes over an operand: it
    /// seems to store past the caches there, which lines that are in the cache already do not repay.
    /// </summary>
    private const int Slice = 32 * 1024;

    /// <returns>One JSON object.</returns>
    /// <exception cref="InvalidDataException">The sum is not what it must be.</exception>
    public static string Add(int floats, double seconds)
    {
        var pool = new FloatPool(floats, 2, "a, b");
        using FloatBuffer left = pool.Lease(), right = pool.Lease();
        Span<float> a = left.Span, b = right.Span;
        a.Clear();
        b.Fill(1);
        var meter = new Meter(seconds);
        do
        {
            for (int begin = 0; begin < floats; begin += Slice)
            {
                int count = Math.Min(Slice, floats - begin);
                Span<float> some = a.Slice(begin, count);
                TensorPrimitives.Add(some, b.Slice(begin, count), some);
            }
        }
        while (meter.Next());
        MustBe("a", a, Ones(meter.Sweeps));
        return Report("add", floats, AddBytes, meter);
    }

    /// <returns>One JSON object.</returns>
    /// <exception cref="InvalidDataException">The reconstruction or the sum is not what it must be.</exception>
    public static string Apply(int floats, double seconds)
    {
        var pool = new FloatPool(floats, 2, "c, h");
        using FloatBuffer delta = pool.Lease(), reconstruction = pool.Lease();
        Span<float> c = delta.Span, h = reconstruction.Span;
        double[] sum = new double[floats];
        c.Fill(1);
        h.Clear();
        sum.AsSpan().Clear(); // touched, as its pages are in a server that runs
        var meter = new Meter(seconds);
        do
            DeltaKernel.Apply(c, Weight, h, sum);
        while (meter.Next());
        MustBe("h", h, Ones(meter.Sweeps));
        if (sum.AsSpan().ContainsAnyExcept(Weight * Ones(meter.Sweeps)))
            throw new InvalidDataException("sum is not the weighted sum of h");
        return Report("apply", floats, ApplyBytes, meter);
    }

    private static float Ones(long additions) => Math.Min(additions, CountsTo);

    private static void MustBe(string name, ReadOnlySpan<float> x, float value)
    {
        int at = x.IndexOfAnyExcept(value);
        if (at >= 0)
            throw new InvalidDataException($"element {at} of {name} is {x[at]:R} and should be {value:R}");
    }

    private static string Report(string what, int floats, int bytesEach, in Meter meter) => string.Create(CultureInfo.InvariantCulture,
        $"{{\"what\":\"{what}\",\"bytes\":{(long)floats * sizeof(float)},\"gb_per_second\":{(double)floats * bytesEach * meter.Sweeps / meter.Seconds * 1e-9:0.0000},\"microseconds\":{meter.Seconds / meter.Sweeps * 1e6:0.000}}}");
}
