using System;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Classification;

/// <summary>Upper bounds on how curved a loss can be: the step 1 / bound needs no tuning and never overshoots.</summary>
public static class Smoothness
{
    private const int MostSweeps = 20;
    private const double GoodEnough = 0.01;

    /// <summary>
    /// An upper bound on the largest eigenvalue of A^T A / rows. The smaller of two bounds that hold for any data: the
    /// largest squared row norm, and Collatz and Wielandt's bound max_j (B v)_j / v_j for the non-negative matrix
    /// B = |A|^T |A| and a positive v, which a few power iterations sharpen. (Power iteration alone would bound from below.)
    /// Source of the second: H. Wielandt, Unzerlegbare, nicht negative Matrizen, Math. Z. 52, 1950.
    /// </summary>
    /// <param name="data">A; at least one row.</param>
    public static double LargestEigenvalueBound(SparseRows data)
    {
        double bound = LargestSquaredRowNorm(data);
        if (bound == 0 || data.Rows == 0)
            return bound;
        double[] v = new double[data.Features], w = new double[data.Features];
        Array.Fill(v, 1);
        double previous = double.PositiveInfinity;
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            Multiply(data, v, w);
            double ratio = 0, largest = 0;
            for (int j = 0; j < v.Length; j++)
            {
                if (w[j] > 0)
                    ratio = Math.Max(ratio, w[j] / v[j]);
                largest = Math.Max(largest, w[j]);
            }

            // Rounding of a long sum must not turn an upper bound into a lower one.
            ratio = ratio / data.Rows * (1 + 1e-9);
            bound = Math.Min(bound, ratio);
            if (!double.IsFinite(ratio) || previous - ratio < GoodEnough * ratio)
                break;
            previous = ratio;
            for (int j = 0; j < v.Length; j++)
                v[j] = Math.Max(w[j] / largest, 1e-30); // columns without entries keep a positive v and a zero w
        }

        return bound;
    }

    /// <summary>The largest squared norm of a row: the bound for any part of the rows.</summary>
    public static double LargestSquaredRowNorm(SparseRows data)
    {
        double largest = 0;
        for (int row = 0; row < data.Rows; row++)
        {
            double norm = 0;
            foreach (float value in data.RowValues(row))
                norm += (double)value * value;
            largest = Math.Max(largest, norm);
        }

        return largest;
    }

    /// <summary>w = |A|^T |A| v.</summary>
    private static void Multiply(SparseRows data, double[] v, double[] w)
    {
        Array.Clear(w);
        for (int row = 0; row < data.Rows; row++)
        {
            ReadOnlySpan<int> columns = data.RowColumns(row);
            ReadOnlySpan<float> values = data.RowValues(row);
            double sum = 0;
            for (int k = 0; k < columns.Length; k++)
                sum += Math.Abs(values[k]) * v[columns[k]];
            for (int k = 0; k < columns.Length; k++)
                w[columns[k]] += Math.Abs(values[k]) * sum;
        }
    }
}
