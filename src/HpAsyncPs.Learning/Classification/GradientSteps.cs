using System;
using System.Threading;

namespace HpAsyncPs.Learning.Classification;

/// <summary>Proximal gradient steps on the local problem, each a pass, of the length 1 / (smoothness + rho).</summary>
/// <param name="steps">How many, at least 1.</param>
public sealed class GradientSteps(int steps) : ILocalSolver
{
    private double[] _slope = [];

    /// <inheritdoc/>
    public double Solve(LocalProblem problem, double[] d, CancellationToken interrupt)
    {
        if (_slope.Length != d.Length)
            _slope = new double[d.Length];
        Array.Clear(d);
        Penalty penalty = problem.Penalty;
        double step = 1 / (problem.Smoothness + problem.Rho);
        int last = (int)Math.Ceiling(problem.PassesFor(steps));
        for (int q = 0; q < last && !interrupt.IsCancellationRequested; q++)
        {
            MultiplyByHessian(problem, d);
            for (int j = 0; j < d.Length; j++)
            {
                double slope = problem.Gradient[j] + _slope[j] + ((penalty.L2Of(j) + problem.Rho) * d[j]), z = problem.Z[j];
                d[j] = Penalty.Shrink(z + d[j] - (step * slope), step * penalty.L1Of(j)) - z;
            }
        }

        return last;
    }

    private void MultiplyByHessian(LocalProblem problem, double[] d)
    {
        Array.Clear(_slope);
        double scale = 1.0 / problem.Rows.Rows;
        for (int row = 0; row < problem.Rows.Rows; row++)
        {
            ReadOnlySpan<int> columns = problem.Rows.RowColumns(row);
            ReadOnlySpan<float> values = problem.Rows.RowValues(row);
            double along = 0;
            for (int k = 0; k < columns.Length; k++)
                along += values[k] * d[columns[k]];
            along *= scale * problem.Curvatures[row];
            for (int k = 0; k < columns.Length; k++)
                _slope[columns[k]] += along * values[k];
        }
    }
}
