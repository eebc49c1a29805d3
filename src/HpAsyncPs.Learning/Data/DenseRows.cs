using System;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Rows with their zeros written out, for data of which a good part is not zero, as images are: a product with a row is then a sweep of vectors,
/// several times faster than one that gathers, and the indices that it saves take as much memory as the zeros.
/// </summary>
public sealed class DenseRows
{
    // Less than that, and the zeros cost more than gathering does; narrower rows are dominated by what is done once a row.
    private const double LeastShare = 0.25;
    private const int LeastFeatures = 64;

    private readonly float[] _values;

    private DenseRows(SparseRows rows, int width)
    {
        Width = width;
        _values = new float[rows.Rows * width];
        for (int row = 0; row < rows.Rows; row++)
        {
            ReadOnlySpan<int> columns = rows.RowColumns(row);
            ReadOnlySpan<float> values = rows.RowValues(row);
            Span<float> to = _values.AsSpan(row * width, width);
            for (int k = 0; k < columns.Length; k++)
                to[columns[k]] = values[k];
        }
    }

    /// <summary>Length of a row: the number of features, padded for <see cref="RowKernel"/>.</summary>
    public int Width { get; }

    /// <summary>The rows in full, or null where that does not pay or an array does not hold them.</summary>
    public static DenseRows? Of(SparseRows rows)
    {
        long width = ((long)rows.Features + RowKernel.Lanes - 1) / RowKernel.Lanes * RowKernel.Lanes;
        return rows.Features >= LeastFeatures && rows.Nonzeros >= LeastShare * rows.Rows * rows.Features && rows.Rows * width <= Array.MaxLength
            ? new DenseRows(rows, (int)width)
            : null;
    }

    /// <summary>A row, with zeros behind its features.</summary>
    /// <param name="row">0-based row.</param>
    public ReadOnlySpan<float> Row(int row) => _values.AsSpan(row * Width, Width);
}
