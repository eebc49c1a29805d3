using System;
using System.Runtime.CompilerServices;
using System.Text;

namespace HpAsyncPs.Learning.Data;

/// <summary>Parses lines of LIBSVM text into growing arrays.</summary>
/// <param name="source">Path, for messages.</param>
/// <param name="totalBytes">Length of the text, 0 if not known: lets the arrays grow to about what will be needed.</param>
internal sealed class RowBuilder(string source, long totalBytes)
{
    private const int FirstEntries = 1 << 16;
    private const int FirstRows = 1 << 12;

    // The shortest entry is "1:1" with a blank before it.
    private const int ShortestEntryBytes = 4;

    // Where the length of the text is known an array grows to what its use so far lets expect, with a margin for rows
    // that differ, so that it is copied once or twice; else to the double.
    private const double Margin = 1.05;
    private const double LeastGrowth = 1.25;
    private const double BlindGrowth = 2;

    // Longest run of digits that cannot overflow 63 bits.
    private const int MostIndexDigits = 18;

    private const int LongestShownToken = 40;
    private const string Form = "a row is 'label index:value index:value ...'";

    private readonly LabelTally _tally = new();
    private long[] _rowStarts = new long[FirstRows + 1];
    private float[] _labels = new float[FirstRows];
    private int[] _columns = new int[FirstEntries];
    private float[] _values = new float[FirstEntries];
    private int _rows;
    private int _entries;
    private int _features;

    /// <summary>Bytes of text that have been gone through, also those of other parts.</summary>
    public long BytesDone { get; set; }

    /// <summary>Adds a row.</summary>
    /// <param name="line">The line, its line feed and <see cref="DecimalParser.BytesBehind"/> bytes more.</param>
    /// <param name="length">Bytes of the line.</param>
    /// <param name="at">Offset of the label.</param>
    /// <param name="number">1-based line in the file.</param>
    /// <exception cref="InputException">The line is not a row.</exception>
    public void Add(ReadOnlySpan<byte> line, int length, int at, long number)
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
    public SparseRows Finish()
    {
        Trim(ref _rowStarts, _rows + 1);
        Trim(ref _labels, _rows);
        Trim(ref _columns, _entries);
        Trim(ref _values, _entries);
        return new SparseRows(source, _rows, _rowStarts, _columns, _values, _labels, _features, _tally);
    }

    /// <summary>The error for one line: what is wrong, the text quoted, what to do.</summary>
    public InputException Fail(long number, string what, ReadOnlySpan<byte> text, string remedy) =>
        new($"{source}:{number}: {what} ('{Show(text)}'); {remedy}");

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

    // Bytes outside of printable ASCII are escaped: what is quoted goes to terminals and logs.
    private static string Show(ReadOnlySpan<byte> text)
    {
        const string Cut = "...";
        var shown = new StringBuilder();
        foreach (byte one in text)
        {
            string next = one is < 0x20 or > 0x7e ? $"\\x{one:x2}" : ((char)one).ToString();
            shown.Append(next);
            if (shown.Length > LongestShownToken)
            {
                shown.Length = LongestShownToken - Cut.Length;
                return shown.Append(Cut).ToString();
            }
        }

        return shown.ToString();
    }

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
        Grow(ref _columns, _entries, entries, "entries");
        Grow(ref _values, _entries, entries, "entries");
        Grow(ref _labels, _rows, 1, "rows");
        Grow(ref _rowStarts, _rows + 1, 1, "rows");
    }

    private void Grow<T>(ref T[] array, int used, int more, string what)
    {
        if (array.Length - used >= more)
            return;
        long needed = (long)used + more;
        if (needed > Array.MaxLength)
            throw new InputException($"{source}: more than {used} {what} for one worker; use more workers");
        double growth = BytesDone > 0 && BytesDone < totalBytes ? Math.Max(Margin * totalBytes / BytesDone, LeastGrowth) : BlindGrowth;
        double wanted = Math.Clamp(growth * used, needed, Array.MaxLength);
        var larger = GC.AllocateUninitializedArray<T>((int)wanted);
        array.AsSpan(0, used).CopyTo(larger);
        array = larger;
    }

    // Gives up a fifth and more; less is not worth a copy.
    private static void Trim<T>(ref T[] array, int used)
    {
        if (used < array.Length / 5 * 4)
            Array.Resize(ref array, used);
    }
}
