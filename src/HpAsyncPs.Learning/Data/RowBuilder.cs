using System;
using System.Runtime.CompilerServices;

namespace HpAsyncPs.Learning.Data;

/// <summary>Parses the rows of a part from lines of LIBSVM text.</summary>
/// <param name="source">Path, for messages.</param>
/// <param name="part">Rows to keep.</param>
/// <param name="rows">Takes them.</param>
internal sealed class RowBuilder(string source, RowPart part, RowStore rows) : ILineSink
{
    // The shortest entry is "1:1" with a blank before it.
    private const int ShortestEntryBytes = 4;

    // Longest run of digits that cannot overflow 63 bits.
    private const int MostIndexDigits = 18;

    private const string Form = "a row is 'label index:value index:value ...'";

    /// <summary>Rows of the text so far, of all parts.</summary>
    public long Count { get; private set; }

    /// <inheritdoc/>
    public string LineHelp => "a row of LIBSVM text is one line";

    /// <inheritdoc/>
    public long BytesDone { set => rows.Growth.BytesDone = value; }

    /// <inheritdoc/>
    public long TotalBytes { set => rows.Growth.TotalBytes = value; }

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<byte> line, int length, int at, long number)
    {
        if (line[at] != '#' && part.Owns(Count++))
            Add(line, length, at, number);
    }

    /// <summary>Says that there is nothing.</summary>
    /// <exception cref="InputException">The text had no row at all, of any part.</exception>
    public void CheckAny()
    {
        if (Count == 0)
            throw new InputException($"{source}: there are no rows in this file; give a file of LIBSVM text");
    }

    /// <summary>Adds a row.</summary>
    /// <param name="line">The line, its line feed and <see cref="DecimalParser.BytesBehind"/> bytes more.</param>
    /// <param name="length">Bytes of the line.</param>
    /// <param name="at">Offset of the label.</param>
    /// <param name="number">Where it is, as <see cref="TextFile.Place"/> takes it.</param>
    /// <exception cref="InputException">The line is not a row.</exception>
    public void Add(ReadOnlySpan<byte> line, int length, int at, long number)
    {
        rows.Reserve(1, (length + 1) / ShortestEntryBytes);
        int start = at;
        at = DecimalParser.Read(line, start, out float label);
        if (at == DecimalParser.NoNumber || !EndsToken(line, at))
            throw Fail(number, "the label is not a finite number", Token(line, start), Form);

        Span<int> columns = rows.FreeColumns;
        Span<float> values = rows.FreeValues;
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

        rows.Add(label, count, (int)previous, number);
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
}
