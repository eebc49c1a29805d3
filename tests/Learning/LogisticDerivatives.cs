using System;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Tests.Learning;

/// <summary>
/// Mean logistic loss with its gradient and Hessian in double precision, dense, for the references. Weights are one per feature; one
/// more is the intercept, without penalty.
/// </summary>
internal static class LogisticDerivatives
{
    /// <summary>mean log(1 + exp(-y (w.x + b))).</summary>
    public static double Loss(SparseRows rows, float[] signs, double[] weights)
    {
        double sum = 0;
        for (int row = 0; row < rows.Rows; row++)
        {
            double margin = signs[row] * Margin(rows, row, weights);

            // log(1 + exp(-m)) without overflow.
            sum += Math.Max(0, -margin) + double.LogP1(Math.Exp(-Math.Abs(margin)));
        }

        return sum / rows.Rows;
    }

    /// <summary>Gradient and, on the lower triangle, the Hessian of the loss + l2/2 |w|^2.</summary>
    public static void Of(SparseRows rows, float[] signs, double l2, double[] weights, double[] gradient, double[,] hessian)
    {
        int last = rows.Features;
        bool intercept = weights.Length > last;
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

            if (!intercept)
                continue;
            gradient[last] += slope;
            hessian[last, last] += curvature;
            for (int a = 0; a < columns.Length; a++)
                hessian[last, columns[a]] += curvature * values[a];
        }

        for (int j = 0; j < last; j++)
        {
            gradient[j] += l2 * weights[j];
            hessian[j, j] += l2;
        }
    }

    /// <summary>Solves a positive definite system by Cholesky's method, on the lower triangle and in place.</summary>
    public static double[] SolveSpd(double[,] matrix, double[] right)
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
        double sum = weights.Length > rows.Features ? weights[rows.Features] : 0;
        for (int i = 0; i < columns.Length; i++)
            sum += weights[columns[i]] * values[i];
        return sum;
    }
}
