using System;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class SmoothnessTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LargestEigenvalueBound_is_never_below_the_eigenvalue_and_at_most_the_row_norm(bool withSigns)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            int rows = 3 + random.Next(60), features = 1 + random.Next(12);
            double[,] a = new double[rows, features];
            SparseRows data = Random(random, rows, features, withSigns, a);
            double bound = Smoothness.LargestEigenvalueBound(data);
            double eigenvalue = LargestEigenvalue(a, rows, features);
            Assert.True(bound >= eigenvalue * (1 - 1e-12), $"seed {seed}: {bound:R} is below {eigenvalue:R}");
            Assert.True(bound <= LargestRow(a, rows, features) * (1 + 1e-12), $"seed {seed}: above the largest row");
            if (!withSigns)
                Assert.True(bound <= eigenvalue * 1.1, $"seed {seed}: {bound} is loose for non-negative data ({eigenvalue})");
        }
    }

    [Fact]
    public void Gradient_agrees_with_differences_of_the_loss()
    {
        var random = new Random(8);
        double[,] a = new double[40, 7];
        SparseRows data = Random(random, 40, 7, withSigns: true, a);
        float[] signs = BinaryLabels.Of(data).Signs(data);
        var loss = new LogisticLoss(data, signs);
        float[] z = new float[7];
        for (int j = 0; j < 7; j++)
            z[j] = (float)(random.NextDouble() - 0.5);
        double[] gradient = new double[7];
        Assert.True(loss.Gradient(z, gradient, [], CancellationToken.None));
        for (int j = 0; j < 7; j++)
        {
            const float step = 1f / 256;
            float[] up = (float[])z.Clone(), down = (float[])z.Clone();
            up[j] += step;
            down[j] -= step;
            double slope = (loss.Evaluate(up).Loss - loss.Evaluate(down).Loss) / ((double)up[j] - down[j]);
            Assert.Equal(slope, gradient[j], 1e-5);
        }
    }

    [Fact]
    public void Evaluate_huge_margins_neither_overflow_nor_vanish()
    {
        var data = new SparseRows("test", [0, 1, 2], [0, 0], [1e4f, 1e4f], [1, -1], 1);
        (double loss, double accuracy) = new LogisticLoss(data, [1, -1]).Evaluate([1f]);
        Assert.Equal(5000, loss, 1e-9);
        Assert.Equal(0.5, accuracy);
        (loss, _) = new LogisticLoss(new SparseRows("test", [0, 1], [0], [40f], [1], 1), [1]).Evaluate([1f]);
        Assert.Equal(Math.Exp(-40), loss, 1e-30);
    }

    [Fact]
    public void Gradient_interrupted_says_so()
    {
        var data = new SparseRows("test", [0, 1], [0], [1f], [1], 1);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.False(new LogisticLoss(data, [1]).Gradient([1f], new double[1], [], source.Token));
    }

    private static SparseRows Random(Random random, int rows, int features, bool withSigns, double[,] a)
    {
        long[] starts = new long[rows + 1];
        int[] columns = new int[rows * features];
        float[] values = new float[rows * features], labels = new float[rows];
        for (int row = 0; row < rows; row++)
        {
            starts[row + 1] = (row + 1) * features;
            labels[row] = row % 2 == 0 ? 1 : -1;
            for (int j = 0; j < features; j++)
            {
                int k = (row * features) + j;
                columns[k] = j;
                values[k] = (float)(random.NextDouble() - (withSigns ? 0.5 : 0));
                a[row, j] = values[k];
            }
        }

        return new SparseRows("test", starts, columns, values, labels, features);
    }

    private static double LargestRow(double[,] a, int rows, int features)
    {
        double largest = 0;
        for (int row = 0; row < rows; row++)
        {
            double norm = 0;
            for (int j = 0; j < features; j++)
                norm += a[row, j] * a[row, j];
            largest = Math.Max(largest, norm);
        }

        return largest;
    }

    /// <summary>Of A^T A / rows, by many power iterations.</summary>
    private static double LargestEigenvalue(double[,] a, int rows, int features)
    {
        double[] v = new double[features];
        for (int j = 0; j < features; j++)
            v[j] = 1 + (j * 0.1);
        double eigenvalue = 0;
        for (int iteration = 0; iteration < 3000; iteration++)
        {
            double[] w = new double[features];
            for (int row = 0; row < rows; row++)
            {
                double dot = 0;
                for (int j = 0; j < features; j++)
                    dot += a[row, j] * v[j];
                for (int j = 0; j < features; j++)
                    w[j] += a[row, j] * dot / rows;
            }

            eigenvalue = 0;
            foreach (double x in w)
                eigenvalue += x * x;
            eigenvalue = Math.Sqrt(eigenvalue);
            for (int j = 0; j < features; j++)
                v[j] = w[j] / eigenvalue;
        }

        return eigenvalue;
    }
}
