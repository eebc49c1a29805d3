using System;
using System.IO;
using System.Threading;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Reads LIBSVM / SVMlight text, plain or gzip: <c>label index:value index:value ... # comment</c>.
/// Indices are 1-based and increase within a row; query ids (<c>qid:7</c>) are ignored; blank lines and comments are skipped.
/// </summary>
public static class LibsvmReader
{
    /// <summary>Reads the rows of a part. Rows of other parts are counted, not parsed: their owners report what is wrong there.</summary>
    /// <param name="path">A file, plain or gzip.</param>
    /// <param name="part">Which rows to keep.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The file cannot be read or is malformed; the message is FILE:LINE: what; what to do.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static SparseRows Read(string path, RowPart part, CancellationToken cancellation)
    {
        part.Check();
        var builder = new RowBuilder(path, part);
        TextFile.Read(path, builder, cancellation);
        return builder.Finish();
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
        var builder = new RowBuilder(source, part);
        TextFile.Read(stream, source, builder, blockBytes, cancellation);
        return builder.Finish();
    }
}
