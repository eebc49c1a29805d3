using System;
using System.Runtime.CompilerServices;

namespace HpAsyncPs.Learning.Data;

/// <summary>Parses the rows of a part from lines of LIBSVM text into growing arrays.</summary>
/// <param name="source">Path, for messages.</param>
/// <param name="part">Rows to keep.</param>
internal sealed class RowBuilder(string source, RowPart part) : ILineSink
{
    private const int FirstEntries = 1 << 16;
    private const int FirstRows = 1 << 12;

    // The shortest entry is "1:1" with a blank before it.
    private const int ShortestEntryBytes = 4;

    // Longest run of digits that cannot overflow 63 bits.
    private const int MostIndexDigits = 18;

    private const string Form = "a row is 'label index:value index:value ...'";

    private readonly Growth _growth = new(source);
    private readonly LabelTally _tally = new();
    private long[] _rowStarts = new long[FirstRows + 1];
    private float[] _labels = new float[FirstRows];
    private int[] _columns = new int[FirstEntries];
    private float[] _values = new float[FirstEntries];
    private int _rows;
    private int _entries;
    private int _features;
    private long _row;

    /// <inheritdoc/>
    public string LineHelp => "a row of LIBSVM text is one line";

    /// <inheritdoc/>
    public long BytesDone { set => _growth.BytesDone = value; }

    /// <inheritdoc/>
    public long TotalBytes { set => _growth.TotalBytes = value; }

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<byte> line, int length, int at, long number)
    {
        if (line[at] != '#' && part.Owns(_row++))
            Add(line, length, at, number);
    }

    /// <summary>Adds a row.</summary>
    /// <param name="line">The line, its line feed and <see cref="DecimalParser.BytesBehind"/> bytes more.</param>
    /// <param name="length">Bytes of the line.</param>
    /// <param name="at">Offset of the label.</param>
    /// <param name="number">1-based line in the file.</param>
    /// <exception cref="InputException">The line is not a row.</exception>
    private void Add(ReadOnlySpan<byte> line, int length, int at, long number)
    {
        Reserve((length + 1) / ShortestEntryBytes);
        int start = at;
        at = DecimalParser.Read(line, start, out float label);
        if (at == DecimalParser.NoNumber || !EndsToken(line, at))
            throw Fail(number, "the label is not a finite number", Token(line, start), Form);

        Span<int> columns = _columns.AsSpan(_entries);
        Span<float> values = _values.AsSpan(_entries);
        int count = 0;
        long previous = 0;
        while (true)
        {
            byte next = line[at];
            if (next is (byte)' ' or (byte)'\t')
            {
                at++;
                continue;
            }

            if (EndsToken(line, at))
                break;

            start = at;
            long index = 0;
            uint digit;
            while ((digit = line[at] - (uint)'0') <= 9)
            {
                index = unchecked((index * 10) + digit);
                at++;
            }

            bool good = line[at] == ':' && at > start && at - start <= MostIndexDigits && index > previous && index <= int.MaxValue;
            if (!good)
            {
                at = SkipQuery(line, start, previous, number);
                continue;
            }

            at = DecimalParser.Read(line, at + 1, out float value);
            if (at == DecimalParser.NoNumber || !EndsToken(line, at))
                throw Fail(number, "the value is not a finite number of single precision", Token(line, start), Form);
            columns[count] = (int)index - 1;
            values[count] = value;
            count++;
            previous = index;
        }

        _entries += count;
        _features = Math.Max(_features, (int)previous);
        _labels[_rows] = label;
        _rowStarts[++_rows] = _entries;
        _tally.Add(label, number);
    }

    /// <summary>The rows so far. The builder is not to be used afterwards.</summary>
    /// <exception cref="InputException">The text had no row at all.</exception>
    public SparseRows Finish()
    {
        if (_row == 0)
            throw new InputException($"{source}: there are no rows in this file; give a file of LIBSVM text");
        Growth.Trim(ref _rowStarts, _rows + 1);
        Growth.Trim(ref _labels, _rows);
        Growth.Trim(ref _columns, _entries);
        Growth.Trim(ref _values, _entries);
        return new SparseRows(source, _rows, _rowStarts, _columns, _values, _labels, _features, _tally);
    }

    // A token ends at a blank, a comment or the end of the line. A carriage return is a blank only before the line feed:
    // elsewhere it is a sign of another format.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool EndsToken(ReadOnlySpan<byte> line, int at) => line[at] == ' ' || EndsTokenOther(line, at);

    private static bool EndsTokenOther(ReadOnlySpan<byte> line, int at) => line[at] switch
    {
        (byte)'\n' or (byte)'\t' or (byte)'#' => true,
        (byte)'\r' => line[at + 1] == '\n',
        _ => false,
    };

    private static ReadOnlySpan<byte> Token(ReadOnlySpan<byte> line, int start)
    {
        int end = start;
        while (!EndsToken(line, end))
            end++;
        return line[start..end];
    }

    private InputException Fail(long number, string what, ReadOnlySpan<byte> text, string remedy) =>
        TextFile.Fail(source, number, what, text, remedy);

    // What stands where "index:" should: a query id, which is skipped, or an error.
    private int SkipQuery(ReadOnlySpan<byte> line, int start, long previous, long number)
    {
        ReadOnlySpan<byte> token = Token(line, start);
        if (token.StartsWith("qid:"u8))
            return start + token.Length;

        int digits = token.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits <= 0 || token[digits] != ':')
            throw Fail(number, "this is not index:value", token, Form);
        ReadOnlySpan<byte> significant = token[..digits].TrimStart((byte)'0');
        if (significant.IsEmpty)
            throw Fail(number, "index 0 is not allowed", token, "indices start at 1: add 1 to every index of the file");
        if (significant.Length > MostIndexDigits || long.Parse(significant, null) is var index && index > int.MaxValue)
            throw Fail(number, "the index is too large", token, $"indices go from 1 to {int.MaxValue}");
        if (digits > MostIndexDigits)
            throw Fail(number, "the index has too many leading zeros", token, "write it without them");
        string what = index == previous ? $"index {index} stands twice in this row" : $"index {index} comes after {previous}";
        throw Fail(number, what, token, "sort the entries of a row by index, each index once");
    }

    private void Reserve(int entries)
    {
        _growth.Reserve(ref _columns, _entries, entries, "entries");
        _growth.Reserve(ref _values, _entries, entries, "entries");
        _growth.Reserve(ref _labels, _rows, 1, "rows");
        _growth.Reserve(ref _rowStarts, _rows + 1, 1, "rows");
    }
}
