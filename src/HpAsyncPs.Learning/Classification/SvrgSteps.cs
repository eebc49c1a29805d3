using System;
using System.Threading;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// SVRG on the local problem: each step takes one row, whose part of the gradient at z is known, so that what is random
/// about a step vanishes with d. Everything but that row's entries is the same affine map, and with l1 a shrinking, at every step, so a
/// weight is brought up to date only when a row touches it, for all steps that it missed at once: <see cref="LazySteps"/>.
/// Sources: R. Johnson, T. Zhang, Accelerating Stochastic Gradient Descent using Predictive Variance Reduction, NIPS 2013;
/// L. Xiao, T. Zhang, A Proximal Stochastic Gradient Method with Progressive Variance Reduction, SIAM J. Optim. 24(4), 2014;
/// rows by their size: the same; lazy steps: J. Langford, L. Li, T. Zhang, Sparse Online Learning via Truncated Gradient, JMLR 10, 2009.
/// </summary>
public sealed class SvrgSteps : ILocalSolver
{
    private const double LargestCurvature = 0.25;
    private const int MostPasses = 10;

    // The local problem has no direction flatter than l2 + rho; so many times 1 / (step (l2 + rho)) steps solve it, and more bring nothing.
    private const double TimesRho = 10;
    private const int StepsBetweenInterrupts = 4096;

    private readonly RowSampler _sampler;
    private readonly double _largest;
    private readonly LazySteps _lazy;
    private readonly double[] _v;
    private readonly int[] _touched;
    private readonly DenseSteps? _dense;

    /// <param name="sampler">Draws rows.</param>
    /// <param name="parameters">Number of weights.</param>
    /// <param name="dense">The rows in full, or null; not used where there is l1.</param>
    public SvrgSteps(RowSampler sampler, int parameters, DenseRows? dense = null)
    {
        _dense = dense is null ? null : new DenseSteps(dense, parameters);
        _sampler = sampler;
        _largest = LargestCurvature * sampler.LargestScaled;
        _lazy = new LazySteps();
        _v = new double[parameters];
        _touched = new int[parameters];
    }

    /// <inheritdoc/>
    public double Solve(LocalProblem problem, double[] d, CancellationToken interrupt)
    {
        float[] z = problem.Z;
        _lazy.Begin(_largest, problem.Rho, problem.Penalty);
        double step = _lazy.Step;
        for (int j = 0; j < z.Length; j++)
            _v[j] = z[j];
        Array.Clear(_touched);

        int rows = problem.Rows.Rows;
        double flattest = Math.Max(problem.Flatness, (problem.Penalty.L2 + problem.Rho) / TimesRho);
        double passes = problem.PassesFor(Math.Clamp(1 / (step * flattest * rows), 1, MostPasses));
        int last = (int)Math.Min(passes * rows, int.MaxValue - 1);
        DenseSteps? dense = problem.Penalty.L1 == 0 ? _dense : null;
        dense?.Begin(_lazy, problem);
        for (int t = 0; t < last; t++)
        {
            if (t % StepsBetweenInterrupts == 0 && interrupt.IsCancellationRequested)
                break;
            int row = _sampler.Draw(out double scale);
            if (dense is not null)
                dense.Step(row, scale * step * problem.Curvatures[row]);
            else
                Step(problem, row, t, scale * step);
        }

        if (dense is not null)
        {
            dense.End(d);
            return (double)last / rows;
        }

        for (int j = 0; j < z.Length; j++)
            d[j] = _lazy.Advance(_v[j], last - _touched[j], z[j], problem.Gradient[j], j) - z[j];
        return (double)last / rows;
    }

    private void Step(LocalProblem problem, int row, int t, double step)
    {
        ReadOnlySpan<int> columns = problem.Rows.RowColumns(row);
        ReadOnlySpan<float> values = problem.Rows.RowValues(row);
        float[] z = problem.Z;
        double[] gradient = problem.Gradient, v = _v;
        int[] touched = _touched;
        double along = 0;
        for (int k = 0; k < columns.Length; k++)
        {
            int j = columns[k], missed = t - touched[j];
            if (missed > 0)
            {
                v[j] = _lazy.Advance(v[j], missed, z[j], gradient[j], j);
                touched[j] = t;
            }

            along += values[k] * (v[j] - z[j]);
        }

        if (along == 0)
            return; // where v is z, and where all entries are 0 and so is the contraction
        along *= step * problem.Curvatures[row]; // the map of this step comes after, and contracts it too
        int first = 0;
        if (problem.Penalty.HasIntercept && columns.Length > 0 && columns[0] == 0)
            v[0] -= along / _lazy.FreeContraction * values[first++];
        along /= _lazy.Contraction;
        for (int k = first; k < columns.Length; k++)
            v[columns[k]] -= along * values[k];
    }
}
