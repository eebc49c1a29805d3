using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Hashing;
using System.Text;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// A folder of files with rows, in the order of their names, byte by byte. Those whose names begin with a point, and those that are empty, do not count. Of N
/// workers, worker I takes the files J with J mod N = I, whole.
/// </summary>
public sealed class RowFolder
{
    private readonly string _path;
    private readonly string _fingerprint;

    private RowFolder(string path, List<string> files, long bytes, string fingerprint) => (_path, Files, Bytes, _fingerprint) = (path, files, bytes, fingerprint);

    /// <summary>Paths of the files, at least one.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Bytes of all files.</summary>
    public long Bytes { get; }

    /// <summary>See <see cref="SparseRows.CutFrom"/>: names and lengths of the files.</summary>
    internal string CutFrom => $"{Files.Count} files {_fingerprint}";

    /// <summary>Lists a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="InputException">It cannot be read, has no files, or has folders.</exception>
    public static RowFolder Of(string path)
    {
        var files = new List<string>();
        long bytes = 0;
        var hash = new XxHash3();
        try
        {
            string[] entries = Directory.GetFileSystemEntries(path);
            Array.Sort(entries, StringComparer.Ordinal);
            foreach (string entry in entries)
            {
                if (Path.GetFileName(entry).StartsWith('.'))
                    continue;
                if (Directory.Exists(entry))
                    throw new InputException($"{path}: has a folder in it, {Path.GetFileName(entry)}; give a folder of files alone");
                long length = LengthOf(entry);
                if (length == 0)
                    continue;
                files.Add(entry);
                bytes += length;
                hash.Append(Encoding.UTF8.GetBytes($"{Path.GetFileName(entry)}/{length}/"));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: the folder cannot be read ({e.Message}); check its permissions and the disk", e);
        }

        if (files.Count == 0)
            throw new InputException($"{path}: there are no files in this folder; give a folder of LIBSVM files");
        return new RowFolder(path, files, bytes, hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture));
    }

    /// <summary>Makes sure that each part has a file.</summary>
    /// <param name="parts">How many parts.</param>
    /// <exception cref="InputException">There are fewer files.</exception>
    public void CheckParts(int parts)
    {
        if (parts > Files.Count)
            throw new InputException($"{_path}: has {Files.Count} files, too few for {parts} workers, which take whole files; use at most {Files.Count} workers, or make one file of them with hpaps prepare logreg");
    }

    /// <summary>Is it a file that can be read more than once? No pipe, however it is named (/dev/fd/63 is a link to one, which leads nowhere).</summary>
    /// <param name="path">Of what exists.</param>
    internal static bool IsRegular(string path) => new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is not { Exists: false };

    /// <summary>Length of a file, or of that which a link leads to; pipes and devices have none.</summary>
    internal static long LengthOf(string path)
    {
        var file = new FileInfo(path);
        return (file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length;
    }
}
