using System;
using System.Threading;
using HpAsyncPs.Kernels;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// Mean logistic loss over sparse rows, f(z) = mean log(1 + exp(-y a.z)), its gradient, and how many rows are on the
/// right side. Sums in double.
/// </summary>
public sealed class LogisticLoss
{
    /// <summary>Of the loss of one row along its margin.</summary>
    internal const double LargestCurvature = 0.25;

    private const int RowsBetweenInterrupts = 4096;

    // Rows whose gradients are summed up in single precision before they go to double: few enough for it to lose nothing that counts.
    private const int RowsOfABlock = 16;

    private readonly SparseRows _data;
    private readonly float[] _signs;
    private readonly DenseRows? _dense;
    private readonly float[] _denseWeights;
    private readonly float[] _denseGradient;

    /// <param name="data">The rows.</param>
    /// <param name="signs">-1 or +1, one per row.</param>
    /// <param name="dense">The same rows in full, for gradients of all of them; or null.</param>
    public LogisticLoss(SparseRows data, float[] signs, DenseRows? dense = null)
    {
        _data = data;
        _signs = signs;
        _dense = dense;
        _denseWeights = new float[dense?.Width ?? 0];
        _denseGradient = new float[dense?.Width ?? 0];
    }

    /// <summary>Gradient of the mean loss. False when it was interrupted; the gradient is then incomplete.</summary>
    /// <param name="z">Weights; at least as many as the rows have features.</param>
    /// <param name="gradient">Receives the gradient, as long as <paramref name="z"/>.</param>
    /// <param name="curvatures">Receives the second derivative of each row's loss along its margin; or empty.</param>
    /// <param name="interrupt">Ends it early.</param>
    public bool Gradient(ReadOnlySpan<float> z, Span<double> gradient, Span<float> curvatures, CancellationToken interrupt)
    {
        gradient.Clear();
        if (_dense is not null)
            return DenseGradient(_dense, z, gradient, curvatures, interrupt);
        ReadOnlySpan<long> starts = _data.RowStarts;
        ReadOnlySpan<int> allColumns = _data.Columns;
        ReadOnlySpan<float> allValues = _data.Values;
        double scale = 1.0 / _data.Rows;
        for (int row = 0; row < _signs.Length; row++)
        {
            if (row % RowsBetweenInterrupts == 0 && interrupt.IsCancellationRequested)
                return false;
            int start = (int)starts[row], length = (int)starts[row + 1] - start;
            ReadOnlySpan<int> columns = allColumns.Slice(start, length);
            ReadOnlySpan<float> values = allValues.Slice(start, length);
            double margin = Dot(z, columns, values) * _signs[row];
            double wrong = 1 / (1 + Math.Exp(margin)), slope = -_signs[row] * scale * wrong;
            if (curvatures.Length > 0)
                curvatures[row] = (float)(wrong * (1 - wrong));
            for (int k = 0; k < columns.Length; k++)
                gradient[columns[k]] += slope * values[k];
        }

        return true;
    }

    private bool DenseGradient(DenseRows rows, ReadOnlySpan<float> z, Span<double> gradient, Span<float> curvatures, CancellationToken interrupt)
    {
        int used = Math.Min(z.Length, rows.Width); // what is behind it is padding, or features that other workers alone have
        z[..used].CopyTo(_denseWeights);
        double scale = 1.0 / _data.Rows;
        for (int from = 0; from < _signs.Length; from += RowsOfABlock)
        {
            if (from % RowsBetweenInterrupts == 0 && interrupt.IsCancellationRequested)
                return false;
            Array.Clear(_denseGradient);
            int end = Math.Min(from + RowsOfABlock, _signs.Length);
            for (int row = from; row < end; row++)
            {
                ReadOnlySpan<float> x = rows.Row(row);
                double wrong = 1 / (1 + Math.Exp((double)RowKernel.Dot(x, _denseWeights) * _signs[row]));
                if (curvatures.Length > 0)
                    curvatures[row] = (float)(wrong * (1 - wrong));
                RowKernel.Add(x, (float)(-_signs[row] * wrong), _denseGradient);
            }

            for (int j = 0; j < used; j++)
                gradient[j] += scale * _denseGradient[j];
        }

        return true;
    }

    /// <summary>Gradient of the mean loss of some rows.</summary>
    /// <param name="rows">Which; at least one.</param>
    /// <param name="z">Weights; at least as many as the rows have features.</param>
    /// <param name="gradient">Receives the gradient, as long as <paramref name="z"/>.</param>
    public void Gradient(ReadOnlySpan<int> rows, ReadOnlySpan<float> z, Span<double> gradient)
    {
        gradient.Clear();
        double scale = 1.0 / rows.Length;
        foreach (int row in rows)
        {
            ReadOnlySpan<int> columns = _data.RowColumns(row);
            ReadOnlySpan<float> values = _data.RowValues(row);
            double slope = -_signs[row] * scale / (1 + Math.Exp(Dot(z, columns, values) * _signs[row]));
            for (int k = 0; k < columns.Length; k++)
                gradient[columns[k]] += slope * values[k];
        }
    }

    /// <summary>Mean loss, and the share of rows whose sign is predicted; a margin of zero counts as negative.</summary>
    /// <param name="z">Weights; columns beyond them count as zero weights.</param>
    /// <param name="intercept">Added to each margin.</param>
    public (double Loss, double Accuracy) Evaluate(ReadOnlySpan<float> z, double intercept = 0)
    {
        double loss = 0;
        long right = 0;
        for (int row = 0; row < _signs.Length; row++)
        {
            double margin = intercept + Dot(z, _data.RowColumns(row), _data.RowValues(row));
            if (margin > 0 == _signs[row] > 0)
                right++;
            loss += Softplus(-margin * _signs[row]);
        }

        return (loss / _data.Rows, (double)right / _data.Rows);
    }

    /// <summary>a.z of one sparse row; columns beyond z count as zero weights.</summary>
    public static double Dot(ReadOnlySpan<float> z, ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
    {
        double sum = 0;
        for (int k = 0; k < columns.Length; k++)
        {
            int column = columns[k];
            if ((uint)column < (uint)z.Length)
                sum += (double)values[k] * z[column];
        }

        return sum;
    }

    /// <summary>log(1 + exp(t)) without overflow and without cancellation.</summary>
    private static double Softplus(double t) => t > 0 ? t + Log1P(Math.Exp(-t)) : Log1P(Math.Exp(t));

    /// <summary>log(1 + u) for u in [0, 1], exact for small u: Kahan's correction of the rounded sum.</summary>
    private static double Log1P(double u)
    {
        double sum = 1 + u;
        return sum == 1 ? u : Math.Log(sum) * (u / (sum - 1));
    }
}
