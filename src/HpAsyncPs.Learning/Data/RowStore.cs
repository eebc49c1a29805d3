using System;

namespace HpAsyncPs.Learning.Data;

/// <summary>Rows as they are read, of one file or of several after each other, in arrays that grow.</summary>
/// <param name="name">What is read, a file or a folder: for messages.</param>
internal sealed class RowStore(string name)
{
    private const int FirstEntries = 1 << 16;
    private const int FirstRows = 1 << 12;

    private readonly LabelTally _tally = new();
    private long[] _rowStarts = new long[FirstRows + 1];
    private float[] _labels = new float[FirstRows];
    private int[] _columns = new int[FirstEntries];
    private float[] _values = new float[FirstEntries];
    private int _rows;
    private int _entries;
    private int _features;

    /// <summary>What is known of the length of the text.</summary>
    public Growth Growth { get; } = new(name);

    /// <summary>Rows so far.</summary>
    public int Rows => _rows;

    /// <summary>Place for the columns of the next rows, as much as was reserved.</summary>
    public Span<int> FreeColumns => _columns.AsSpan(_entries);

    /// <summary>Place for their values.</summary>
    public Span<float> FreeValues => _values.AsSpan(_entries);

    /// <summary>What is added from now on is of this file of a folder.</summary>
    /// <param name="file">Its path.</param>
    public void Begin(string file)
    {
        _tally.File = file;
        Growth.IsBlind = true;
    }

    /// <summary>Makes room.</summary>
    /// <exception cref="InputException">There are more than an array holds.</exception>
    public void Reserve(int rows, int entries)
    {
        Growth.Reserve(ref _columns, _entries, entries, "entries");
        Growth.Reserve(ref _values, _entries, entries, "entries");
        Growth.Reserve(ref _labels, _rows, rows, "rows");
        Growth.Reserve(ref _rowStarts, _rows + 1, rows, "rows");
    }

    /// <summary>Adds a row, for which there is room, and whose columns and values are in their places.</summary>
    /// <param name="label">Its label.</param>
    /// <param name="entries">How many entries it has.</param>
    /// <param name="features">Its largest 1-based index.</param>
    /// <param name="number">Where it is, as <see cref="TextFile.Place"/> takes it.</param>
    public void Add(float label, int entries, int features, long number)
    {
        _entries += entries;
        _features = Math.Max(_features, features);
        _labels[_rows] = label;
        _rowStarts[++_rows] = _entries;
        _tally.Add(label, number);
    }

    /// <summary>The rows have at least so many columns.</summary>
    public void WidenTo(int features) => _features = Math.Max(_features, features);

    /// <summary>The rows so far, in the arrays as they are: nothing may be added as long as they are used.</summary>
    /// <param name="trim">Gives up what is not used of the arrays. The store is not to be used afterwards.</param>
    /// <param name="cutFrom">See <see cref="SparseRows.CutFrom"/>.</param>
    public SparseRows Finish(bool trim, string? cutFrom = null)
    {
        if (trim)
        {
            Growth.Trim(ref _rowStarts, _rows + 1);
            Growth.Trim(ref _labels, _rows);
            Growth.Trim(ref _columns, _entries);
            Growth.Trim(ref _values, _entries);
        }

        return new SparseRows(name, _rows, _rowStarts, _columns, _values, _labels, _features, _tally) { CutFrom = cutFrom };
    }
}
