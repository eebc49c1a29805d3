using System;
using System.Net;
using System.Net.Sockets;

namespace HpAsyncPs.Tests.Transport;

/// <summary>Two ends of a connection on this host.</summary>
internal static class SocketPair
{
    /// <param name="receiveBytes">The second end's receive buffer; the system's if 0.</param>
    public static (Socket, Socket) Tcp(int receiveBytes = 0)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (receiveBytes > 0)
            listener.ReceiveBufferSize = receiveBytes; // what is accepted has it from its first byte
        return Connect(listener, new IPEndPoint(IPAddress.Loopback, 0));
    }

    public static (Socket, Socket) Unix()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        return Connect(listener, new UnixDomainSocketEndPoint($"\0hpaps-{Guid.NewGuid()}")); // a name and no file
    }

    private static (Socket, Socket) Connect(Socket listener, EndPoint address)
    {
        listener.Bind(address);
        listener.Listen();
        var one = new Socket(listener.AddressFamily, SocketType.Stream, listener.ProtocolType);
        one.Connect(listener.LocalEndPoint!);
        return (one, listener.Accept());
    }
}
