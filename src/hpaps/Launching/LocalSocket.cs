using System;
using System.IO;
using System.Text;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Launching;

/// <summary>
/// Where the server of a local run listens: a Unix domain socket in a folder that only this user may enter, which is shorter than the way
/// through TCP and closed to others; a free port of loopback where the name of the folder for temporary files is too long or it cannot be written.
/// </summary>
internal sealed class LocalSocket : IDisposable
{
    private const string Loopback = "127.0.0.1:0";

    private readonly string? _folder;

    public LocalSocket()
    {
        try
        {
            _folder = Directory.CreateTempSubdirectory("hpaps-").FullName; // mode 0700
            Address = Endpoint.UnixPrefix + Path.Combine(_folder, "server");
            if (Encoding.UTF8.GetByteCount(Address) - Endpoint.UnixPrefix.Length > Endpoint.MostPathBytes)
                Address = Loopback;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Address = Loopback;
        }
    }

    /// <summary>For --listen.</summary>
    public string Address { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            if (_folder is not null)
                Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // it has gone already, or is no longer ours: an empty folder for temporary files harms nobody
        }
    }
}
