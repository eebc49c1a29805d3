using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>Connections that end badly, frames that come in pieces, and readers that are slow, over real sockets.</summary>
[Collection(Alone.Name)]
public sealed class ConnectionEndTests
{
    private const int WaysToEnd = 12;

    [Fact]
    public void Connect_a_thousand_times_and_end_in_every_way_leaks_no_handle_and_no_block()
    {
        const int workers = 8;
        using var server = new LoopbackServer(new ServerOptions { Workers = workers, Evaluates = false }); // those that are on their way out do not start the job
        for (int round = 0; round < WaysToEnd; round++)
            Round(server, round); // what is opened once and stays
        Eventually.Holds(() => server.Host.Connections == 0, () => "a session has stayed of the first rounds");
        int before = Handles();
        for (int round = 0; round < 1000; round++)
            Round(server, round);
        Eventually.Holds(() => Handles() <= before && server.Host is { LeasedBlocks: 0, Connections: 0 },
            () => $"{Handles()} handles, {before} before; {server.Host.LeasedBlocks} blocks; {server.Host.Connections} sessions");
        var peers = new List<RawPeer>();
        for (int rank = 0; rank < workers; rank++)
            peers.Add(Admitted(server, rank));
        foreach (RawPeer peer in peers)
            peer.Receive(FrameKind.Start);
        foreach (RawPeer peer in peers)
            peer.Dispose();
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
            peer.Receive(FrameKind.Admitted);
            ulong session = peer.SessionNumber;
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
            peer.Receive(FrameKind.Admitted);
            ulong session = peer.SessionNumber;
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

    /// <summary>Whatever a handler throws ends its own connection, and neither the loop nor the others.</summary>
    [Fact]
    public void Handler_that_throws_ends_its_connection_alone()
    {
        using var pool = new SlabPool(2 * Connection.MostBlocks(Limits.ChunkBytes));
        using var loop = new OwnerLoop("test", TimeProvider.System, TimeSpan.FromMilliseconds(5), () => true);
        (Socket bad, Socket badPeer) = SocketPair.Tcp();
        (Socket good, Socket goodPeer) = SocketPair.Tcp();
        var badHandler = new Handler(throws: true);
        var goodHandler = new Handler(throws: false);
        _ = new Connection(bad, pool, loop, TimeProvider.System, "bad", Limits.ChunkBytes, _ => badHandler);
        _ = new Connection(good, pool, loop, TimeProvider.System, "good", Limits.ChunkBytes, _ => goodHandler);
        loop.Start();
        using var badRaw = new RawPeer(badPeer);
        using var goodRaw = new RawPeer(goodPeer);
        badRaw.Send(new FrameHeader(FrameKind.Heartbeat), []);
        Eventually.Holds(() => badHandler.Reason is not null, () => "the handler was not told");
        Assert.Equal("on purpose", badHandler.Reason);
        goodRaw.Send(new FrameHeader(FrameKind.Heartbeat), []);
        Eventually.Holds(() => goodHandler.Received > 0, () => "the other connection is dead");
        Assert.Null(goodHandler.Reason);
    }

    private sealed class Handler(bool throws) : IFrameHandler
    {
        private int _received;
        private string? _reason;

        public int Received => Volatile.Read(ref _received);

        public string? Reason => Volatile.Read(ref _reason);

        void IFrameHandler.Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
        {
            Interlocked.Increment(ref _received);
            if (throws)
                throw new InvalidTimeZoneException("on purpose");
        }

        public void Violated(string reason, FrameFault fault)
        {
        }

        public void Writable()
        {
        }

        public void Closed(string? reason) => Volatile.Write(ref _reason, reason ?? "in order");
    }

    /// <summary>One connection; every other one is reset at its end.</summary>
    private static void Round(LoopbackServer server, int round)
    {
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        byte[] cut = new byte[FrameHeader.Bytes + 1000];
        switch (round % WaysToEnd / 2)
        {
            case 1: // a header that ends in its middle
                peer.Socket.Send(new byte[20]);
                break;
            case 2: // a frame that ends in its middle
                new FrameHeader(FrameKind.Join) { PayloadLength = 2000 }.Write(cut);
                peer.Socket.Send(cut);
                break;
            case 3: // half-closed: it hears the server's last words all the same
                peer.Socket.Send(new byte[FrameHeader.Bytes]);
                peer.Socket.Shutdown(SocketShutdown.Send);
                peer.Receive(FrameKind.Refused);
                break;
            case 4: // admitted, and gone before the start
                peer.Join(-1, 5);
                break;
            case 5: // admitted, and gone in the middle of a push
                using (RawPeer admitted = Admitted(server, 0))
                {
                    new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, PayloadLength = 2000, KeyCount = 500, Sequence = 1 }.Write(cut);
                    admitted.Socket.Send(cut);
                    if (round % 2 == 1)
                        admitted.Socket.LingerState = new LingerOption(true, 0);
                }

                break;
        }

        if (round % 2 == 1)
            peer.Socket.LingerState = new LingerOption(true, 0);
    }

    /// <summary>A peer with this rank, as soon as the server has seen that whoever had it before has gone.</summary>
    private static RawPeer Admitted(LoopbackServer server, int rank)
    {
        RawPeer? admitted = null;
        string refusal = "";
        Eventually.Holds(() => TryAdmit(server, rank, out admitted, out refusal), () => $"nobody is admitted with rank {rank}: {refusal}");
        return admitted!;
    }

    private static bool TryAdmit(LoopbackServer server, int rank, out RawPeer peer, out string refusal)
    {
        peer = RawPeer.ConnectTo(server.Address);
        peer.Join(rank, 1);
        (FrameHeader header, byte[] payload) = peer.Receive();
        refusal = header.Kind == FrameKind.Refused ? TextMessage.Read(new ReadOnlySequence<byte>(payload)).Text : "";
        if (header.Kind == FrameKind.Refused)
            peer.Dispose();
        return header.Kind == FrameKind.Admitted;
    }

    private static int Handles() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static float[] Filled(int count, float value)
    {
        float[] values = new float[count];
        Array.Fill(values, value);
        return values;
    }
}
