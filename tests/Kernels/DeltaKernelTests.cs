using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using HpAsyncPs.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Kernels;

/// <summary>Every kernel against the scalar reference, bit for bit, between guard pages.</summary>
public sealed class DeltaKernelTests
{
    private static readonly float[] Special =
    [
        0f, -0f, 1f, -1f, float.Epsilon, -float.Epsilon, 1.1754942e-38f, float.MaxValue, float.MinValue, float.NaN,
        float.PositiveInfinity, float.NegativeInfinity, 1e-20f, 3.1415927f, 16777216f, 1e30f,
    ];

    public static TheoryData<int, bool> Lengths()
    {
        var data = new TheoryData<int, bool>();
        for (int n = 0; n <= 65; n++)
        {
            data.Add(n, true);
            data.Add(n, false);
        }

        for (int n = 127; n <= 1023; n += 128)
            data.Add(n, true);
        return data;
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Encode_any_length_agrees_with_scalar(int n, bool guardAfter)
    {
        using GuardedMemory<float> x = Floats(n, guardAfter, 1), h = Floats(n, guardAfter, 2), c = Floats(n, guardAfter, 3);
        float[] h2 = h.Span.ToArray(), c2 = new float[n];
        Scalar.Encode(x.Span, h2, c2);
        DeltaKernel.Encode(x.Span, h.Span, c.Span);
        SameBits(h2, h.Span);
        SameBits(c2, c.Span);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Apply_any_length_agrees_with_scalar(int n, bool guardAfter)
    {
        using GuardedMemory<float> c = Floats(n, guardAfter, 4), h = Floats(n, guardAfter, 5);
        using GuardedMemory<double> sum = Doubles(n, guardAfter, 6);
        float[] h2 = h.Span.ToArray();
        double[] sum2 = sum.Span.ToArray();
        Scalar.Apply(c.Span, 8139, h2, sum2);
        DeltaKernel.Apply(c.Span, 8139, h.Span, sum.Span);
        SameBits(h2, h.Span);
        SameBits(sum2, sum.Span);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Publish_any_length_agrees_with_scalar(int n, bool guardAfter)
    {
        using GuardedMemory<double> sum = Doubles(n, guardAfter, 7);
        using GuardedMemory<float> snapshot = Floats(n, guardAfter, 8);
        float[] snapshot2 = new float[n];
        Scalar.Publish(sum.Span, 1.0 / 3, snapshot2);
        DeltaKernel.Publish(sum.Span, 1.0 / 3, snapshot.Span);
        SameBits(snapshot2, snapshot.Span);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void AddScaled_any_length_agrees_with_scalar(int n, bool guardAfter)
    {
        using GuardedMemory<float> c = Floats(n, guardAfter, 9), x = Floats(n, guardAfter, 10);
        float[] x2 = x.Span.ToArray();
        Scalar.AddScaled(c.Span, 0.3, x2);
        DeltaKernel.AddScaled(c.Span, 0.3, x.Span);
        SameBits(x2, x.Span);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void AddWeighted_any_length_agrees_with_scalar(int n, bool guardAfter)
    {
        using GuardedMemory<float> h = Floats(n, guardAfter, 11);
        using GuardedMemory<double> sum = Doubles(n, guardAfter, 12);
        double[] sum2 = sum.Span.ToArray();
        Scalar.AddWeighted(h.Span, 0.7, sum2);
        DeltaKernel.AddWeighted(h.Span, 0.7, sum.Span);
        SameBits(sum2, sum.Span);
    }

    [Fact]
    public void StaysWithin_one_bad_element_anywhere_is_found()
    {
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            for (int n = 1; n <= 67; n++)
            {
                for (int at = 0; at < n; at++)
                {
                    float[] c = new float[n], h = new float[n];
                    c[at] = bad;
                    Assert.False(DeltaKernel.StaysWithin(c, h, float.MaxValue), $"{bad} at {at} of {n}");
                    Assert.False(Scalar.StaysWithin(c, h, float.MaxValue));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void LargestMagnitude_any_length_agrees_with_scalar(int n, bool guardAfter)
    {
        using GuardedMemory<float> c = Floats(n, guardAfter, 11);
        SameBits([Scalar.LargestMagnitude(c.Span)], [DeltaKernel.LargestMagnitude(c.Span)]);
        c.Span.Fill(-2);
        Assert.Equal(n == 0 ? 0 : 2, DeltaKernel.LargestMagnitude(c.Span));
        for (int at = 0; at < n; at++)
        {
            c.Span[at] = -3;
            Assert.Equal(3, DeltaKernel.LargestMagnitude(c.Span));
            c.Span[at] = float.NegativeInfinity;
            Assert.Equal(float.PositiveInfinity, DeltaKernel.LargestMagnitude(c.Span));
            c.Span[at] = -float.NaN;
            Assert.True(float.IsNaN(DeltaKernel.LargestMagnitude(c.Span)));
            c.Span[at] = 1;
        }
    }

    [Fact]
    public void StaysWithin_sum_that_overflows_is_found_and_largest_sum_is_not()
    {
        float[] c = new float[20], h = new float[20];
        c[13] = h[13] = 2e38f;
        Assert.False(DeltaKernel.StaysWithin(c, h, float.MaxValue));
        c[13] = float.MaxValue;
        h[13] = 0;
        Assert.True(DeltaKernel.StaysWithin(c, h, float.MaxValue));
    }

    [Fact]
    public void Encode_then_decode_residual_is_what_is_missing()
    {
        var random = new Random(5);
        float[] x = new float[999], h = new float[999], c = new float[999];
        for (int round = 0; round < 50; round++)
        {
            for (int j = 0; j < x.Length; j++)
                x[j] = (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-6, 6)));
            float[] before = (float[])h.Clone();
            DeltaKernel.Encode(x, h, c);
            for (int j = 0; j < x.Length; j++)
            {
                Assert.Equal(before[j] + c[j], h[j]);
                Assert.True(Math.Abs(x[j] - h[j]) <= 2e-7 * (Math.Abs(x[j]) + Math.Abs(before[j])), $"residual {x[j] - h[j]} at {j}");
            }
        }

        // Pushing the same vector again leaves no residual at all.
        DeltaKernel.Encode(x, h, c);
        DeltaKernel.Encode(x, h, c);
        Assert.Equal(x, h);
    }

    [Fact]
    public void Kernels_spans_of_different_lengths_are_refused() =>
        Assert.Throws<ArgumentException>(() => DeltaKernel.Apply(new float[3], 1, new float[4], new double[3]));

    private static GuardedMemory<float> Floats(int n, bool guardAfter, int seed)
    {
        var memory = new GuardedMemory<float>(n, guardAfter);
        var random = new Random(seed);
        for (int j = 0; j < n; j++)
            memory.Span[j] = random.Next(4) == 0 ? Special[random.Next(Special.Length)] : (float)(random.NextDouble() - 0.5);
        return memory;
    }

    private static GuardedMemory<double> Doubles(int n, bool guardAfter, int seed)
    {
        var memory = new GuardedMemory<double>(n, guardAfter);
        var random = new Random(seed);
        for (int j = 0; j < n; j++)
            memory.Span[j] = random.Next(5) == 0 ? Special[random.Next(Special.Length)] : random.NextDouble() * 1e5;
        return memory;
    }

    private static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        for (int j = 0; j < expected.Length; j++)
        {
            Assert.True(Bits(expected[j]) == Bits(actual[j]), $"element {j} of {expected.Length}: {expected[j]:R} and {actual[j]:R}");
        }
    }

    private static void SameBits(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        for (int j = 0; j < expected.Length; j++)
        {
            Assert.True(Bits(expected[j]) == Bits(actual[j]), $"element {j} of {expected.Length}: {expected[j]:R} and {actual[j]:R}");
        }
    }

    // The sign and payload of a NaN are not defined; that it is one is.
    private static long Bits(double value) => double.IsNaN(value) ? -1 : BitConverter.DoubleToInt64Bits(value);

    private static int Bits(float value) => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value);
}
