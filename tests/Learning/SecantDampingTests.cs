using System;
using HpAsyncPs.Learning.Classification;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>theta from two gradients.</summary>
public sealed class SecantDampingTests
{
    [Theory]
    [InlineData(2.5, 0.4)] // each step goes two and a half times too far
    [InlineData(1.25, 0.8)]
    [InlineData(0.8, 1.25)]
    [InlineData(0.1, SecantDamping.Most)]
    [InlineData(10, SecantDamping.Least)]
    public void On_a_quadratic_it_is_at_once_what_ends_at_the_optimum(double times, double theta)
    {
        double[] curvatures = [3, 3];
        float[] z = [5, -2];
        var damping = new SecantDamping();
        double[] gradient = Gradient();
        damping.Observe(z, gradient);
        Assert.Equal(1, damping.Theta);
        for (int j = 0; j < z.Length; j++)
            z[j] -= (float)(times * gradient[j] / curvatures[j]);
        damping.Observe(z, Gradient());
        Assert.Equal(theta, damping.Theta, 1e-6);

        double[] Gradient() => [curvatures[0] * z[0], curvatures[1] * z[1]];
    }

    [Fact]
    public void A_way_that_did_not_go_down_changes_nothing()
    {
        var damping = new SecantDamping();
        damping.Observe([0, 0], [1, 1]);
        damping.Observe([1, 0], [2, 1]);
        Assert.Equal(1, damping.Theta);
        damping.Observe([1, 0], [2, 1]); // nor does one of no length
        Assert.Equal(1, damping.Theta);
        damping.Observe([0, 0], [0.5, double.NaN]);
        Assert.InRange(damping.Theta, SecantDamping.Least, SecantDamping.Most);
    }
}
