using System;
using HpAsyncPs.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Kernels;

public sealed class TopKKernelTests
{
    [Fact]
    public void Select_any_length_content_and_count_agrees_with_scalar()
    {
        foreach (int n in new[] { 1, 2, 7, 8, 9, 63, 64, 65, 500, 2047, 2048, 2049, 5000, 20_011 })
        {
            for (int kind = 0; kind < Contents.Kinds; kind++)
            {
                using GuardedMemory<float> x = new(n, true), h = new(n, true);
                using GuardedMemory<int> magnitudes = new(n, true), positions = new(n, true);
                Contents.Fill(kind, new Random(n), x.Span, h.Span);
                int[] expected = new int[n];
                foreach (int most in new[] { 1, 2, (n / 100) + 1, (n / 3) + 1, n, n + 5 })
                {
                    int count = Scalar.Select(x.Span, h.Span, most, expected);
                    int found = TopKKernel.Select(x.Span, h.Span, most, magnitudes.Span, positions.Span);
                    Assert.Equal(expected[..count], positions.Span[..found].ToArray());
                }
            }
        }
    }

    [Fact]
    public void Select_border_of_every_number_of_bits_agrees_with_scalar()
    {
        // Values that agree in more and more of their upper bits, and at last in all.
        var random = new Random(1);
        int[] magnitudes = new int[1000], positions = new int[1000], expected = new int[1000];
        for (int bits = 0; bits <= 24; bits++)
        {
            float[] x = new float[1000];
            for (int j = 0; j < x.Length; j++)
                x[j] = BitConverter.Int32BitsToSingle(0x3f800000 + random.Next(1 << bits));
            for (int most = 1; most < 1000; most += 37)
            {
                int count = Scalar.Select(x, new float[1000], most, expected);
                Assert.Equal(most, TopKKernel.Select(x, new float[1000], most, magnitudes, positions));
                Assert.Equal(expected[..count], positions[..most]);
            }
        }
    }

    [Fact]
    public void Select_whatever_a_sample_makes_one_think_agrees_with_scalar()
    {
        // Sorted, so that the sample is right; all in one place; nothing but a few; all equal; equal but for the last.
        const int n = 40_000;
        int[] magnitudes = new int[n], positions = new int[n], expected = new int[n];
        Func<int, float>[] shapes = [j => j, j => j < 500 ? 1 + j : 1e-3f, j => j % 4001 == 7 ? 1 : 0, _ => 2, j => j == n - 1 ? 3 : 2, j => j < n - 300 ? 0 : j];
        foreach (Func<int, float> shape in shapes)
        {
            float[] x = new float[n];
            for (int j = 0; j < n; j++)
                x[j] = shape(j);
            foreach (int most in new[] { 1, 5, 400, 4000, n - 1, n })
            {
                int count = Scalar.Select(x, new float[n], most, expected);
                Assert.Equal(count, TopKKernel.Select(x, new float[n], most, magnitudes, positions));
                Assert.Equal(expected[..count], positions[..count]);
            }
        }
    }

    [Fact]
    public void Select_spans_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => TopKKernel.Select(new float[3], new float[2], 1, new int[3], new int[3]));
        Assert.Throws<ArgumentException>(() => TopKKernel.Select(new float[3], new float[3], 0, new int[3], new int[3]));
        Assert.Throws<ArgumentException>(() => TopKKernel.Select(new float[3], new float[3], 1, new int[3], new int[2]));
    }
}
