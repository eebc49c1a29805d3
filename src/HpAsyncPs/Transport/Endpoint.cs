using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

namespace HpAsyncPs.Transport;

/// <summary>Where a server is: HOST:PORT as people write it, with a name, an IPv4 address or [IPv6]; or unix:PATH, a socket of this host.</summary>
/// <param name="Host">Name or address, without brackets; or the path.</param>
/// <param name="Port">0 to 65535; 0 for a listener means any free one; -1 with a path.</param>
public readonly record struct Endpoint(string Host, int Port)
{
    /// <summary>What a Unix domain socket begins with.</summary>
    public const string UnixPrefix = "unix:";

    /// <summary>Most bytes of the path of a Unix domain socket: the system's sockaddr_un has 108, with a zero at the end.</summary>
    public const int MostPathBytes = 107;

    private const int NoPort = -1;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(1);

    /// <summary>A Unix domain socket: only processes of this host reach it, and only those that may enter its folder.</summary>
    public bool IsUnix => Port == NoPort;

    /// <summary>Reads HOST:PORT or unix:PATH.</summary>
    /// <exception cref="InputException">It is not of that form.</exception>
    public static Endpoint Parse(string text)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return ParsePath(text[UnixPrefix.Length..]);
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal))
            host = "";
        if (host.Length == 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port > ushort.MaxValue)
        {
            throw new InputException($"'{text}' is no address: write HOST:PORT, as in 127.0.0.1:7070, node1:7070 or [::1]:7070, or unix:PATH for a socket of this host.");
        }

        return new Endpoint(host, port);
    }

    /// <inheritdoc/>
    public override string ToString() => IsUnix ? UnixPrefix + Host : Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>All addresses of the host, each once: a listener listens at each.</summary>
    /// <exception cref="InputException">The name has none.</exception>
    public EndPoint[] Resolve() => Addresses() is [_, ..] addresses
        ? addresses
        : throw new InputException($"The host name '{Host}' has no address: check the spelling, or use an IP address.");

    /// <summary>A socket for an address.</summary>
    /// <exception cref="SocketException">The system has none of this family.</exception>
    public static Socket NewSocket(EndPoint address) => new(address.AddressFamily, SocketType.Stream, address is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);

    /// <summary>
    /// Connects to the first of the host's addresses that answers, and tries again with growing pauses until
    /// <paramref name="timeout"/>: servers may start last.
    /// </summary>
    /// <exception cref="ClusterException">Nobody answered in time.</exception>
    public Socket Connect(TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
    {
        if (Port == 0)
            throw new InputException($"{this}: nobody listens at port 0, with which a server takes any free one; give the port that it said.");
        long start = time.GetTimestamp();
        TimeSpan pause = FirstRetry;
        string reason = "the host name has no address";
        while (true)
        {
            foreach (EndPoint address in Addresses())
            {
                cancellation.ThrowIfCancellationRequested();
                TimeSpan left = timeout - time.GetElapsedTime(start);
#pragma warning disable CA2000 // the caller owns what is returned
                Socket? socket = left > TimeSpan.Zero ? TryConnect(address, left, cancellation, ref reason) : null;
#pragma warning restore CA2000
                if (socket is not null)
                    return socket;
            }

            cancellation.ThrowIfCancellationRequested();
            if (time.GetElapsedTime(start) + pause >= timeout)
            {
                throw new ClusterException($"No server answered at {this} within {timeout.TotalSeconds:0} s ({reason}): "
                    + "start hpaps-server there, or check the address and the firewall.");
            }

            cancellation.WaitHandle.WaitOne(pause);
            pause = pause + pause < LongestRetry ? pause + pause : LongestRetry;
        }
    }

    /// <summary>One try at each of the host's addresses; null when none answers.</summary>
    public Socket? TryConnect(TimeSpan timeout, CancellationToken cancellation)
    {
        string reason = "";
        foreach (EndPoint address in Addresses())
        {
#pragma warning disable CA2000 // the caller owns what is returned
            Socket? socket = cancellation.IsCancellationRequested ? null : TryConnect(address, timeout, cancellation, ref reason);
#pragma warning restore CA2000
            if (socket is not null)
                return socket;
        }

        return null;
    }

    private static Socket? TryConnect(EndPoint address, TimeSpan left, CancellationToken cancellation, ref string reason)
    {
        Socket socket = NewSocket(address);
        try
        {
            socket.Blocking = false;
            socket.Connect(address);
            return socket;
        }
        catch (SocketException e) when (address is IPEndPoint && e.SocketErrorCode is (SocketError.WouldBlock or SocketError.InProgress))
        {
            if (IsConnected(socket, left, cancellation, ref reason))
                return socket;
        }
        catch (SocketException e)
        {
            reason = e.Message; // of a path, "would block" says that too many wait to be accepted: there is nothing to wait for but another try
        }

        socket.Dispose();
        return null;
    }

    /// <summary>
    /// Waits for a connection that is being made. Not by the runtime's asynchronous sockets: it would go on watching the socket ever after,
    /// beside the loop that owns it.
    /// </summary>
    private static bool IsConnected(Socket socket, TimeSpan left, CancellationToken cancellation, ref string reason)
    {
        while (!socket.Poll(left < LongestRetry ? left : LongestRetry, SelectMode.SelectWrite))
        {
            left -= LongestRetry;
            if (left <= TimeSpan.Zero || cancellation.IsCancellationRequested)
            {
                reason = "no answer";
                return false;
            }
        }

        var error = (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        reason = error == SocketError.Success ? reason : new SocketException((int)error).Message;
        return error == SocketError.Success;
    }

    private static Endpoint ParsePath(string path)
    {
        int bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes is 0 or > MostPathBytes || path.Contains('\0', StringComparison.Ordinal))
            throw new InputException($"'{UnixPrefix}{path}' is no address: the path of a socket has 1 to {MostPathBytes} bytes; this one has {bytes}. Choose a shorter folder.");
        return new Endpoint(path, NoPort);
    }

    private EndPoint[] Addresses()
    {
        if (IsUnix)
            return [new UnixDomainSocketEndPoint(Host)];
        if (IPAddress.TryParse(Host, out IPAddress? address))
            return [new IPEndPoint(address, Port)];
        try
        {
            var addresses = new List<EndPoint>();
            foreach (IPAddress one in Dns.GetHostAddresses(Host))
            {
                var place = new IPEndPoint(one, Port);
                if (!addresses.Contains(place))
                    addresses.Add(place); // a hosts file may say it twice
            }

            return [.. addresses];
        }
        catch (SocketException)
        {
            return []; // a name service that is down for a moment looks the same as a name that does not exist
        }
    }
}
