using System;
using System.Numerics.Tensors;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Tests.Learning;

/// <summary>
/// Newton's method in double precision, dense, for mean log(1 + exp(-y (w.x + b))) + l2/2 |w|^2, where b is 0 or a free intercept
/// without penalty: slow, simple and exact, to judge the solvers by. Features must be few hundred (the Hessian is a square of them).
/// </summary>
public static class NewtonReference
{
    private const int MostSteps = 100;

    /// <summary>What was found.</summary>
    /// <param name="Weights">One per feature, and the intercept behind them if there is one.</param>
    /// <param name="Objective">F* at the weights.</param>
    /// <param name="GradientNorm">Euclidean norm of the gradient at the weights.</param>
    public sealed record Solution(double[] Weights, double Objective, double GradientNorm);

    /// <summary>Minimises to the precision of double.</summary>
    /// <param name="rows">The data.</param>
    /// <param name="signs">-1 or +1 per row.</param>
    /// <param name="l2">Weight of |w|^2 / 2, above 0.</param>
    /// <param name="intercept">Whether there is one.</param>
    public static Solution Solve(SparseRows rows, float[] signs, double l2, bool intercept = false)
    {
        int size = rows.Features + (intercept ? 1 : 0);
        double[] weights = new double[size];
        double[] gradient = new double[size];
        double[,] hessian = new double[size, size];
        double objective = Objective(rows, signs, l2, weights);
        for (int step = 0; step < MostSteps; step++)
        {
            LogisticDerivatives.Of(rows, signs, l2, weights, gradient, hessian);
            double[] direction = LogisticDerivatives.SolveSpd(hessian, gradient);
            double slope = TensorPrimitives.Dot<double>(gradient, direction);
            double length = 1;
            double[] next;
            double nextObjective;
            do
            {
                next = new double[size];
                for (int j = 0; j < size; j++)
                    next[j] = weights[j] - (length * direction[j]);
                nextObjective = Objective(rows, signs, l2, next);
                length /= 2;
            }
            while (nextObjective > objective - (1e-4 * length * slope) && length > 1e-6);

            // At the limit of double no step decreases the objective further.
            if (nextObjective >= objective)
                break;
            weights = next;
            objective = nextObjective;
        }

        LogisticDerivatives.Of(rows, signs, l2, weights, gradient, hessian);
        return new Solution(weights, objective, TensorPrimitives.Norm<double>(gradient));
    }

    /// <summary>The objective at some weights.</summary>
    /// <param name="rows">The data.</param>
    /// <param name="signs">-1 or +1 per row.</param>
    /// <param name="l2">Weight of |w|^2 / 2.</param>
    /// <param name="weights">One per feature, and the intercept behind them if there is one.</param>
    public static double Objective(SparseRows rows, float[] signs, double l2, double[] weights) =>
        LogisticDerivatives.Loss(rows, signs, weights) + (l2 / 2 * TensorPrimitives.SumOfSquares<double>(weights.AsSpan(0, rows.Features)));
}
