using System;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Rows in full give what the same rows give in compressed form.</summary>
public sealed class DenseRowsTests
{
    private const int Rows = 300;
    private const int Features = 70;
    private const ulong Seed = 5;

    [Fact]
    public void Zeros_are_written_out_where_that_pays()
    {
        SparseRows rows = Made(Features, 2);
        DenseRows dense = DenseRows.Of(rows)!;
        Assert.Equal(96, dense.Width);
        for (int row = 0; row < Rows; row++)
        {
            float[] expected = new float[dense.Width];
            for (int k = 0; k < rows.RowColumns(row).Length; k++)
                expected[rows.RowColumns(row)[k]] = rows.RowValues(row)[k];
            Assert.Equal(expected, dense.Row(row));
        }

        Assert.Null(DenseRows.Of(Made(Features, 5)));
        Assert.Null(DenseRows.Of(Made(20, 2)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)] // features that other workers alone have
    public void Gradient_is_the_same(int more)
    {
        SparseRows rows = Made(Features, 2);
        float[] signs = rows.Labels.ToArray(), z = Numbers(Features + more, 3);
        float[] curvatures = new float[Rows], denseCurvatures = new float[Rows];
        double[] gradient = new double[z.Length], denseGradient = new double[z.Length];
        new LogisticLoss(rows, signs).Gradient(z, gradient, curvatures, CancellationToken.None);
        new LogisticLoss(rows, signs, DenseRows.Of(rows)).Gradient(z, denseGradient, denseCurvatures, CancellationToken.None);
        for (int j = 0; j < z.Length; j++)
            Assert.Equal(gradient[j], denseGradient[j], 1e-7);
        for (int row = 0; row < Rows; row++)
            Assert.Equal(curvatures[row], denseCurvatures[row], 1e-6f);
    }

    [Theory]
    [InlineData(0.03, false, 0)]
    [InlineData(0.03, true, 0)]
    [InlineData(1e-4, false, 40)]
    [InlineData(5, true, 0)]
    [InlineData(1e9, true, 40)]
    public void Svrg_takes_the_same_steps(double rho, bool intercept, int more)
    {
        SparseRows rows = intercept ? Made(Features, 2).WithConstant() : Made(Features, 2);
        var penalty = new Penalty(1e-2, 0, intercept);
        int size = rows.Features + more;
        var problem = new LocalProblem(rows, penalty, size) { Smoothness = 10, Flatness = 1e-9, Rho = rho };
        Numbers(size, 7).CopyTo(problem.Z, 0);
        float[] gradient = Numbers(size, 8);
        for (int j = 0; j < size; j++)
            problem.Gradient[j] = gradient[j];
        Array.Fill(problem.Curvatures, 0.2f);
        double[] sparse = new double[size], dense = new double[size];
        var solver = new SvrgSteps(new RowSampler(rows, Seed), size, DenseRows.Of(rows));
        new SvrgSteps(new RowSampler(rows, Seed), size).Solve(problem, sparse, CancellationToken.None);
        solver.Solve(problem, dense, CancellationToken.None);
        double longest = 0;
        foreach (double one in sparse)
            longest = Math.Max(longest, Math.Abs(one));
        for (int j = 0; j < size; j++)
            Assert.Equal(sparse[j], dense[j], 1e-4 * longest);

        Array.Clear(problem.Gradient);
        solver.Solve(problem, dense, CancellationToken.None); // nothing of the last solution is left, and an optimum is not
        Assert.All(dense, step => Assert.Equal(0, step));
    }

    /// <summary>Every so many-th entry is not zero.</summary>
    private static SparseRows Made(int features, int every)
    {
        var random = new Random(1);
        int each = features / every;
        long[] starts = new long[Rows + 1];
        int[] columns = new int[Rows * each];
        float[] values = new float[Rows * each], labels = new float[Rows];
        for (int row = 0; row < Rows; row++)
        {
            labels[row] = random.Next(2) == 0 ? -1 : 1;
            starts[row + 1] = starts[row] + each;
            for (int k = 0; k < each; k++)
            {
                columns[(row * each) + k] = (k * every) + random.Next(k == each - 1 ? features - (k * every) : every);
                values[(row * each) + k] = random.NextSingle();
            }
        }

        columns[^1] = features - 1;
        return new SparseRows("made", starts, columns, values, labels, features);
    }

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        float[] numbers = new float[count];
        for (int j = 0; j < count; j++)
            numbers[j] = random.NextSingle() - 0.5f;
        return numbers;
    }
}
