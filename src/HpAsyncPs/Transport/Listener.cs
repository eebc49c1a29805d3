using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>Listens at every address of a host, all on one port. The socket of a path is for its owner alone, and goes away with it.</summary>
public sealed class Listener : IDisposable
{
    // All workers of a job may come at once, and whom the backlog does not take tries again only after a second; the system has a limit of its own (net.core.somaxconn).
    private const int Backlog = Limits.Workers;

    // Free ports that are tried until one is free at every address.
    private const int MostPorts = 32;

    private readonly List<Socket> _sockets;
    private readonly string? _path;

    private Listener(List<Socket> sockets, string? path)
    {
        _sockets = sockets;
        _path = path;
    }

    /// <summary>Where it listens, as <see cref="Endpoint.Parse"/> reads it; the first address, if there are several.</summary>
    public string Address => _path is null ? _sockets[0].LocalEndPoint!.ToString()! : Endpoint.UnixPrefix + _path;

    /// <summary>At how many addresses it listens.</summary>
    public int Count => _sockets.Count;

    /// <summary>Begins to listen.</summary>
    /// <exception cref="InputException">The address cannot be used.</exception>
    public static Listener Start(Endpoint endpoint) => Start(endpoint, endpoint.Resolve());

    /// <summary>Begins to listen at addresses that are known. Those that this host does not have are left out, if there are others.</summary>
    /// <param name="endpoint">What they were found for. With port 0 they share a port that is free at all of them.</param>
    /// <param name="addresses">At least one; a path alone.</param>
    /// <exception cref="InputException">None can be used, or a port is not free.</exception>
    public static Listener Start(Endpoint endpoint, params EndPoint[] addresses)
    {
        if (endpoint.IsUnix)
            RemoveDead(endpoint, addresses[0]);
        for (int left = endpoint.Port == 0 && addresses.Length > 1 ? MostPorts : 1; ; left--)
        {
            if (TryListen(endpoint, addresses, lastTry: left == 1) is { } sockets)
                return new Listener(sockets, endpoint.IsUnix ? endpoint.Host : null);
        }
    }

    /// <summary>The next connection.</summary>
    /// <param name="index">Which address: 0 to <see cref="Count"/> - 1.</param>
    public ValueTask<Socket> AcceptAsync(int index) => _sockets[index].AcceptAsync(CancellationToken.None);

    /// <inheritdoc/>
    public void Dispose() => Close(_sockets); // and removes the file of a path

    /// <summary>Null when the free port of the first address is not free at another: another port may be.</summary>
    private static List<Socket>? TryListen(Endpoint endpoint, EndPoint[] addresses, bool lastTry)
    {
        var sockets = new List<Socket>(addresses.Length);
        var failures = new List<string>();
        Exception? failure = null;
        foreach (EndPoint address in addresses)
        {
            EndPoint one = address is IPEndPoint ip && sockets is [var first, ..] ? new IPEndPoint(ip.Address, ((IPEndPoint)first.LocalEndPoint!).Port) : address;
            try
            {
                sockets.Add(Listen(endpoint, one));
            }
            catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
            {
                failure = e;
                failures.Add(addresses.Length == 1 ? e.Message : $"{one}: {e.Message}");
                if (IsMissing(e))
                    continue;
                Close(sockets);
                if (!lastTry && e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
                    return null;
                throw Refused();
            }
        }

        return sockets.Count > 0 ? sockets : throw Refused();

        InputException Refused() => new($"Cannot listen at {endpoint}: {string.Join("; ", failures)}. Choose another --listen address or {(endpoint.IsUnix ? "path" : "port")}.", failure!);
    }

    // ReuseAddress is not set: here it would let a second server share the port, and split the workers between the two.
    private static Socket Listen(Endpoint endpoint, EndPoint address)
    {
        Socket socket = Endpoint.NewSocket(address);
        try
        {
            if (address is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } ip)
                socket.DualMode = ip.Address.Equals(IPAddress.IPv6Any); // [::] stands for all addresses, IPv4 as well
            socket.Bind(address);
            if (endpoint.IsUnix && OperatingSystem.IsLinux())
                File.SetUnixFileMode(endpoint.Host, UnixFileMode.UserRead | UnixFileMode.UserWrite); // before anybody can connect
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>This host has no such address, or nothing of its kind.</summary>
    private static bool IsMissing(Exception e) => e is SocketException
    {
        SocketErrorCode: SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported or SocketError.ProtocolFamilyNotSupported,
    };

    private static void Close(List<Socket> sockets)
    {
        foreach (Socket socket in sockets)
            socket.Dispose();
    }

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
