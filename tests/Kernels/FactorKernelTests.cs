using System;
using HpAsyncPs.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Kernels;

public sealed class FactorKernelTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(72)]
    public void UserSteps_agree_with_the_formula_and_stay_in_range(int width)
    {
        const int items = 5, ratings = 40;
        var random = new Random(width);
        using GuardedMemory<float> p = Random(width, random), q = Random(items * width, random), biases = Random(items, random);
        float[] scales = [1, 2, 16, 0.5f, 1.25f];
        float userBias = 0.3f;
        double[] p2 = Array.ConvertAll(p.Span.ToArray(), v => (double)v), q2 = Array.ConvertAll(q.Span.ToArray(), v => (double)v);
        double[] biases2 = Array.ConvertAll(biases.Span.ToArray(), v => (double)v);
        double userBias2 = userBias;
        int[] which = new int[ratings];
        float[] values = new float[ratings];
        for (int r = 0; r < ratings; r++)
            (which[r], values[r]) = (random.Next(items), (float)random.NextDouble() * 2);
        FactorKernel.UserSteps(p.Span, ref userBias, which, values, q.Span, biases.Span, scales, 0.02f, 1f, 0.05f);
        for (int r = 0; r < ratings; r++)
            Step(p2, ref userBias2, q2.AsSpan(which[r] * width, width), ref biases2[which[r]], values[r], 0.02, 0.02 * scales[which[r]], 0.05);
        Near(p2, p.Span);
        Near(q2, q.Span);
        Near(biases2, biases.Span);
        Assert.Equal(userBias2, userBias, 1e-5);
    }

    [Fact]
    public void Dot_of_unlike_or_unpadded_rows_is_refused()
    {
        Assert.Throws<ArgumentException>(() => FactorKernel.Dot(new float[8], new float[16]));
        Assert.Throws<ArgumentException>(() => FactorKernel.Dot(new float[9], new float[9]));
    }

    private static void Step(double[] p, ref double userBias, Span<double> q, ref double itemBias, double value, double step, double itemStep, double decay)
    {
        double e = value - userBias - itemBias;
        for (int k = 0; k < p.Length; k++)
            e -= p[k] * q[k];
        for (int k = 0; k < p.Length; k++)
        {
            double x = p[k], y = q[k];
            p[k] = x + (step * ((e * y) - (decay * x)));
            q[k] = y + (itemStep * ((e * x) - (decay * y)));
        }

        userBias += step * (e - (decay * userBias));
        itemBias += itemStep * (e - (decay * itemBias));
    }

    private static GuardedMemory<float> Random(int length, Random random)
    {
        var memory = new GuardedMemory<float>(length, guardAfter: true);
        for (int j = 0; j < length; j++)
            memory.Span[j] = ((float)random.NextDouble() - 0.5f) * 0.4f;
        return memory;
    }

    private static void Near(double[] expected, ReadOnlySpan<float> actual)
    {
        for (int j = 0; j < expected.Length; j++)
            Assert.Equal(expected[j], actual[j], 1e-5);
    }
}
