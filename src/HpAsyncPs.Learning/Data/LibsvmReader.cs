using System;
using System.IO;
using System.Threading;
using HpAsyncPs.Learning.Data.Prepared;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Reads LIBSVM / SVMlight text, plain or gzip: <c>label index:value index:value ... # comment</c>.
/// Indices are 1-based and increase within a row; query ids (<c>qid:7</c>) are ignored; blank lines and comments are skipped.
/// Files that hpaps prepare made of such text are told by their first bytes, and read as well.
/// </summary>
public static class LibsvmReader
{
    /// <summary>Reads the rows of a part.</summary>
    /// <param name="path">A file.</param>
    /// <param name="part">Which rows to keep: by their hash, or of a prepared file a range.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The file cannot be read or is malformed; the message says where, what and what to do.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static SparseRows Read(string path, RowPart part, CancellationToken cancellation)
    {
        part.Check();
        if (Directory.Exists(path))
            throw new InputException($"{path}: this is a folder; give a file");
        var rows = new RowStore(path);
        string? cutFrom = null;
        TextFile.Open(path, file =>
        {
            if (PreparedFile.TryOpen(file, path) is { } prepared)
            {
                prepared.Read(rows, part, cancellation);
                cutFrom = $"prepared {prepared.Fingerprint}";
            }
            else
            {
                Add(rows, file, path, part, TextFile.DefaultBlockBytes, cancellation);
            }
        });
        return rows.Finish(trim: true, cutFrom);
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
        var rows = new RowStore(source);
        Add(rows, stream, source, part, blockBytes, cancellation);
        return rows.Finish(trim: true);
    }

    /// <summary>Adds the rows of a part. Rows of other parts are counted, not parsed: their owners report what is wrong there.</summary>
    /// <param name="rows">Takes them.</param>
    /// <param name="stream">Plain or gzip, not disposed.</param>
    /// <param name="source">Path or name, for messages.</param>
    /// <param name="part">Which rows to keep.</param>
    /// <param name="blockBytes">Bytes read at a time, 1 or more; a longer line makes the buffer grow.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The text is malformed, or has no row at all.</exception>
    internal static void Add(RowStore rows, Stream stream, string source, RowPart part, int blockBytes, CancellationToken cancellation)
    {
        var builder = new RowBuilder(source, part, rows);
        TextFile.Read(stream, source, builder, blockBytes, cancellation);
        builder.CheckAny();
    }
}
