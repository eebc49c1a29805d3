using System;
using System.Buffers;
using System.Net;
using System.Net.Sockets;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Tests;

/// <summary>A peer that speaks the protocol by hand, and badly if a test wants it.</summary>
internal sealed class RawPeer : IDisposable
{
    private readonly Socket _socket;
    private byte[] _received = [];

    public RawPeer(Socket socket)
    {
        _socket = socket;
        _socket.ReceiveTimeout = 10_000;
        _socket.SendTimeout = 10_000;
    }

    public Socket Socket => _socket;

    /// <summary>The number of its session.</summary>
    public ulong SessionNumber { get; } = HpAsyncPs.Protocol.SessionNumber.Draw();

    public static RawPeer ConnectTo(string address)
    {
        IPEndPoint where = IPEndPoint.Parse(address);
        var socket = new Socket(where.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(where);
        return new RawPeer(socket);
    }

    public void Send(FrameHeader header, byte[] payload)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, header, payload);
        _socket.Send(output.WrittenSpan);
    }

    public void Send(FrameHeader header, Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        Send(header, output.WrittenSpan.ToArray());
    }

    public void Join(int rank, int parameters) =>
        Send(new FrameHeader(FrameKind.Join) { Session = SessionNumber }, new JoinMessage(rank, parameters, 1, Aggregate.Mean, 1, [], []).Write);

    /// <summary>The next frame of this kind; others are skipped.</summary>
    public (FrameHeader Header, byte[] Payload) Receive(FrameKind kind)
    {
        while (true)
        {
            (FrameHeader header, byte[] payload) = Receive(kind.ToString());
            if (header.Kind == kind)
                return (header, payload);
        }
    }

    /// <summary>The next frame of any kind.</summary>
    /// <param name="expected">What is waited for, for the message.</param>
    public (FrameHeader Header, byte[] Payload) Receive(string expected = "a frame")
    {
        while (true)
        {
            var buffer = new ReadOnlySequence<byte>(_received);
            if (FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload))
            {
                byte[] content = payload.ToArray();
                _received = buffer.ToArray();
                return (header, content);
            }

            byte[] bytes = new byte[64 * 1024];
            int count = _socket.Receive(bytes);
            if (count == 0)
                throw new InvalidOperationException($"The peer closed before it sent {expected}.");
            _received = [.. _received, .. bytes.AsSpan(0, count)];
        }
    }

    /// <summary>Puts a frame back: it is the next one again.</summary>
    public void Unread(FrameHeader header, byte[] payload)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, header, payload);
        _received = [.. output.WrittenSpan, .. _received];
    }

    /// <summary>Reads to the end of the connection; true when the peer closed or reset it.</summary>
    public bool IsClosedByPeer()
    {
        byte[] bytes = new byte[64 * 1024];
        try
        {
            while (_socket.Receive(bytes) > 0)
            {
            }

            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode is SocketError.ConnectionReset;
        }
    }

    public void Dispose() => _socket.Dispose();
}
