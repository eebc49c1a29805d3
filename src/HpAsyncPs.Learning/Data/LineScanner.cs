using System;
using System.Threading;

namespace HpAsyncPs.Learning.Data;

/// <summary>Reads some bytes; 0 at the end.</summary>
internal delegate int ReadBytes(Span<byte> buffer);

/// <summary>Cuts blocks of bytes into lines, counts the rows among them and parses those of a part.</summary>
internal sealed class LineScanner
{
    private const int Spare = 1 + DecimalParser.BytesBehind;

    private readonly string _source;
    private readonly RowPart _part;
    private readonly RowBuilder _builder;

    // Bytes [_start, _end) are text that is not yet cut into lines. Some more are kept free, for a line feed
    // at the end and for the parser to look at.
    private byte[] _buffer;
    private int _start;
    private int _end;
    private long _line;
    private long _row;

    /// <summary>Starts with bytes that have been read already.</summary>
    /// <param name="source">Path, for messages.</param>
    /// <param name="part">Rows to keep.</param>
    /// <param name="blockBytes">Size of the buffer at first.</param>
    /// <param name="firstBytes">The start of the text.</param>
    /// <param name="totalBytes">Length of the text, 0 if not known.</param>
    public LineScanner(string source, RowPart part, int blockBytes, byte[] firstBytes, long totalBytes)
    {
        _source = source;
        _part = part;
        _builder = new RowBuilder(source, totalBytes);
        _buffer = new byte[Math.Max(blockBytes, firstBytes.Length) + Spare];
        firstBytes.CopyTo(_buffer, 0);
        _end = firstBytes.Length;
    }

    /// <summary>Reads to the end.</summary>
    public SparseRows Scan(ReadBytes read, CancellationToken cancellation)
    {
        // Bytes before this offset are known to hold no line feed.
        int searched = 0;
        bool more = true;
        while (more)
        {
            cancellation.ThrowIfCancellationRequested();
            MakeRoom(ref searched);
            int got = read(_buffer.AsSpan(_end, _buffer.Length - Spare - _end));
            more = got > 0;
            _end += got;
            if (!more && _end > _start)
                _buffer[_end++] = (byte)'\n';
            CutLines(ref searched);
        }

        if (_row == 0)
            throw new InputException($"{_source}: there are no rows in this file; give a file of LIBSVM text");
        return _builder.Finish();
    }

    private void MakeRoom(ref int searched)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            searched -= _start;
            _start = 0;
        }

        // One byte above the limit is enough to know that a line is too long.
        if (_end == _buffer.Length - Spare)
            Array.Resize(ref _buffer, Math.Max(_end, Math.Min(2 * _end, LibsvmReader.LongestLine + 1)) + Spare);
    }

    private void CutLines(ref int searched)
    {
        int length;
        while ((length = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n')) >= 0)
        {
            int after = searched + length + 1;
            TakeLine(_buffer.AsSpan(_start), after - _start - 1);
            _start = after;
            searched = after;
        }

        searched = _end;
        if (_end - _start > LibsvmReader.LongestLine)
            throw TooLong(_buffer.AsSpan(_start), _line + 1);
    }

    // The line ends with a line feed, which length does not count, and more bytes stand behind it.
    private void TakeLine(ReadOnlySpan<byte> line, int length)
    {
        _line++;
        _builder.BytesDone += length + 1;
        if (length > LibsvmReader.LongestLine)
            throw TooLong(line, _line);
        // Some editors put a byte order mark before the first line.
        int at = _line == 1 && line.StartsWith("\uFEFF"u8) ? 3 : 0;
        while (line[at] is (byte)' ' or (byte)'\t')
            at++;
        if (line[at] is (byte)'#' or (byte)'\n' || (line[at] == '\r' && line[at + 1] == '\n'))
            return;
        if (_part.Owns(_row++))
            _builder.Add(line, length, at, _line);
    }

    private InputException TooLong(ReadOnlySpan<byte> line, long number)
    {
        const string Remedy = "a row of LIBSVM text is one line: check that the file is text";
        return _builder.Fail(number, $"the line is longer than {LibsvmReader.LongestLine >> 20} MiB", line[..41], Remedy);
    }
}
