using System;
using HpAsyncPs.Learning.Classification;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Many steps at once against one after the other.</summary>
public sealed class LazyStepsTests
{
    private const int Steps = 2000;
    private static readonly double[] Starts = [0, 1e-9, 0.02, -0.3, 4];
    private static readonly double[] Centres = [0, -0.05, 0.7];
    private static readonly double[] Gradients = [0, 1e-4, 0.03, -0.6];
    private static readonly double[] Rhos = [1e-5, 0.01, 2];

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1e-3, 0, false)]
    [InlineData(1e-3, 1e-4, false)]
    [InlineData(0, 0.02, false)]
    [InlineData(1e-3, 0.3, false)]
    [InlineData(1e-3, 0.02, true)]
    [InlineData(0.1, 0, true)]
    public void Advance_is_what_so_many_single_steps_are(double l2, double l1, bool isIntercept)
    {
        var penalty = new Penalty(l2, l1, HasIntercept: true);
        int j = isIntercept ? 0 : 1, crossings = 0, zeros = 0;
        foreach (double rho in Rhos)
        {
            var lazy = new LazySteps();
            lazy.Begin(curvature: 0.8, rho, penalty);
            foreach (double start in Starts)
            {
                foreach (double z in Centres)
                {
                    foreach (double gradient in Gradients)
                    {
                        double v = start, scale = Math.Abs(start) + Math.Abs(z) + ((Math.Abs(gradient) + penalty.L1Of(j)) / (penalty.L2Of(j) + rho));
                        bool wasPositive = start > 0;
                        for (int steps = 0; steps <= Steps; steps++)
                        {
                            double atOnce = lazy.Advance(start, steps, z, gradient, j);
                            if (!(Math.Abs(v - atOnce) <= 1e-12 * scale))
                                Assert.Fail($"rho {rho}, from {start}, z {z}, g {gradient}, {steps} steps: {atOnce:R}, one by one {v:R}");
                            crossings += v != 0 && start != 0 && v > 0 != wasPositive ? 1 : 0;
                            zeros += v == 0 && start != 0 ? 1 : 0;
                            v = One(v, lazy.Step, z, gradient, rho, penalty, j);
                        }
                    }
                }
            }
        }

        Assert.True(crossings > Steps, "hardly any weight changed its sign: nothing is tested");
        Assert.True(zeros > Steps || penalty.L1Of(j) == 0, "hardly any weight became 0: nothing is tested");
    }

    [Fact]
    public void Begin_makes_the_longest_step_that_is_safe_and_leaves_something_however_large_rho_is()
    {
        var lazy = new LazySteps();
        lazy.Begin(curvature: 0.5, rho: 0.25, new Penalty(0.25, 0, false));
        Assert.Equal(1, lazy.Step);
        Assert.Equal(0.5, lazy.Contraction);
        Assert.Equal(0.75, lazy.FreeContraction);
        lazy.Begin(curvature: 0.5, rho: 1e30, new Penalty(0.25, 0, false));
        Assert.Equal(0.5e-30, lazy.Contraction, 1e-40);
    }

    private static double One(double v, double step, double z, double gradient, double rho, Penalty penalty, int j) =>
        Penalty.Shrink(v - (step * (gradient + ((penalty.L2Of(j) + rho) * (v - z)))), step * penalty.L1Of(j));
}
