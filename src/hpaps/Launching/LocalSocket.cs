using System;
using System.Globalization;
using System.IO;
using System.Text;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Launching;

/// <summary>
/// Where the servers of a local run listen: a Unix domain socket in a folder that only this user may enter, which is shorter than the way
/// through TCP and closed to others; a free port of loopback where the name of the folder for temporary files is too long or it cannot be written.
/// </summary>
internal sealed class LocalSocket : IDisposable
{
    private const string Loopback = "127.0.0.1:0";
    private const string Prefix = "hpaps-run-";
    private const string ServerName = "server";
    private const string OfAllServers = "server*";
    private const string LockName = "lock";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string? _folder;
    private readonly bool _isLoopback;
    private readonly FileStream? _lock; // the system gives it up when this process ends, however it ends

    public LocalSocket()
    {
        try
        {
            RemoveLeftOvers();
            _folder = Directory.CreateTempSubdirectory(Prefix).FullName; // mode 0700
            _lock = new FileStream(Path.Combine(_folder, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            if (Encoding.UTF8.GetByteCount(Path.Combine(_folder, ServerName + ".00")) > Endpoint.MostPathBytes)
                _isLoopback = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _isLoopback = true;
        }
    }

    /// <summary>For --listen of a server.</summary>
    /// <param name="shard">Which.</param>
    public string AddressOf(int shard) =>
        _isLoopback || _folder is null ? Loopback : Endpoint.UnixPrefix + Path.Combine(_folder, shard == 0 ? ServerName : string.Create(CultureInfo.InvariantCulture, $"{ServerName}.{shard}"));

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _lock?.Dispose();
            if (_folder is not null)
                Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // it has gone already, or is no longer ours: an empty folder for temporary files harms nobody
        }
    }

    /// <summary>Folders of runs whose launcher was killed: private, of this user, and with a lock that nobody holds any more.</summary>
    private static void RemoveLeftOvers()
    {
        foreach (string folder in Directory.GetDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            try
            {
                if (new DirectoryInfo(folder).LinkTarget is not null || OperatingSystem.IsWindows() || File.GetUnixFileMode(folder) != Private)
                    continue;
                File.SetUnixFileMode(folder, Private); // changes nothing, and its owner alone may do it
                string held = Path.Combine(folder, LockName);
                if (!File.Exists(held))
                    continue; // one that is being made, or no folder of ours
                using (new FileStream(held, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                    foreach (string socket in Directory.GetFiles(folder, OfAllServers))
                        File.Delete(socket);
                    File.Delete(held);
                    Directory.Delete(folder);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // it is in use, or not ours, or something else is in it: it stays
            }
        }
    }
}
