using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Transport;

/// <summary>What the kernel is asked for at both ends of a TCP connection. A Unix domain socket has none of it, and needs none.</summary>
internal static class TcpOptions
{
    /// <summary>How long a peer may be silent where nobody says otherwise.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    // For systems that do not know the user timeout, which otherwise decides how long a host may be silent.
    private const int IdleSeconds = 10;
    private const int ProbeSeconds = 5;
    private const int Probes = 3;

    // linux/tcp.h: options that .NET has no names for, and where struct tcp_info has the u64 tcpi_bytes_acked.
    private const int UserTimeout = 18;
    private const int Info = 11;
    private const int AcknowledgedAt = 120;
    private const int InfoBytes = AcknowledgedAt + sizeof(ulong);

    // The same for the u32 tcpi_total_retrans.
    private const int RetransmittedAt = 100;
    private const int RetransmittedInfoBytes = RetransmittedAt + sizeof(uint);

    // The same for the u64 tcpi_delivery_rate: what the path took when there was enough to send.
    private const int RateAt = 160;
    private const int LimitedAt = 7; // bit 0: tcpi_delivery_rate_app_limited
    private const int RateInfoBytes = RateAt + sizeof(ulong);

    /// <summary>Sets them. What the system does not know is left out: the limits of silence that server and workers keep need none of it.</summary>
    /// <param name="socket">Any socket; only TCP is touched.</param>
    /// <param name="silence">How long what was sent may stay unacknowledged. A network that is out for less costs no worker.</param>
    public static void Set(Socket socket, TimeSpan silence)
    {
        if (socket.AddressFamily == AddressFamily.Unix)
            return;
        int milliseconds = (int)Math.Min(int.MaxValue, silence.TotalMilliseconds);
        try
        {
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ProbeSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, UserTimeout, MemoryMarshal.AsBytes(new Span<int>(ref milliseconds)));
        }
        catch (SocketException)
        {
            // not known here
        }
    }

    /// <summary>Bytes a second that the path takes, as the kernel has measured it lately; infinite where there is none, or the system does not tell.</summary>
    public static double BytesPerSecond(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.Unix)
            return double.PositiveInfinity;
        Span<byte> info = stackalloc byte[RateInfoBytes];
        try
        {
            bool known = socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, Info, info) == RateInfoBytes;
            bool wasFull = (info[LimitedAt] & 1) == 0; // else there was never enough to send, and it may take more
            return known && wasFull && MemoryMarshal.Read<ulong>(info[RateAt..]) is > 0 and var rate ? rate : double.PositiveInfinity;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return double.PositiveInfinity;
        }
    }

    /// <summary>Segments that this end has sent again; 0 where the system does not tell.</summary>
    public static long RetransmittedSegments(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.Unix)
            return 0;
        Span<byte> info = stackalloc byte[RetransmittedInfoBytes];
        try
        {
            return socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, Info, info) == RetransmittedInfoBytes ? MemoryMarshal.Read<uint>(info[RetransmittedAt..]) : 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }

    /// <summary>Bytes that the peer's kernel has acknowledged; 0 where the system does not tell.</summary>
    public static long AcknowledgedBytes(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.Unix)
            return 0;
        Span<byte> info = stackalloc byte[InfoBytes];
        try
        {
            return socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, Info, info) == InfoBytes ? MemoryMarshal.Read<long>(info[AcknowledgedAt..]) : 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }
}
