using System;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Cli;

/// <summary>How large the values of a file's columns are: local steps have one length for all weights, which the largest column decides.</summary>
/// <param name="Largest">Largest magnitude in any column.</param>
/// <param name="LargestColumn">Its 1-based index; 0 where there are no values.</param>
/// <param name="Median">Median over the columns with values of their largest magnitudes.</param>
internal readonly record struct ColumnSizes(float Largest, int LargestColumn, float Median)
{
    // Times the median from which on training is visibly slower.
    private const float MuchLarger = 30;

    /// <summary>Some column should be scaled before training.</summary>
    public bool AreUneven => Largest > MuchLarger * Median;

    public static ColumnSizes Of(SparseRows rows)
    {
        float[] sizes = new float[rows.Features];
        for (int at = 0; at < rows.Columns.Length; at++)
            sizes[rows.Columns[at]] = Math.Max(sizes[rows.Columns[at]], Math.Abs(rows.Values[at]));
        int[] columns = new int[sizes.Length];
        for (int j = 0; j < columns.Length; j++)
            columns[j] = j;
        Array.Sort(sizes, columns);
        int empty = sizes.AsSpan().IndexOfAnyExcept(0f);
        return empty < 0 ? default : new ColumnSizes(sizes[^1], columns[^1] + 1, sizes[(empty + sizes.Length - 1) / 2]);
    }
}
