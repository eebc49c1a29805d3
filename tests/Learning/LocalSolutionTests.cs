using System;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>What the local solvers compute, against loops over all weights and a solution by Cholesky's method.</summary>
public sealed class LocalSolutionTests
{
    private const int Rows = 60;
    private const int Features = 12;
    private const double Rho = 0.03;
    private const ulong Seed = 5;
    private const double PrecisionOfZ = 1e-7; // single

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1e-2, 0, false)]
    [InlineData(1e-2, 0.02, false)]
    [InlineData(0, 0.02, false)]
    [InlineData(1e-2, 0, true)]
    [InlineData(1e-2, 0.02, true)]
    public void Svrg_is_the_loop_over_all_weights_with_the_same_draws(double l2, double l1, bool intercept)
    {
        LocalProblem problem = Problem(new Penalty(l2, l1, intercept), flatness: 1e-9);
        var solver = new SvrgSteps(new RowSampler(problem.Rows, Seed), problem.Z.Length);
        var draws = new RowSampler(problem.Rows, Seed);
        double[] d = new double[problem.Z.Length];
        foreach (double rho in new[] { Rho, 1e-4, 5, 1e9 }) // one after the other: nothing of the last solution is left
        {
            problem.Rho = rho;
            double passes = solver.Solve(problem, d, CancellationToken.None);
            double[] expected = Loop(problem, draws, (int)Math.Round(passes * Rows));
            for (int j = 0; j < d.Length; j++)
                Assert.Equal(expected[j], d[j], 1e-10 * Math.Max(Math.Abs(expected[j]), rho > 1e6 ? 1e-6 : 1));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Svrg_with_rho_beyond_all_bounds_stays_where_it_is(bool intercept)
    {
        LocalProblem problem = Problem(new Penalty(1e-2, 0.02, intercept), flatness: 1e-9);
        problem.Rho = Math.ScaleB(1, 100); // 1 - step rho is rounded to 0
        double[] d = new double[problem.Z.Length];
        new SvrgSteps(new RowSampler(problem.Rows, Seed), d.Length).Solve(problem, d, CancellationToken.None);
        Assert.All(d, step => Assert.InRange(step, -1e-20, 1e-20));
    }

    [Fact]
    public void Svrg_on_rows_of_written_zeros_goes_along_the_aggregated_gradient()
    {
        var rows = new SparseRows("zeros", [0, 1, 2], [0, 0], [0, 0], [1, -1], 1);
        var problem = new LocalProblem(rows, new Penalty(0.01, 0, false), 1) { Flatness = 1, Rho = 0.03 };
        problem.Gradient[0] = 2;
        double[] d = new double[1];
        new SvrgSteps(new RowSampler(rows, Seed), 1).Solve(problem, d, CancellationToken.None);
        Assert.Equal(-50, d[0], 1e-9);
    }

    [Theory]
    [InlineData(1e9, 0.03, 0, 1)] // nothing is that flat: a pass is enough
    [InlineData(1e-9, 1e-4, 0, 10)]
    [InlineData(1e-9, 5, 0, 1)] // nor is the local problem
    [InlineData(1e-2, 0.03, 1e-2, 0)]
    [InlineData(1e-9, 0.03, 4e-3, 0)]
    public void Svrg_makes_as_many_passes_as_the_flattest_direction_needs(double flatness, double rho, double felt, double passes)
    {
        LocalProblem problem = Problem(new Penalty(1e-2, 0, false), flatness);
        problem.Rho = rho;
        var sampler = new RowSampler(problem.Rows, Seed);
        double step = 1 / ((0.25 * sampler.LargestScaled) + 1e-2 + rho), expected = felt > 0 ? 1 / (step * felt * Rows) : passes;
        Assert.InRange(expected, 1, 10);
        Assert.Equal(expected, new SvrgSteps(sampler, Features).Solve(problem, new double[Features], CancellationToken.None), 1.0 / Rows);
    }

    /// <summary>Begun again from where it ended, as often as is asked for, it goes to the solution: what is random vanishes with the step.</summary>
    [Theory]
    [InlineData(1e-2, 0, false)]
    [InlineData(1e-2, 0, true)]
    [InlineData(1e-2, 0.02, false)]
    [InlineData(1e-2, 0.02, true)]
    public void Svrg_and_gradient_steps_solve_the_local_problem(double l2, double l1, bool intercept)
    {
        var penalty = new Penalty(l2, l1, intercept);
        LocalProblem problem = Problem(penalty, flatness: 1e-9);
        int size = problem.Z.Length;
        double[,] hessian = Hessian(problem);
        double[] gradients = new double[size], svrg = new double[size], d = new double[size];
        new GradientSteps(3000).Solve(problem, gradients, CancellationToken.None);
        AssertSolves(problem, hessian, gradients, 1e-12);

        LocalProblem moving = Problem(penalty, flatness: 1e-9);
        var solver = new SvrgSteps(new RowSampler(problem.Rows, Seed), size);
        for (int times = 0; times < 100; times++)
        {
            solver.Solve(moving, d, CancellationToken.None);
            for (int j = 0; j < size; j++)
                svrg[j] = moving.Z[j] + d[j] - problem.Z[j];
            if (times == 0)
                Assert.InRange(Distance(svrg, gradients), 1e-6, 0.3 * Distance(gradients, new double[size])); // near it at once
            for (int j = 0; j < size; j++)
                moving.Z[j] += (float)d[j];
            for (int j = 0; j < size; j++)
            {
                moving.Gradient[j] = problem.Gradient[j];
                for (int k = 0; k < size; k++)
                    moving.Gradient[j] += hessian[Math.Max(j, k), Math.Min(j, k)] * ((double)moving.Z[k] - problem.Z[k]);
            }
        }

        AssertSolves(problem, hessian, svrg, PrecisionOfZ);
        if (l1 > 0)
            return;
        double[] exact = LogisticDerivatives.SolveSpd(hessian, problem.Gradient); // in place: the last that is done with it
        for (int j = 0; j < size; j++)
        {
            Assert.Equal(-exact[j], gradients[j], 1e-10);
            Assert.Equal(-exact[j], svrg[j], PrecisionOfZ);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0.02, false)]
    [InlineData(0.02, true)]
    public void Optimal_aggregate_is_not_left(double l1, bool intercept)
    {
        LocalProblem problem = Problem(new Penalty(1e-2, l1, intercept), flatness: 1e-9);
        var random = new Random(3);
        for (int j = 0; j < problem.Z.Length; j++)
        {
            double within = (2 * random.NextDouble()) - 1;
            problem.Gradient[j] = -problem.Penalty.L1Of(j) * (problem.Z[j] == 0 ? within : Math.Sign(problem.Z[j]));
        }

        foreach (ILocalSolver solver in new ILocalSolver[] { new SvrgSteps(new RowSampler(problem.Rows, Seed), problem.Z.Length), new GradientSteps(50) })
        {
            double[] d = new double[problem.Z.Length];
            Array.Fill(d, 1);
            solver.Solve(problem, d, CancellationToken.None);
            for (int j = 0; j < d.Length; j++)
            {
                double rounding = problem.Z[j] == 0 && problem.Penalty.L1Of(j) > 0 ? 0 : 1e-14; // what l1 holds at 0 stays there exactly
                Assert.InRange(d[j], -rounding, rounding);
            }
        }
    }

    /// <summary>The method as the books have it: each step moves every weight.</summary>
    private static double[] Loop(LocalProblem problem, RowSampler draws, int steps)
    {
        double[] v = Array.ConvertAll(problem.Z, z => (double)z), row = new double[v.Length];
        double step = 1 / ((0.25 * draws.LargestScaled) + problem.Penalty.L2 + problem.Rho);
        for (int t = 0; t < steps; t++)
        {
            int drawn = draws.Draw(out double scale);
            Array.Clear(row);
            double along = 0;
            for (int k = 0; k < problem.Rows.RowColumns(drawn).Length; k++)
            {
                int j = problem.Rows.RowColumns(drawn)[k];
                row[j] = problem.Rows.RowValues(drawn)[k];
                along += row[j] * (v[j] - problem.Z[j]);
            }

            for (int j = 0; j < v.Length; j++)
            {
                double slope = problem.Gradient[j] + (scale * problem.Curvatures[drawn] * along * row[j])
                    + ((problem.Penalty.L2Of(j) + problem.Rho) * (v[j] - problem.Z[j]));
                v[j] = Penalty.Shrink(v[j] - (step * slope), step * problem.Penalty.L1Of(j));
            }
        }

        for (int j = 0; j < v.Length; j++)
            v[j] -= problem.Z[j];
        return v;
    }

    /// <summary>No step along the slope at z + d, followed by the shrinking, leads away from there.</summary>
    private static void AssertSolves(LocalProblem problem, double[,] hessian, double[] d, double tolerance)
    {
        int zeros = 0;
        for (int j = 0; j < d.Length; j++)
        {
            double slope = problem.Gradient[j], there = problem.Z[j] + d[j];
            for (int k = 0; k < d.Length; k++)
                slope += hessian[Math.Max(j, k), Math.Min(j, k)] * d[k];
            Assert.Equal(there, Penalty.Shrink(there - slope, problem.Penalty.L1Of(j)), tolerance);
            zeros += there == 0 ? 1 : 0;
        }

        Assert.True(problem.Penalty.L1 == 0 || (zeros > 0 && zeros < d.Length - 2), $"{zeros} weights are 0: l1 is not tested");
    }

    private static double Distance(double[] a, double[] b)
    {
        double sum = 0;
        for (int j = 0; j < a.Length; j++)
            sum += (a[j] - b[j]) * (a[j] - b[j]);
        return Math.Sqrt(sum);
    }

    /// <summary>H + rho, the lower triangle.</summary>
    private static double[,] Hessian(LocalProblem problem)
    {
        int size = problem.Z.Length;
        double[,] hessian = new double[size, size];
        for (int row = 0; row < problem.Rows.Rows; row++)
        {
            ReadOnlySpan<int> columns = problem.Rows.RowColumns(row);
            ReadOnlySpan<float> values = problem.Rows.RowValues(row);
            for (int a = 0; a < columns.Length; a++)
            {
                for (int b = 0; b <= a; b++)
                    hessian[columns[a], columns[b]] += (double)problem.Curvatures[row] * values[a] * values[b] / problem.Rows.Rows;
            }
        }

        for (int j = 0; j < size; j++)
            hessian[j, j] += problem.Penalty.L2Of(j) + problem.Rho;
        return hessian;
    }

    /// <summary>Rows of a third of the features, every tenth three times as long; a third of the aggregate is 0.</summary>
    private static LocalProblem Problem(Penalty penalty, double flatness)
    {
        var random = new Random(11);
        long[] starts = new long[Rows + 1];
        var columns = new System.Collections.Generic.List<int>();
        var values = new System.Collections.Generic.List<float>();
        for (int row = 0; row < Rows; row++)
        {
            for (int j = 0; j < Features; j++)
            {
                if (random.Next(3) > 0)
                    continue;
                columns.Add(j);
                values.Add((row % 10 == 0 ? 3 : 1) * (float)((2 * random.NextDouble()) - 1));
            }

            starts[row + 1] = columns.Count;
        }

        var rows = new SparseRows("drawn", starts, [.. columns], [.. values], new float[Rows], Features);
        rows = penalty.HasIntercept ? rows.WithConstant() : rows;
        var problem = new LocalProblem(rows, penalty, rows.Features)
        {
            Smoothness = (0.25 * Smoothness.LargestEigenvalueBound(rows)) + penalty.L2,
            Flatness = flatness,
            Rho = Rho,
        };
        for (int row = 0; row < Rows; row++)
            problem.Curvatures[row] = 0.25f * (float)random.NextDouble();
        for (int j = 0; j < rows.Features; j++)
        {
            problem.Z[j] = j % 3 == 0 ? 0 : (float)((2 * random.NextDouble()) - 1);
            problem.Gradient[j] = 0.1 * ((2 * random.NextDouble()) - 1);
        }

        return problem;
    }
}
