using System;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class L1ReferenceTests
{
    [Theory]
    [InlineData(0.2, 0, false)]
    [InlineData(0.05, 0, false)]
    [InlineData(0.05, 0, true)]
    [InlineData(0.01, 0.1, true)]
    [InlineData(1e-4, 0, true)]
    public void Optimum_of_generated_data_satisfies_its_conditions(double l1, double l2, bool intercept)
    {
        (SparseRows rows, float[] signs) = Generated();
        L1Reference.Solution found = L1Reference.Solve(rows, signs, l1, l2, intercept);
        AssertOptimal(rows, signs, l1, l2, intercept, found);
    }

    [Theory]
    [InlineData(1e-3, false, 0.347035069372978)]
    [InlineData(1e-3, true, 0.346898352435986)]
    [InlineData(1e-4, false, 0.326898961969135)]
    [InlineData(1e-4, true, 0.326837405154989)]
    public void Optimum_of_a9a_satisfies_its_conditions(double l1, bool intercept, double optimum)
    {
        SparseRows rows = LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.svm.gz"), RowPart.All, CancellationToken.None);
        float[] signs = BinaryLabels.Of(rows).Signs(rows);
        L1Reference.Solution found = L1Reference.Solve(rows, signs, l1, 0, intercept);
        AssertOptimal(rows, signs, l1, 0, intercept, found);
        Assert.Equal(optimum, found.Objective, 1e-13);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_l1_it_is_the_optimum_of_Newton(bool intercept)
    {
        (SparseRows rows, float[] signs) = Generated();
        NewtonReference.Solution newton = NewtonReference.Solve(rows, signs, 0.05, intercept);
        L1Reference.Solution found = L1Reference.Solve(rows, signs, 0, 0.05, intercept);
        Assert.Equal(newton.Objective, found.Objective, 1e-14);
        for (int j = 0; j < found.Weights.Length; j++)
            Assert.Equal(newton.Weights[j], found.Weights[j], 1e-6);
    }

    [Fact]
    public void Penalty_beyond_the_gradient_at_zero_leaves_the_intercept_alone()
    {
        (SparseRows rows, float[] signs) = Generated();
        L1Reference.Solution found = L1Reference.Solve(rows, signs, 10, 0, intercept: true);
        Assert.Empty(found.Support);
        double positive = 0;
        foreach (float sign in signs)
            positive += sign > 0 ? 1 : 0;
        Assert.Equal(Math.Log(positive / (signs.Length - positive)), found.Weights[^1], 1e-9);
    }

    /// <summary>Conditions of Karush, Kuhn and Tucker from sums of their own, and no neighbour that is better.</summary>
    private static void AssertOptimal(SparseRows rows, float[] signs, double l1, double l2, bool intercept, L1Reference.Solution found)
    {
        Assert.InRange(found.Residual, 0, L1Reference.Tolerance);
        Assert.Equal(rows.Features + (intercept ? 1 : 0), found.Weights.Length);
        double[] slope = Slope(rows, signs, found.Weights);
        for (int j = 0; j < rows.Features; j++)
        {
            bool supported = Array.BinarySearch(found.Support, j) >= 0;
            Assert.Equal(found.Weights[j] != 0, supported);
            if (supported)
                Assert.Equal(-l1 * Math.Sign(found.Weights[j]), slope[j] + (l2 * found.Weights[j]), 1e-11);
            else
                Assert.InRange(Math.Abs(slope[j]), 0, l1 + 1e-11);
        }

        if (intercept)
            Assert.Equal(0, slope[^1], 1e-11);
        for (int j = 0; j < found.Weights.Length; j += 7)
        {
            double[] beside = (double[])found.Weights.Clone();
            beside[j] += 1e-3;
            Assert.True(L1Reference.Objective(rows, signs, l1, l2, beside) > found.Objective - 1e-15);
        }
    }

    /// <summary>Gradient of the mean loss, column by column of a dense copy.</summary>
    private static double[] Slope(SparseRows rows, float[] signs, double[] weights)
    {
        double[] slope = new double[rows.Features + 1];
        for (int row = 0; row < rows.Rows; row++)
        {
            double[] dense = new double[slope.Length];
            dense[^1] = 1;
            for (int k = 0; k < rows.RowColumns(row).Length; k++)
                dense[rows.RowColumns(row)[k]] = rows.RowValues(row)[k];
            double margin = 0;
            for (int j = 0; j < weights.Length; j++)
                margin += weights[j] * dense[j];
            double factor = -signs[row] / (1 + Math.Exp(signs[row] * margin)) / rows.Rows;
            for (int j = 0; j < slope.Length; j++)
                slope[j] += factor * dense[j];
        }

        return slope;
    }

    /// <summary>300 rows of 25 features: a third of them matters, two are equal, one has no entry; classes are 2 to 1.</summary>
    private static (SparseRows Rows, float[] Signs) Generated()
    {
        const int Rows = 300, Features = 25;
        var random = new Random(11);
        long[] starts = new long[Rows + 1];
        int[] columns = new int[Rows * (Features - 1)];
        float[] values = new float[columns.Length], signs = new float[Rows];
        for (int row = 0, at = 0; row < Rows; row++)
        {
            double margin = 1 + (2 * (random.NextDouble() - 0.5));
            for (int j = 0; j < Features - 1; j++, at++)
            {
                columns[at] = j;
                values[at] = j == 1 ? values[at - 1] : (float)(random.NextDouble() - 0.5) * (1 + (j % 4));
                margin += values[at] * (j % 3 == 0 ? 1 : 0);
            }

            starts[row + 1] = at;
            signs[row] = margin > 0 ? 1 : -1;
        }

        return (new SparseRows("generated", starts, columns, values, signs, Features), signs);
    }
}
