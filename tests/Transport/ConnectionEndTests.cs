using System;
using System.Buffers;
using System.IO;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>Connections that end badly, frames that come in pieces, and readers that are slow, over real sockets.</summary>
[Collection(Alone.Name)]
public sealed class ConnectionEndTests
{
    [Fact]
    public void Connect_a_thousand_times_and_end_in_every_way_leaks_no_handle_and_no_block()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false }); // one alone does not start the job
        Round(server, 0); // what is opened once and stays
        int before = Handles();
        for (int round = 1; round <= 1000; round++)
            Round(server, round);
        Eventually.Holds(() => Handles() <= before + 2 && server.Host.LeasedBlocks == 0,
            () => $"{Handles()} handles, {before} before; {server.Host.LeasedBlocks} blocks");
        using (RawPeer other = RawPeer.ConnectTo(server.Address))
        {
            other.Join(0, 1);
            using WorkerClient worker = server.Connect(1, 1);
            worker.Push([1]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(63)]
    [InlineData(65)]
    [InlineData(4096)]
    public void Push_that_comes_in_pieces_is_applied_once(int piece)
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
        using (RawPeer peer = RawPeer.ConnectTo(server.Address))
        {
            peer.Join(0, 100);
            ulong session = AdmittedMessage.Read(new ReadOnlySequence<byte>(peer.Receive(FrameKind.Admitted).Payload)).Session;
            peer.Receive(FrameKind.Start);
            var output = new ArrayBufferWriter<byte>();
            for (ulong push = 1; push <= 3; push++)
            {
                var header = new FrameHeader(FrameKind.Push) { Session = session, Codec = CodecId.Fp32, Flags = FrameFlags.Last, Sequence = push, KeyCount = 100 };
                FrameWriter.Write(output, header, MemoryMarshal.AsBytes<float>(Filled(100, push)));
            }

            for (int at = 0; at < output.WrittenCount; at += piece)
                peer.Socket.Send(output.WrittenSpan[at..Math.Min(at + piece, output.WrittenCount)]);
            for (ulong push = 1; push <= 3; push++)
                Assert.Equal(push, peer.Receive(FrameKind.Acknowledged).Header.Sequence);
            peer.Send(new FrameHeader(FrameKind.Leave) { Session = session }, new TextMessage("done").Write);
            Assert.Equal(Filled(100, 6), server.WaitForEnd().Model);
        }
    }

    /// <summary>The server has more to send than sockets hold: the rest waits in its pipe, in order, however slowly it is read.</summary>
    [Fact]
    public void Snapshot_to_a_reader_that_is_slow_arrives_whole()
    {
        const int parameters = 5_000_000;
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
        using (RawPeer peer = RawPeer.ConnectTo(server.Address))
        {
            peer.Socket.ReceiveBufferSize = 64 * 1024;
            peer.Join(0, parameters);
            ulong session = AdmittedMessage.Read(new ReadOnlySequence<byte>(peer.Receive(FrameKind.Admitted).Payload)).Session;
            peer.Receive(FrameKind.Start);
            float[] pushed = new float[parameters];
            for (int j = 0; j < parameters; j++)
                pushed[j] = j;
            for (int begin = 0; begin < parameters; begin += Limits.ChunkParameters)
            {
                int count = Math.Min(Limits.ChunkParameters, parameters - begin);
                var header = new FrameHeader(FrameKind.Push)
                {
                    Session = session,
                    Codec = CodecId.Fp32,
                    Flags = begin + count == parameters ? FrameFlags.Last : FrameFlags.None,
                    Sequence = 1,
                    KeyBegin = (ulong)begin,
                    KeyCount = (uint)count,
                };
                peer.Send(header, MemoryMarshal.AsBytes(pushed.AsSpan(begin, count)).ToArray());
            }

            peer.Receive(FrameKind.Acknowledged);
            peer.Send(new FrameHeader(FrameKind.Pull) { Session = session }, []);
            float[] pulled = new float[parameters];
            for (int begin = 0; begin < parameters;)
            {
                (FrameHeader header, byte[] payload) = peer.Receive(FrameKind.Snapshot);
                Assert.Equal((ulong)begin, header.KeyBegin);
                MemoryMarshal.Cast<byte, float>(payload).CopyTo(pulled.AsSpan(begin));
                begin += (int)header.KeyCount;
                Thread.Sleep(5); // it is slow
            }

            Assert.Equal(pushed, pulled);
            peer.Send(new FrameHeader(FrameKind.Leave) { Session = session }, new TextMessage("done").Write);
            server.WaitForEnd();
        }
    }

    private static void Round(LoopbackServer server, int round)
    {
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        switch (round % 5)
        {
            case 1: // a header that ends in its middle
                peer.Socket.Send(new byte[20]);
                break;
            case 2: // reset
                peer.Socket.Send(new byte[10]);
                peer.Socket.LingerState = new LingerOption(true, 0);
                break;
            case 3: // half-closed: it hears the server's last words all the same
                peer.Socket.Send(new byte[64]);
                peer.Socket.Shutdown(SocketShutdown.Send);
                peer.Receive(FrameKind.Refused);
                break;
            case 4: // admitted, and gone before the start
                peer.Join(-1, 5);
                if (round % 10 == 4)
                    peer.Socket.LingerState = new LingerOption(true, 0);
                break;
        }
    }

    private static int Handles() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static float[] Filled(int count, float value)
    {
        float[] values = new float[count];
        Array.Fill(values, value);
        return values;
    }
}
