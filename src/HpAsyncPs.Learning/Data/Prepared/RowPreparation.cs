using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;

namespace HpAsyncPs.Learning.Data.Prepared;

/// <summary>What a prepared file has.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Features">Columns.</param>
/// <param name="Entries">Entries.</param>
/// <param name="Blocks">Blocks.</param>
/// <param name="Passes">How often the text was read.</param>
public sealed record PreparedFacts(long Rows, int Features, long Entries, int Blocks, int Passes);

/// <summary>Makes the prepared form of LIBSVM text.</summary>
public static class RowPreparation
{
    // Rows are two times the text at most (8 bytes of "1:1 "), the keys of the order a little more, and arrays that grow are there twice for a moment.
    private const double MemoryOfText = 3;

    // What gzip makes of such text is rarely more than this.
    private const double MostPacking = 10;

    // Of what this machine has, or a container is allowed.
    private const double ShareOfMemory = 0.25;

    /// <summary>What a prepared file was made of, and in the order of which seed; null if it is none.</summary>
    /// <param name="path">Any file or folder.</param>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static (string MadeOf, ulong Seed)? Describe(string path)
    {
        (string, ulong)? described = null;
        if (Directory.Exists(path))
            return described;
        TextFile.Open(path, file => described = PreparedFile.TryOpen(file, path) is { } prepared ? (prepared.MadeOf, prepared.Head.Seed) : null);
        return described;
    }

    /// <summary>How often the text has to be read, so that a quarter of this machine's memory is enough.</summary>
    /// <param name="path">Of the text: a file, or a folder of files.</param>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static int Passes(string path)
    {
        double text = 0;
        foreach (string one in FilesOf(path))
        {
            TextFile.Open(one, file =>
            {
                if (!file.CanSeek)
                    throw new InputException($"{one}: this is a pipe or a device, and may have to be read several times; save it to a file first");
                if (PreparedFile.TryOpen(file, one) is not null)
                    throw new InputException($"{one}: is prepared already; give the text that it was made of");
                text += file.Length * (file.ReadByte() == TextFile.GzipFirst ? MostPacking : 1);
            });
        }

        return (int)Math.Clamp(Math.Ceiling(text * MemoryOfText / (ShareOfMemory * GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)), 1, 1000);
    }

    /// <summary>Writes it: all rows, in an order that the seed alone decides.</summary>
    /// <param name="path">Of the text, plain or gzip: a file, or a folder of files.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="passes">How often to read the text, keeping one of so many rows each time.</param>
    /// <param name="output">Empty, and can be written anywhere.</param>
    /// <param name="progress">Told the share that is done, from 0 to 1, where it is known.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <exception cref="InputException">The text cannot be read, or is malformed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static PreparedFacts Write(string path, ulong seed, int passes, Stream output, Action<double> progress, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(passes, 1);
        IReadOnlyList<string> files = FilesOf(path);
        var lengths = new long[files.Count];
        double all = 0;
        for (int j = 0; j < lengths.Length; j++)
            all += lengths[j] = RowFolder.LengthOf(files[j]);
        var writer = new PreparedWriter(output);
        long rows = 0, entries = 0;
        int features = 0;
        float least = float.PositiveInfinity, largest = float.NegativeInfinity;
        for (int pass = 0; pass < passes; pass++)
        {
            double before = pass * all;
            var store = new RowStore(path);
            var shuffler = new RowShuffler(seed, pass, passes, store, bytes => progress(Math.Min(1, (before + bytes) / (passes * all))));
            for (int j = 0; j < lengths.Length; j++)
            {
                shuffler.Begin(files[j]);
                if (lengths.Length > 1)
                    store.Begin(files[j]);
                TextFile.Read(files[j], shuffler, cancellation);
                before += lengths[j];
            }

            if (pass > 0 && shuffler.Count != rows)
                throw new InputException($"{path}: has {shuffler.Count} rows now, and had {rows} before; something changes it: prepare it when that is done");
            rows = shuffler.Count;
            if (rows == 0)
                throw new InputException($"{path}: there are no rows in it; give LIBSVM text");
            SparseRows taken = shuffler.WriteTo(writer, cancellation);
            entries += taken.Nonzeros;
            features = Math.Max(features, taken.Features);
            least = Math.Min(least, taken.MinLabel);
            largest = Math.Max(largest, taken.MaxLabel);
        }

        writer.Finish(features, least, largest, seed, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))));
        return new PreparedFacts(rows, features, entries, writer.Blocks, passes);
    }

    private static IReadOnlyList<string> FilesOf(string path) => Directory.Exists(path) ? RowFolder.Of(path).Files : [path];
}
