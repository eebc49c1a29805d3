using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace HpAsyncPs.Transport;

/// <summary>A listening socket. That of a path is for its owner alone, and goes away with it.</summary>
public sealed class Listener : IDisposable
{
    private const int Backlog = 512;

    private readonly Socket _socket;
    private readonly string? _path;

    private Listener(Socket socket, string? path)
    {
        _socket = socket;
        _path = path;
    }

    /// <summary>Where it listens, as <see cref="Endpoint.Parse"/> reads it.</summary>
    public string Address => _path is null ? _socket.LocalEndPoint!.ToString()! : Endpoint.UnixPrefix + _path;

    /// <summary>Begins to listen.</summary>
    /// <exception cref="InputException">The address cannot be used.</exception>
    public static Listener Start(Endpoint endpoint)
    {
        EndPoint address = endpoint.Resolve();
        if (endpoint.IsUnix)
            RemoveDead(endpoint, address);
        Socket socket = Endpoint.NewSocket(address);

        // ReuseAddress is not set: here it would let a second server share the port, and split the workers between the two.
        try
        {
            socket.Bind(address);
            if (endpoint.IsUnix && OperatingSystem.IsLinux())
                File.SetUnixFileMode(endpoint.Host, UnixFileMode.UserRead | UnixFileMode.UserWrite); // before anybody can connect
            socket.Listen(Backlog);
            return new Listener(socket, endpoint.IsUnix ? endpoint.Host : null);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new InputException($"Cannot listen at {endpoint}: {e.Message}. Choose another --listen address or {(endpoint.IsUnix ? "path" : "port")}.", e);
        }
    }

    /// <summary>The next connection.</summary>
    public ValueTask<Socket> AcceptAsync() => _socket.AcceptAsync(CancellationToken.None);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose(); // and removes the file of a path

    /// <summary>Removes the socket of a server that was killed. One that answers, or a file that is no socket, stays: binding says so.</summary>
    private static void RemoveDead(Endpoint endpoint, EndPoint address)
    {
        using Socket socket = Endpoint.NewSocket(address);
        try
        {
            socket.Connect(address);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            if (IsSocket(endpoint.Host))
                File.Delete(endpoint.Host);
        }
        catch (SocketException)
        {
            // there is none, or it is busy
        }
    }

    // Everything but a socket can be opened: a file that is no socket is refused in the same words by connect.
    private static bool IsSocket(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return File.Exists(path);
        }
    }
}
