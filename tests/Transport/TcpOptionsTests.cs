using System;
using System.Buffers;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>What the kernel was asked for.</summary>
public sealed class TcpOptionsTests
{
    private const int UserTimeout = 18; // linux/tcp.h

    [Theory]
    [InlineData(null, 30_000)]
    [InlineData(7.5, 7_500)]
    [InlineData(1e6, 1_000_000_000)]
    [InlineData(1e9, int.MaxValue)]
    public void Connection_notices_a_dead_host_no_later_than_its_limit_of_silence(double? silence, int milliseconds)
    {
        using var pool = new SlabPool(Connection.MostBlocks(Limits.ChunkBytes));
        using var loop = new OwnerLoop("test", TimeProvider.System, TimeSpan.FromMilliseconds(5), () => true);
        (Socket socket, Socket other) = SocketPair.Tcp();
        using (other)
        {
            _ = new Connection(socket, pool, loop, TimeProvider.System, "peer", Limits.ChunkBytes, _ => new Silent(), silence is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
            Assert.True(socket.NoDelay);
            Assert.Equal(1, (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
            Assert.Equal(10, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!);
            Assert.Equal(5, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval)!);
            Assert.Equal(3, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)!);
            byte[] value = new byte[sizeof(int)];
            socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, UserTimeout, value);
            Assert.Equal(milliseconds, MemoryMarshal.Read<int>(value));
        }
    }

    /// <summary>Who knocks at a full backlog knocks again after a second.</summary>
    [Fact]
    public void Segments_that_are_sent_again_are_counted()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        var knocking = new List<Socket>();
        for (int j = 0; j < 6; j++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            knocking.Add(socket);
            Assert.Equal(SocketError.WouldBlock, Assert.Throws<SocketException>(() => socket.Connect(listener.LocalEndPoint!)).SocketErrorCode);
        }

        Assert.Equal(0, TcpOptions.RetransmittedSegments(knocking[0])); // it got in
        Eventually.Holds(() => TcpOptions.RetransmittedSegments(knocking[^1]) > 0, () => "nothing was sent again");
        foreach (Socket socket in knocking)
            socket.Dispose();
        Assert.Equal(0, TcpOptions.RetransmittedSegments(knocking[^1])); // of one that has gone nobody tells
        (Socket one, Socket other) = SocketPair.Tcp();
        using (one)
        using (other)
            Assert.Equal(0, TcpOptions.RetransmittedSegments(one));
    }

    private sealed class Silent : IFrameHandler
    {
        public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
        {
        }

        public void Violated(string reason, FrameFault fault)
        {
        }

        public void Writable()
        {
        }

        public void Closed(string? reason)
        {
        }
    }
}
