using System;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace HpAsyncPs.Transport;

/// <summary>HOST:PORT as people write it: a name, an IPv4 address, or [IPv6].</summary>
/// <param name="Host">Name or address, without brackets.</param>
/// <param name="Port">0 to 65535; 0 for a listener means any free one.</param>
public readonly record struct Endpoint(string Host, int Port)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(1);

    /// <summary>Reads HOST:PORT.</summary>
    /// <exception cref="InputException">It is not of that form.</exception>
    public static Endpoint Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal))
            host = "";
        if (host.Length == 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port > ushort.MaxValue)
        {
            throw new InputException($"'{text}' is no address: write HOST:PORT, as in 127.0.0.1:7070, node1:7070 or [::1]:7070.");
        }

        return new Endpoint(host, port);
    }

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>The address to listen at.</summary>
    /// <exception cref="InputException">The name has none.</exception>
    public IPEndPoint Resolve()
    {
        if (IPAddress.TryParse(Host, out IPAddress? address))
            return new IPEndPoint(address, Port);
        try
        {
            IPAddress[] addresses = Dns.GetHostAddresses(Host);
            if (addresses.Length > 0)
                return new IPEndPoint(addresses[0], Port);
        }
        catch (SocketException)
        {
            // Told below.
        }

        throw new InputException($"The host name '{Host}' has no address: check the spelling, or use an IP address.");
    }

    /// <summary>Connects, and tries again with growing pauses until <paramref name="timeout"/>: servers may start last.</summary>
    /// <exception cref="ClusterException">Nobody answered in time.</exception>
    public Socket Connect(TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
    {
        long start = time.GetTimestamp();
        TimeSpan pause = FirstRetry;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            IPEndPoint address = Resolve();
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                deadline.CancelAfter(timeout);
                socket.ConnectAsync(address, deadline.Token).AsTask().GetAwaiter().GetResult();
                return socket;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                cancellation.ThrowIfCancellationRequested();
                if (time.GetElapsedTime(start) + pause >= timeout)
                {
                    throw new ClusterException($"No server answered at {this} within {timeout.TotalSeconds:0} s ({e.Message}): "
                        + "start hpaps-server there, or check the address and the firewall.", e);
                }
            }

            cancellation.WaitHandle.WaitOne(pause);
            pause = pause + pause < LongestRetry ? pause + pause : LongestRetry;
        }
    }
}
