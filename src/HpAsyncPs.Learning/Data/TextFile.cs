using System;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data.Prepared;

namespace HpAsyncPs.Learning.Data;

/// <summary>Text files of data: plain or gzip, told apart by the first bytes; read in blocks, cut into lines.</summary>
public static class TextFile
{
    /// <summary>Longest line, in bytes. Bounds the memory that a file which is no text can take.</summary>
    public const int LongestLine = 16 << 20;

    /// <summary>Bytes read at a time.</summary>
    public const int DefaultBlockBytes = 1 << 20;

    internal const byte GzipFirst = 0x1f;
    internal const byte GzipSecond = 0x8b;

    // How much of a gzip file is unpacked to see whether damage explains a line that cannot be parsed.
    private const long VerifiedBytes = 64L << 20;

    private const int LongestShown = 40;

    /// <summary>Reads a file to its end.</summary>
    /// <exception cref="InputException">It cannot be opened or read; the message says what to do.</exception>
    internal static void Read(string path, ILineSink sink, CancellationToken cancellation)
    {
        if (Directory.Exists(path))
            throw new InputException($"{path}: this is a folder; give a file");
        Open(path, file => Read(file, path, sink, DefaultBlockBytes, cancellation));
    }

    /// <summary>Opens a file and does something with it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="use">What; the file is closed afterwards.</param>
    /// <exception cref="InputException">It cannot be opened or read; the message says what to do.</exception>
    internal static void Open(string path, Action<FileStream> use)
    {
        try
        {
            // The blocks are the buffer.
            using var file = new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
            use(file);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{path}: there is no such file; check the path", missing);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new InputException($"{path}: may not be read by this user; check its permissions", refused);
        }
        catch (Exception failed) when (failed is IOException or ArgumentException { ParamName: "path" })
        {
            throw new InputException($"{path}: cannot be read: {failed.Message}; check the path and the disk", failed);
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="stream">Plain or gzip, not disposed.</param>
    /// <param name="source">Path or name, for messages.</param>
    /// <param name="sink">Takes the lines.</param>
    /// <param name="blockBytes">Bytes read at a time, 1 or more; a longer line makes the buffer grow.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The text is malformed; the message is SOURCE:LINE: what; what to do.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    internal static void Read(Stream stream, string source, ILineSink sink, int blockBytes, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blockBytes, 1);
        byte[] first = new byte[4];
        first = first[..stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)];
        if (IsZip(first))
            throw Zip(source);
        if (first.Length == 4 && first.AsSpan().StartsWith(PreparedHead.Magic[..3]))
        {
            string what = first[3] == PreparedHead.Magic[3] ? "rows for logreg" : "ratings to train mf on";
            throw new InputException($"{source}: this is a prepared file, of {what}, and cannot be read here, nor from a pipe; give the text that it was made of");
        }

        if (first is not [GzipFirst, GzipSecond, ..])
        {
            sink.TotalBytes = stream.CanSeek ? stream.Length : 0;
            new LineScanner(source, sink, blockBytes, first).Scan(stream.Read, cancellation);
            return;
        }

        sink.TotalBytes = 0;
        using var gzip = new GzipText(stream, first, source);
        try
        {
            new LineScanner(source, sink, blockBytes, []).Scan(gzip.Read, cancellation);
        }
        catch (InputException)
        {
            // Damaged gzip may unpack to nonsense before its checksum tells: that is the error to report, if it is one.
            gzip.Verify(new byte[DefaultBlockBytes], VerifiedBytes);
            throw;
        }
    }

    /// <summary>Does a file that begins so hold other files?</summary>
    internal static bool IsZip(ReadOnlySpan<byte> first) => first.StartsWith("PK\x3\x4"u8);

    /// <summary>The error for such a file.</summary>
    internal static InputException Zip(string source) => new($"{source}: this is a zip archive; unpack it and give the file inside");

    /// <summary>The error for one line: where, what is wrong, the text quoted, what to do.</summary>
    internal static InputException Fail(string source, long number, string what, ReadOnlySpan<byte> text, string remedy) =>
        new($"{Place(source, number)}: {what} ('{Show(text)}'); {remedy}");

    /// <summary>A line of a file, in words.</summary>
    /// <param name="source">The file.</param>
    /// <param name="number">1-based line, 0 if not known; where lines were not counted, minus the offset of its first byte.</param>
    internal static string Place(string source, long number) =>
        number > 0 ? $"{source}:{number}" : number < 0 ? $"{source}, the line at byte {-number}" : source;

    // Bytes outside of printable ASCII are escaped: what is quoted goes to terminals and logs.
    private static string Show(ReadOnlySpan<byte> text)
    {
        const string Cut = "...";
        var shown = new StringBuilder();
        foreach (byte one in text)
        {
            string next = one is < 0x20 or > 0x7e ? $"\\x{one:x2}" : ((char)one).ToString();
            shown.Append(next);
            if (shown.Length > LongestShown)
            {
                shown.Length = LongestShown - Cut.Length;
                return shown.Append(Cut).ToString();
            }
        }

        return shown.ToString();
    }
}
