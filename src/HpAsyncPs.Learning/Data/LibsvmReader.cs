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
    /// <param name="path">A file, or a folder of files: <see cref="RowFolder"/>.</param>
    /// <param name="part">Which rows to keep: by their hash; of a prepared file a range; of a folder whole files.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">It cannot be read or is malformed; the message says where, what and what to do.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static SparseRows Read(string path, RowPart part, CancellationToken cancellation) => Read(path, part, RowCut.Rows, cancellation);

    /// <summary>Reads the rows of a part.</summary>
    /// <param name="path">A file, or a folder of files: <see cref="RowFolder"/>.</param>
    /// <param name="part">Which rows to keep: by their hash; of a prepared file a range; of a folder whole files.</param>
    /// <param name="cut">Whether it is rather a piece of a text.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">It cannot be read or is malformed; the message says where, what and what to do.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static SparseRows Read(string path, RowPart part, RowCut cut, CancellationToken cancellation)
    {
        part.Check();
        var rows = new RowStore(path);
        if (!Directory.Exists(path))
            return rows.Finish(trim: true, Add(rows, path, part, cut, cancellation));
        if (cut == RowCut.Bytes)
            throw new InputException($"{path}: is a folder, of which workers take whole files; leave --cut bytes out");
        RowFolder folder = RowFolder.Of(path);
        folder.CheckParts(part.Count);
        for (int j = part.Index; j < folder.Files.Count; j += part.Count)
        {
            rows.Begin(folder.Files[j]);
            Add(rows, folder.Files[j], RowPart.All, RowCut.Rows, cancellation);
        }

        return rows.Finish(trim: true, folder.CutFrom);
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

    /// <summary>Adds the rows of a part of a file, and says what <see cref="SparseRows.CutFrom"/> is.</summary>
    private static string? Add(RowStore rows, string path, RowPart part, RowCut cut, CancellationToken cancellation)
    {
        string? cutFrom = null;
        TextFile.Open(path, file =>
        {
            bool isPiece = cut == RowCut.Bytes && part.Count > 1;
            if (PreparedFile.TryOpen(file, path) is { } prepared)
            {
                if (isPiece)
                    throw new InputException($"{path}: is prepared, and each worker reads its own rows of it as it is; leave --cut bytes out");
                prepared.Read(rows, part, cancellation);
                cutFrom = $"prepared {prepared.Fingerprint}";
            }
            else if (isPiece)
            {
                TextPiece.Read(file, path, part, new RowBuilder(path, RowPart.All, rows), cancellation);
                cutFrom = $"bytes of {file.Length}";
            }
            else
            {
                Add(rows, file, path, part, TextFile.DefaultBlockBytes, cancellation);
            }
        });
        return cutFrom;
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
