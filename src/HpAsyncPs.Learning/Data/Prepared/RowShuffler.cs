using System;
using System.Threading;

namespace HpAsyncPs.Learning.Data.Prepared;

/// <summary>
/// Takes the rows whose hash is in a range, of which there are as many as the memory allows, and gives them in the order of the hash. Ranges after each other
/// give all rows in one random order, whatever their number.
/// </summary>
/// <param name="seed">Of the order.</param>
/// <param name="pass">The range, 0-based.</param>
/// <param name="passes">How many there are.</param>
/// <param name="rows">Takes the rows.</param>
/// <param name="progress">Told how many bytes of the file that is read have been gone through, where that is known.</param>
internal sealed class RowShuffler(ulong seed, int pass, int passes, RowStore rows, Action<long> progress) : ILineSink
{
    // The low bits of a key are the place among the rows that were taken: equal hashes stay in the order of the file.
    private const ulong PlaceMask = int.MaxValue;

    private readonly ulong _seed = Mixing.Mix(seed);
    private RowBuilder _builder = new("", RowPart.All, rows);
    private ulong[] _keys = new ulong[1 << 12];
    private long _total;

    /// <summary>Rows of all files, taken or not.</summary>
    public long Count { get; private set; }

    /// <inheritdoc/>
    public string LineHelp => _builder.LineHelp;

    /// <inheritdoc/>
    public long TotalBytes { set => _builder.TotalBytes = _total = value; }

    /// <inheritdoc/>
    public long BytesDone
    {
        set
        {
            _builder.BytesDone = value;
            if (_total > 0)
                progress(value);
        }
    }

    /// <summary>What is taken from now on is of this file.</summary>
    /// <param name="path">Its path, for messages.</param>
    public void Begin(string path) => _builder = new RowBuilder(path, RowPart.All, rows);

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<byte> line, int length, int at, long number)
    {
        if (line[at] == '#')
            return;
        ulong hash = Mixing.Mix(unchecked((ulong)Count++ + _seed));
        if ((int)Math.BigMul(hash, (ulong)passes, out _) != pass)
            return;
        int place = rows.Rows;
        rows.Growth.Reserve(ref _keys, place, 1, "rows");
        _keys[place] = (hash & ~PlaceMask) | (uint)place;
        _builder.Add(line, length, at, number);
    }

    /// <summary>Writes what was taken.</summary>
    /// <param name="writer">Takes it.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <returns>The rows, for what is known of all of them.</returns>
    public SparseRows WriteTo(PreparedWriter writer, CancellationToken cancellation)
    {
        SparseRows taken = rows.Finish(trim: false);
        Span<ulong> keys = _keys.AsSpan(0, taken.Rows);
        keys.Sort();
        foreach (ulong key in keys)
        {
            int row = (int)(key & PlaceMask);
            if (row % PreparedBlock.MostRows == 0)
                cancellation.ThrowIfCancellationRequested();
            writer.Add(taken.Labels[row], taken.RowColumns(row), taken.RowValues(row));
        }

        return taken;
    }
}
