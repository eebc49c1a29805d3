using System;
using HpAsyncPs.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Kernels;

public sealed class RowKernelTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    [InlineData(800)]
    public void Products_and_sums_are_those_of_double(int length)
    {
        float[] x = Made(length, 1), a = Made(length, 2), b = Made(length, 3);
        double withA = 0, withB = 0;
        for (int j = 0; j < length; j++)
        {
            withA += (double)x[j] * a[j];
            withB += (double)x[j] * b[j];
        }

        Assert.Equal(withA, RowKernel.Dot(x, a), 1e-4);
        (float ofA, float ofB) = RowKernel.Dots(x, a, b);
        Assert.Equal(withA, ofA, 1e-4);
        Assert.Equal(withB, ofB, 1e-4);

        float[] sum = [.. a];
        RowKernel.Add(x, -0.5f, sum);
        for (int j = 0; j < length; j++)
            Assert.Equal(a[j] - (0.5 * x[j]), sum[j], 1e-6);
    }

    [Fact]
    public void Rows_that_are_not_padded_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RowKernel.Dot(new float[33], new float[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowKernel.Dot(new float[64], new float[32]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowKernel.Add(new float[64], 1, new float[32]));
    }

    private static float[] Made(int length, int seed)
    {
        float[] made = new float[length];
        for (int j = 0; j < length; j++)
            made[j] = MathF.Sin((seed * 7.3f) + (j * (seed + 0.1f)));
        return made;
    }
}
