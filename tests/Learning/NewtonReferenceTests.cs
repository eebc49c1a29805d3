using System;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class NewtonReferenceTests
{
    [Theory]
    [InlineData(1.0 / 32561, 0.323379582464847, 6.2222256377)]
    [InlineData(1e-3, 0.333340752068716, 3.9883348412)]
    [InlineData(1e-5, 0.322933076713976, 7.0497969752)]
    public void Optimum_of_a9a_is_reproduced(double l2, double optimum, double norm)
    {
        SparseRows rows = LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.svm.gz"), RowPart.All, CancellationToken.None);
        Assert.Equal(32561, rows.Rows);
        Assert.Equal(123, rows.Features);
        Assert.Equal(451592, rows.Nonzeros);

        NewtonReference.Solution found = NewtonReference.Solve(rows, BinaryLabels.Of(rows).Signs(rows), l2);

        Assert.Equal(optimum, found.Objective, 1e-10);
        Assert.True(found.GradientNorm < 1e-9, $"gradient norm {found.GradientNorm}");
        double sum = 0;
        foreach (double weight in found.Weights)
            sum += weight * weight;
        Assert.Equal(norm, Math.Sqrt(sum), 1e-5);
    }

    [Fact]
    public void Test_set_of_a9a_has_its_known_shape()
    {
        SparseRows rows = LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.t.svm.gz"), RowPart.All, CancellationToken.None);
        Assert.Equal(16281, rows.Rows);
        Assert.Equal(122, rows.Features);
        Assert.Equal(new BinaryLabels(-1, 1), BinaryLabels.Of(rows));
    }

    [Fact]
    public void Optimum_of_one_feature_satisfies_its_equation()
    {
        // Two rows x = 1 of class +1 and one of class -1: the mean slope (1 - 2 s(-w) ...) + l2 w must vanish.
        var rows = new SparseRows("memory", [0, 1, 2, 3], [0, 0, 0], [1, 1, 1], [1, 1, -1], 1);
        const double L2 = 0.01;
        NewtonReference.Solution found = NewtonReference.Solve(rows, [1, 1, -1], L2);
        double w = found.Weights[0];
        double slope = ((-2 / (1 + Math.Exp(w))) + (1 / (1 + Math.Exp(-w)))) / 3;
        Assert.Equal(0, slope + (L2 * w), 1e-9);
    }

    [Fact]
    public void Intercept_carries_no_penalty()
    {
        // Without features it is the logarithm of the odds, whatever the l2.
        var rows = new SparseRows("memory", [0, 0, 0, 0, 0], [], [], [1, 1, 1, -1], 1);
        NewtonReference.Solution found = NewtonReference.Solve(rows, [1, 1, 1, -1], 10, intercept: true);
        Assert.Equal(0, found.Weights[0], 1e-12);
        Assert.Equal(Math.Log(3), found.Weights[1], 1e-8);
        Assert.Equal(found.Objective, NewtonReference.Objective(rows, [1, 1, 1, -1], 10, found.Weights), 1e-15);
    }

    [Fact]
    public void Optimum_with_an_intercept_is_below_the_one_without()
    {
        SparseRows rows = LibsvmReader.Read(DataFolder.PathOf("a9a/a9a.svm.gz"), RowPart.All, CancellationToken.None);
        float[] signs = BinaryLabels.Of(rows).Signs(rows);
        NewtonReference.Solution with = NewtonReference.Solve(rows, signs, 1e-3, intercept: true);
        Assert.True(with.GradientNorm < 1e-9, $"gradient norm {with.GradientNorm}");
        Assert.InRange(with.Objective, 0.32, 0.333340752068716);
    }
}
