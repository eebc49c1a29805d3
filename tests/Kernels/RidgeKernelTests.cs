using System;
using HpAsyncPs.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Kernels;

public sealed class RidgeKernelTests
{
    [Theory]
    [InlineData(8, 1)]
    [InlineData(8, 3)]
    [InlineData(8, 4)]
    [InlineData(16, 50)]
    [InlineData(32, 7)]
    [InlineData(40, 300)]
    public void Solution_has_no_gradient_left(int width, int ratings)
    {
        const int items = 60;
        const float decay = 0.05f;
        var random = new Random(width + ratings);
        using var q = new GuardedMemory<float>(items * width, guardAfter: true);
        using var p = new GuardedMemory<float>(width, guardAfter: true);
        using var scratch = new GuardedMemory<float>(RidgeKernel.Scratch(width), guardAfter: true);
        scratch.Span.Fill(float.NaN);
        int[] which = new int[ratings];
        float[] values = new float[ratings], biases = new float[items];
        for (int j = 0; j < q.Span.Length; j++)
            q.Span[j] = (float)(random.NextDouble() - 0.5);
        for (int j = 0; j < items; j++)
            biases[j] = (float)(random.NextDouble() - 0.5);
        for (int r = 0; r < ratings; r++)
            (which[r], values[r]) = (random.Next(items), (float)(4 * (random.NextDouble() - 0.5)));

        float bias = RidgeKernel.Solve(p.Span, which, values, q.Span, biases, decay, scratch.Span);

        double[] gradient = new double[width + 1];
        for (int k = 0; k <= width; k++)
            gradient[k] = ratings * decay * (k < width ? p.Span[k] : (double)bias);
        for (int r = 0; r < ratings; r++)
        {
            double error = values[r] - biases[which[r]] - bias;
            for (int k = 0; k < width; k++)
                error -= (double)p.Span[k] * q.Span[(which[r] * width) + k];
            for (int k = 0; k <= width; k++)
                gradient[k] -= error * (k < width ? q.Span[(which[r] * width) + k] : 1);
        }

        Assert.All(gradient, g => Assert.InRange(g, -2e-4 * ratings, 2e-4 * ratings));
        Assert.True(Math.Abs(bias) > 1e-3);
    }

    [Fact]
    public void User_without_ratings_gets_zeros()
    {
        float[] p = [1, 2, 3, 4, 5, 6, 7, 8];
        Assert.Equal(0, RidgeKernel.Solve(p, [], [], new float[8], new float[1], 0.05f, new float[RidgeKernel.Scratch(8)]));
        Assert.All(p, v => Assert.Equal(0, v));
    }
}
