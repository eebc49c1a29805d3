using System;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Tests.Learning;

/// <summary>
/// Newton's method in double precision, dense, for mean log(1 + exp(-y w.x)) + l2/2 |w|^2 without an intercept: slow, simple
/// and exact, to judge the solvers by. Features must be few hundred (the Hessian is a square of them).
/// </summary>
public static class NewtonReference
{
    private const int MostSteps = 100;

    /// <summary>What was found.</summary>
    /// <param name="Weights">One per feature.</param>
    /// <param name="Objective">F* at the weights.</param>
    /// <param name="GradientNorm">Euclidean norm of the gradient at the weights.</param>
    public sealed record Solution(double[] Weights, double Objective, double GradientNorm);

    /// <summary>Minimises to the precision of double.</summary>
    /// <param name="rows">The data.</param>
    /// <param name="signs">-1 or +1 per row.</param>
    /// <param name="l2">Weight of |w|^2 / 2, above 0.</param>
    public static Solution Solve(SparseRows rows, float[] signs, double l2)
    {
        int size = rows.Features;
        double[] weights = new double[size];
        double[] gradient = new double[size];
        double[,] hessian = new double[size, size];
        double objective = Objective(rows, signs, l2, weights);
        for (int step = 0; step < MostSteps; step++)
        {
            Derivatives(rows, signs, l2, weights, gradient, hessian);
            double[] direction = SolveSpd(hessian, gradient);
            double slope = Dot(gradient, direction);
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

        Derivatives(rows, signs, l2, weights, gradient, hessian);
        return new Solution(weights, objective, Math.Sqrt(Dot(gradient, gradient)));
    }

    /// <summary>The objective at some weights.</summary>
    public static double Objective(SparseRows rows, float[] signs, double l2, double[] weights)
    {
        double sum = 0;
        for (int row = 0; row < rows.Rows; row++)
        {
            double margin = signs[row] * Margin(rows, row, weights);

            // log(1 + exp(-m)) without overflow.
            sum += Math.Max(0, -margin) + double.LogP1(Math.Exp(-Math.Abs(margin)));
        }

        return (sum / rows.Rows) + (l2 / 2 * Dot(weights, weights));
    }

    private static void Derivatives(
        SparseRows rows, float[] signs, double l2, double[] weights, double[] gradient, double[,] hessian)
    {
        Array.Clear(gradient);
        Array.Clear(hessian);
        for (int row = 0; row < rows.Rows; row++)
        {
            double wrong = 1 / (1 + Math.Exp(signs[row] * Margin(rows, row, weights)));
            double slope = -signs[row] * wrong / rows.Rows;
            double curvature = wrong * (1 - wrong) / rows.Rows;
            ReadOnlySpan<int> columns = rows.RowColumns(row);
            ReadOnlySpan<float> values = rows.RowValues(row);
            for (int a = 0; a < columns.Length; a++)
            {
                gradient[columns[a]] += slope * values[a];
                for (int b = 0; b <= a; b++)
                    hessian[columns[a], columns[b]] += curvature * values[a] * values[b];
            }
        }

        for (int j = 0; j < gradient.Length; j++)
        {
            gradient[j] += l2 * weights[j];
            hessian[j, j] += l2;
        }
    }

    // Cholesky, on the lower triangle and in place.
    private static double[] SolveSpd(double[,] matrix, double[] right)
    {
        int size = right.Length;
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double sum = matrix[i, j];
                for (int k = 0; k < j; k++)
                    sum -= matrix[i, k] * matrix[j, k];
                matrix[i, j] = i == j ? Math.Sqrt(sum) : sum / matrix[j, j];
            }
        }

        double[] solution = (double[])right.Clone();
        for (int i = 0; i < size; i++)
        {
            for (int k = 0; k < i; k++)
                solution[i] -= matrix[i, k] * solution[k];
            solution[i] /= matrix[i, i];
        }

        for (int i = size - 1; i >= 0; i--)
        {
            for (int k = i + 1; k < size; k++)
                solution[i] -= matrix[k, i] * solution[k];
            solution[i] /= matrix[i, i];
        }

        return solution;
    }

    private static double Margin(SparseRows rows, int row, double[] weights)
    {
        ReadOnlySpan<int> columns = rows.RowColumns(row);
        ReadOnlySpan<float> values = rows.RowValues(row);
        double sum = 0;
        for (int i = 0; i < columns.Length; i++)
            sum += weights[columns[i]] * values[i];
        return sum;
    }

    private static double Dot(double[] left, double[] right)
    {
        double sum = 0;
        for (int i = 0; i < left.Length; i++)
            sum += left[i] * right[i];
        return sum;
    }
}
