using System;
using System.IO;

namespace HpAsyncPs.Programs.Rendezvous;

/// <summary>The folder, on a file system that server and workers share.</summary>
/// <param name="path">Of the folder.</param>
internal sealed class RendezvousFolder(string path)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode WrittenByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Where the file of a server is.</summary>
    /// <param name="server">Which.</param>
    public string PathOf(int server) => Path.Combine(path, RendezvousFile.NameOf(server));

    /// <summary>Writes the file of a server in one step, for its owner alone: readers see the one before it or all of this one.</summary>
    /// <param name="file">What it says.</param>
    /// <exception cref="InputException">It cannot be written.</exception>
    public void Write(RendezvousFile file)
    {
        string partial = Path.Combine(path, $".{RendezvousFile.NameOf(file.Server)}.{file.Incarnation}");
        try
        {
            Directory.CreateDirectory(path);
            var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                how.UnixCreateMode = Private;
            using (var stream = new FileStream(partial, how))
            {
                stream.Write(file.ToBytes());
                stream.Flush(flushToDisk: true);
            }

            File.Move(partial, PathOf(file.Server), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Delete(partial);
            throw new InputException($"--rendezvous '{path}': {RendezvousFile.NameOf(file.Server)} cannot be written there ({e.Message}): name a folder on a file system that server and workers share and that may be written.", e);
        }
    }

    /// <summary>The file of a server, or null where there is none.</summary>
    /// <param name="server">Which.</param>
    /// <exception cref="InputException">It cannot be read, or is no such file.</exception>
    public RendezvousFile? Read(int server)
    {
        string file = PathOf(server);
        try
        {
            byte[] bytes = new byte[RendezvousFile.MostBytes + 1];
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(stream.SafeFileHandle) & WrittenByOthers) != 0)
                throw new InputException($"'{file}' may be written by others than its owner, who could send workers anywhere: remove it.");
            int count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return count <= RendezvousFile.MostBytes
                ? RendezvousFile.Parse(bytes.AsMemory(0, count), file)
                : throw new InputException($"'{file}' is no rendezvous file: it has more than {RendezvousFile.MostBytes} bytes.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"'{file}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Removes the file of a server that ends, unless another server has replaced it.</summary>
    /// <param name="file">What this one wrote.</param>
    public void Remove(RendezvousFile file)
    {
        try
        {
            if (Read(file.Server)?.Incarnation == file.Incarnation)
                Delete(PathOf(file.Server));
        }
        catch (InputException)
        {
            // somebody else's, or gone with its file system
        }
    }

    private static void Delete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // workers recognise it by connecting
        }
    }
}
