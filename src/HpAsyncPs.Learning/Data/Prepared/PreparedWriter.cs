using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Hashing;
using System.Text;

namespace HpAsyncPs.Learning.Data.Prepared;

/// <summary>Writes a prepared file: rows as they come, in blocks; then the table; then the head, in the place that was left for it.</summary>
internal sealed class PreparedWriter
{
    private readonly Stream _output;
    private readonly int[] _ends = new int[PreparedBlock.MostRows];
    private readonly float[] _labels = new float[PreparedBlock.MostRows];
    private readonly List<byte> _table = [];
    private int[] _columns = new int[1 << 16];
    private float[] _values = new float[1 << 16];
    private byte[] _block = [];
    private int _rows;
    private int _entries;
    private int _blocks;
    private long _allRows;
    private long _allEntries;
    private long _bytes = PreparedHead.Bytes;

    /// <param name="output">Empty, and can be written anywhere.</param>
    public PreparedWriter(Stream output)
    {
        _output = output;
        output.Write(new byte[PreparedHead.Bytes]);
    }

    /// <summary>Blocks so far.</summary>
    public int Blocks => _blocks;

    /// <summary>Adds a row.</summary>
    public void Add(float label, ReadOnlySpan<int> columns, ReadOnlySpan<float> values)
    {
        int needed = _entries + columns.Length;
        if (needed > _columns.Length)
        {
            Array.Resize(ref _columns, Math.Max(needed, 2 * _columns.Length));
            Array.Resize(ref _values, _columns.Length);
        }

        columns.CopyTo(_columns.AsSpan(_entries));
        values.CopyTo(_values.AsSpan(_entries));
        _entries = needed;
        _labels[_rows] = label;
        _ends[_rows++] = needed;
        if (_rows == PreparedBlock.MostRows || _entries >= PreparedBlock.FullEntries)
            Flush();
    }

    /// <summary>Writes what is left. Nothing may be added afterwards.</summary>
    /// <param name="features">Columns of all rows.</param>
    /// <param name="minLabel">Smallest label.</param>
    /// <param name="maxLabel">Largest label.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="madeOf">Name of what it was made of.</param>
    public void Finish(int features, float minLabel, float maxLabel, ulong seed, string madeOf)
    {
        if (_rows > 0)
            Flush();
        byte[] name = Encoding.UTF8.GetBytes(madeOf);
        name = name[..Math.Min(name.Length, PreparedHead.LongestName)];
        _table.AddRange(name);
        byte[] tail = _table.ToArray();
        _output.Write(tail);
        var head = new PreparedHead
        {
            Blocks = _blocks,
            Rows = _allRows,
            Entries = _allEntries,
            Features = features,
            MinLabel = minLabel,
            MaxLabel = maxLabel,
            Seed = seed,
            NameBytes = name.Length,
            Length = _bytes + tail.Length,
            TableChecksum = XxHash3.HashToUInt64(tail),
        };
        Span<byte> first = stackalloc byte[PreparedHead.Bytes];
        head.Write(first);
        _output.Position = 0;
        _output.Write(first);
    }

    private void Flush()
    {
        int bytes = PreparedBlock.BytesOf(_rows, _entries);
        if (_block.Length < bytes)
            _block = new byte[bytes];
        ulong checksum = PreparedBlock.Write(_block.AsSpan(0, bytes), _blocks, _ends.AsSpan(0, _rows), _labels.AsSpan(0, _rows), _columns.AsSpan(0, _entries), _values.AsSpan(0, _entries));
        _output.Write(_block, 0, bytes);
        _table.AddRange(BitConverter.GetBytes(_rows));
        _table.AddRange(BitConverter.GetBytes(_entries));
        _table.AddRange(BitConverter.GetBytes(checksum));
        _blocks++;
        _allRows += _rows;
        _allEntries += _entries;
        _bytes += bytes;
        (_rows, _entries) = (0, 0);
    }
}
