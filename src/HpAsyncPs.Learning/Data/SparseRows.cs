using System;
using System.Collections.Generic;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Labelled sparse rows in compressed form. The entries of row r are <see cref="Columns"/> and <see cref="Values"/> from
/// <see cref="RowStarts"/>[r] up to, without, <see cref="RowStarts"/>[r + 1]; columns are 0-based and increase within a row.
/// </summary>
public sealed class SparseRows
{
    // The arrays may be longer than what is used of them: trimming would copy, and the unused end is memory never touched.
    private readonly long[] _rowStarts;
    private readonly int[] _columns;
    private readonly float[] _values;
    private readonly float[] _labels;
    private readonly int _entries;

    /// <summary>Wraps arrays, without a copy.</summary>
    /// <param name="source">Where the rows are from; starts the messages about them.</param>
    /// <param name="rowStarts">Rows + 1 offsets, from 0 to the number of entries, never decreasing.</param>
    /// <param name="columns">0-based column of each entry, increasing within a row, below <paramref name="features"/>.</param>
    /// <param name="values">Value of each entry.</param>
    /// <param name="labels">One label per row, as in the file.</param>
    /// <param name="features">Number of columns.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public SparseRows(string source, long[] rowStarts, int[] columns, float[] values, float[] labels, int features)
        : this(source, labels.Length, rowStarts, columns, values, labels, features, TallyOf(labels))
    {
        if (rowStarts.Length != labels.Length + 1 || rowStarts[0] != 0 || rowStarts[^1] != columns.Length)
            throw new ArgumentException("Row starts must be one more than the labels, from 0 to the number of entries.", nameof(rowStarts));
        if (values.Length != columns.Length)
            throw new ArgumentException("There must be as many values as columns.", nameof(values));
        ArgumentOutOfRangeException.ThrowIfNegative(features);
    }

    internal SparseRows(
        string source, int rows, long[] rowStarts, int[] columns, float[] values, float[] labels, int features, LabelTally tally)
    {
        Source = source;
        Rows = rows;
        Features = features;
        MinLabel = tally.Min;
        MaxLabel = tally.Max;
        DistinctLabels = tally.Distinct;
        _entries = (int)rowStarts[rows];
        _rowStarts = rowStarts;
        _columns = columns;
        _values = values;
        _labels = labels;
    }

    /// <summary>Where the rows are from, a path.</summary>
    public string Source { get; }

    /// <summary>
    /// Where workers each read their part of the same and not by <see cref="RowPart.Owns"/>: how it is cut, and what identifies it, which must be the same at all of
    /// them, or rows would be missing and others there twice. Else null.
    /// </summary>
    public string? CutFrom { get; internal init; }

    /// <summary>Number of rows; 0 where the file has rows and none is of the part that was read.</summary>
    public int Rows { get; }

    /// <summary>Offsets of the rows, <see cref="Rows"/> + 1 of them.</summary>
    public ReadOnlySpan<long> RowStarts => _rowStarts.AsSpan(0, Rows + 1);

    /// <summary>0-based column of each entry.</summary>
    public ReadOnlySpan<int> Columns => _columns.AsSpan(0, _entries);

    /// <summary>Value of each entry, finite; zeros written in the file are kept.</summary>
    public ReadOnlySpan<float> Values => _values.AsSpan(0, _entries);

    /// <summary>One label per row, as in the file.</summary>
    public ReadOnlySpan<float> Labels => _labels.AsSpan(0, Rows);

    /// <summary>Number of columns: the largest 1-based index among these rows, 0 if they have no entries.</summary>
    public int Features { get; }

    /// <summary>Number of entries.</summary>
    public long Nonzeros => _entries;

    /// <summary>Smallest label, positive infinity without rows: the minimum over several parts is that of the whole.</summary>
    public float MinLabel { get; }

    /// <summary>Largest label, negative infinity without rows: the maximum over several parts is that of the whole.</summary>
    public float MaxLabel { get; }

    /// <summary>The first three distinct labels, in the order in which they appear, with their lines.</summary>
    public IReadOnlyList<SeenLabel> DistinctLabels { get; }

    /// <summary>0-based columns of a row, increasing.</summary>
    /// <param name="row">0-based row.</param>
    public ReadOnlySpan<int> RowColumns(int row)
    {
        int start = StartOf(row, out int length);
        return _columns.AsSpan(start, length);
    }

    /// <summary>Values of a row, one per column of <see cref="RowColumns"/>.</summary>
    /// <param name="row">0-based row.</param>
    public ReadOnlySpan<float> RowValues(int row)
    {
        int start = StartOf(row, out int length);
        return _values.AsSpan(start, length);
    }

    /// <summary>The same rows with a first feature that is 1 in each; the others move up by one.</summary>
    public SparseRows WithConstant()
    {
        long[] starts = new long[Rows + 1];
        int[] columns = new int[_entries + Rows];
        float[] values = new float[_entries + Rows];
        for (int row = 0; row < Rows; row++)
        {
            int from = StartOf(row, out int length), to = from + row;
            columns[to] = 0;
            values[to] = 1;
            for (int k = 0; k < length; k++)
                columns[to + 1 + k] = _columns[from + k] + 1;
            _values.AsSpan(from, length).CopyTo(values.AsSpan(to + 1));
            starts[row + 1] = to + 1 + length;
        }

        return new SparseRows(Source, starts, columns, values, Labels.ToArray(), Features + 1) { CutFrom = CutFrom };
    }

    private int StartOf(int row, out int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        int start = (int)_rowStarts[row];
        length = (int)_rowStarts[row + 1] - start;
        return start;
    }

    private static LabelTally TallyOf(float[] labels)
    {
        var tally = new LabelTally();
        foreach (float label in labels)
            tally.Add(label, 0);
        return tally;
    }
}
