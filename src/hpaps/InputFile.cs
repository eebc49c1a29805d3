using System;
using System.IO;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Cli;

/// <summary>Checks of files, before time is spent.</summary>
internal static class InputFile
{
    /// <summary>Do two paths lead to one file, links followed?</summary>
    public static bool IsSame(string one, string other) => Final(one) == Final(other);

    /// <summary>Refuses a folder or a device as a file to write.</summary>
    /// <exception cref="InputException">It is one.</exception>
    public static void CheckOutput(string option, string path)
    {
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path))
            throw new InputException($"{option} {path}: this is a folder; name a file");
        string full = Path.GetFullPath(path);
        if ((full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal)) || full.StartsWith("/proc/", StringComparison.Ordinal))
            throw new InputException($"{option} {path}: this is a device, which a file would replace; name a file");
    }

    /// <summary>Makes sure that it can be opened, again and again; says so in words of the option otherwise.</summary>
    /// <returns>Its length in bytes.</returns>
    /// <exception cref="InputException">It cannot.</exception>
    public static long Check(string option, string path)
    {
        if (Directory.Exists(path))
            throw new InputException($"{option} {path}: this is a folder; give a file");
        if (IsOwnHandle(path))
            throw new InputException($"{option} {path}: every worker opens the file for itself, and for each this is another; give the file's own path");
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            if (!file.CanSeek)
                throw new InputException($"{option} {path}: this is a pipe or a device, and every worker reads it for itself; save it to a file first");
            return file.Length;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{option} {path}: there is no such file; check the path", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new InputException($"{option} {path}: may not be read by this user; check its permissions", e);
        }
        catch (Exception e) when (e is IOException or ArgumentException { ParamName: "path" })
        {
            throw new InputException($"{option} {path}: cannot be read ({e.Message}); check the path and the disk", e);
        }
    }

    /// <summary>The same for labelled rows, which may be in the files of a folder.</summary>
    /// <param name="option">The option.</param>
    /// <param name="path">A file or a folder.</param>
    /// <param name="parts">Of how many workers each takes files of the folder.</param>
    /// <returns>Bytes of all.</returns>
    /// <exception cref="InputException">It cannot be opened, or has too few files.</exception>
    public static long CheckRows(string option, string path, int parts)
    {
        if (!Directory.Exists(path))
            return Check(option, path);
        RowFolder folder = RowFolder.Of(path);
        folder.CheckParts(parts);
        return folder.Bytes;
    }

    /// <summary>The same for what is trained on.</summary>
    /// <param name="settings">What the user asked for.</param>
    /// <returns>Bytes of all.</returns>
    /// <exception cref="InputException">It cannot be opened, or has too few files.</exception>
    public static long CheckData(TrainSettings settings) =>
        settings.HasLabels ? CheckRows("--data", settings.Data, settings.Workers) : Check("--data", settings.Data);

    private static bool IsOwnHandle(string path)
    {
        string full = Path.GetFullPath(path);
        return full == "/dev/stdin" || full.StartsWith("/dev/fd/", StringComparison.Ordinal) || full.StartsWith("/proc/", StringComparison.Ordinal);
    }

    private static string Final(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return full; // whoever opens it will say what is wrong
        }
    }
}
