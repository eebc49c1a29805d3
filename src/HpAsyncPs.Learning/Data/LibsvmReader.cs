using System;
using System.IO;
using System.Threading;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Reads LIBSVM / SVMlight text, plain or gzip (told apart by the first bytes): <c>label index:value index:value ... # comment</c>.
/// Indices are 1-based and increase within a row; query ids (<c>qid:7</c>) are ignored; blank lines and comments are skipped.
/// </summary>
public static class LibsvmReader
{
    /// <summary>Longest line, in bytes. Bounds the memory that a file which is no text can take.</summary>
    public const int LongestLine = 16 << 20;

    /// <summary>Bytes read at a time.</summary>
    public const int DefaultBlockBytes = 1 << 20;

    private const byte GzipFirst = 0x1f;
    private const byte GzipSecond = 0x8b;

    // How much of a gzip file is unpacked to see whether damage explains a row that cannot be parsed.
    private const long VerifiedBytes = 64L << 20;

    /// <summary>Reads the rows of a part. Rows of other parts are counted, not parsed: their owners report what is wrong there.</summary>
    /// <param name="path">A file, plain or gzip.</param>
    /// <param name="part">Which rows to keep.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The file cannot be read or is malformed; the message is FILE:LINE: what; what to do.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static SparseRows Read(string path, RowPart part, CancellationToken cancellation)
    {
        if (Directory.Exists(path))
            throw new InputException($"{path}: this is a folder; give a file of LIBSVM text");
        try
        {
            // The blocks are the buffer.
            using var file = new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
            return Read(file, path, part, DefaultBlockBytes, cancellation);
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

    /// <summary>Reads the rows of a part from a stream, in blocks.</summary>
    /// <param name="stream">Plain or gzip, not disposed.</param>
    /// <param name="source">Path or name, for messages.</param>
    /// <param name="part">Which rows to keep.</param>
    /// <param name="blockBytes">Bytes read at a time, 1 or more; a longer line makes the buffer grow.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The text is malformed; the message is SOURCE:LINE: what; what to do.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static SparseRows Read(Stream stream, string source, RowPart part, int blockBytes, CancellationToken cancellation)
    {
        part.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(blockBytes, 1);
        byte[] first = new byte[2];
        first = first[..stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)];
        if (first is not [GzipFirst, GzipSecond])
        {
            long totalBytes = stream.CanSeek ? stream.Length : 0;
            return new LineScanner(source, part, blockBytes, first, totalBytes).Scan(stream.Read, cancellation);
        }

        using var gzip = new GzipText(stream, first, source);
        try
        {
            return new LineScanner(source, part, blockBytes, [], 0).Scan(gzip.Read, cancellation);
        }
        catch (InputException)
        {
            // Damaged gzip may unpack to nonsense before its checksum tells: that is the error to report, if it is one.
            gzip.Verify(new byte[DefaultBlockBytes], VerifiedBytes);
            throw;
        }
    }
}
