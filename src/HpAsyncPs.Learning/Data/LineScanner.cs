using System;
using System.Threading;

namespace HpAsyncPs.Learning.Data;

/// <summary>Reads some bytes; 0 at the end.</summary>
internal delegate int ReadBytes(Span<byte> buffer);

/// <summary>What makes something of the lines of a text.</summary>
internal interface ILineSink
{
    /// <summary>What a line is, and what to do when a file has none or one that never ends: for messages.</summary>
    string LineHelp { get; }

    /// <summary>Length of the text in bytes, 0 if it is not known; set before the first line.</summary>
    long TotalBytes { set; }

    /// <summary>Bytes of text that have been gone through, this line included.</summary>
    long BytesDone { set; }

    /// <summary>Takes a line that is not blank.</summary>
    /// <param name="line">The line, its line feed and <see cref="DecimalParser.BytesBehind"/> bytes more.</param>
    /// <param name="length">Bytes of the line.</param>
    /// <param name="at">Offset of the first byte that is no blank.</param>
    /// <param name="number">Where it is, as <see cref="TextFile.Place"/> takes it.</param>
    /// <exception cref="InputException">The line is malformed.</exception>
    void Take(ReadOnlySpan<byte> line, int length, int at, long number);
}

/// <summary>Cuts blocks of bytes into lines.</summary>
internal sealed class LineScanner
{
    private const int Spare = 1 + DecimalParser.BytesBehind;

    private readonly string _source;
    private readonly ILineSink _sink;
    private readonly long _offset;

    // Bytes [_start, _end) are text that is not yet cut into lines. Some more are kept free, for a line feed
    // at the end and for the parser to look at.
    private byte[] _buffer;
    private int _start;
    private int _end;
    private long _line;
    private long _done;

    /// <summary>Starts with bytes that have been read already.</summary>
    /// <param name="source">Path, for messages.</param>
    /// <param name="sink">Takes the lines.</param>
    /// <param name="blockBytes">Size of the buffer at first.</param>
    /// <param name="firstBytes">The start of the text.</param>
    /// <param name="offset">Bytes of the file before the text: 0, or lines are told by their offset.</param>
    public LineScanner(string source, ILineSink sink, int blockBytes, byte[] firstBytes, long offset = 0)
    {
        _source = source;
        _sink = sink;
        _offset = offset;
        _buffer = new byte[Math.Max(blockBytes, firstBytes.Length) + Spare];
        firstBytes.CopyTo(_buffer, 0);
        _end = firstBytes.Length;
    }

    /// <summary>Reads to the end.</summary>
    public void Scan(ReadBytes read, CancellationToken cancellation)
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
            Array.Resize(ref _buffer, Math.Max(_end, Math.Min(2 * _end, TextFile.LongestLine + 1)) + Spare);
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
        if (_end - _start > TextFile.LongestLine)
            throw TooLong(_buffer.AsSpan(_start), _offset > 0 ? -(_offset + _done) : _line + 1);
    }

    // The line ends with a line feed, which length does not count, and more bytes stand behind it.
    private void TakeLine(ReadOnlySpan<byte> line, int length)
    {
        _line++;
        long number = _offset > 0 ? -(_offset + _done) : _line;
        _sink.BytesDone = _done += length + 1;
        if (length > TextFile.LongestLine)
            throw TooLong(line, number);
        // Some editors put a byte order mark before the first line.
        int at = number == 1 && line.StartsWith("\uFEFF"u8) ? 3 : 0;
        while (line[at] is (byte)' ' or (byte)'\t')
            at++;
        if (line[at] == '\n' || (line[at] == '\r' && line[at + 1] == '\n'))
            return;
        _sink.Take(line, length, at, number);
    }

    private InputException TooLong(ReadOnlySpan<byte> line, long number) => TextFile.Fail(
        _source, number, $"the line is longer than {TextFile.LongestLine >> 20} MiB", line[..41], $"{_sink.LineHelp}: check that the file is text");
}
