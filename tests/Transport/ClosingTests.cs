using System;
using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>What a connection that is being closed still does for its peer, and for how long.</summary>
public sealed class ClosingTests : IDisposable
{
    // Frames that fill all that may wait for a peer.
    private const int Frames = 16;
    private const int FrameBytes = 256 * 1024;

    // The kernel doubles what it is asked for: a peer that reads more than that in a second has certainly moved something.
    private const int BufferBytes = 32 * 1024;
    private const int LeastRead = (2 * BufferBytes) + 1;

    // The kernels' own time, which this clock does not move: an acknowledgement is delayed by up to 40 ms.
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(5);

    private readonly FakeTimeProvider _time = new();
    private readonly SlabPool _pool = new(Connection.MostBlocks(Limits.ChunkBytes));
    private OwnerLoop? _loop;
    private Thread? _ending;
    private int _ticks;

    public void Dispose()
    {
        _loop?.Dispose();
        _pool.Dispose();
    }

    [Theory]
    [InlineData(Way.Closes, false)]
    [InlineData(Way.Closes, true)]
    [InlineData(Way.PeerSendsNoMore, false)]
    [InlineData(Way.ProgramEnds, false)]
    public void All_that_was_sent_arrives_in_order_at_a_peer_that_reads_slowly(Way way, bool unix)
    {
        using RawPeer peer = ConnectAndAsk(way != Way.PeerSendsNoMore, unix ? SocketPair.Unix() : SocketPair.Tcp(BufferBytes));
        if (way == Way.PeerSendsNoMore)
            peer.Socket.Shutdown(SocketShutdown.Send);
        if (way == Way.ProgramEnds)
        {
            _ending = new Thread(_loop!.Dispose) { IsBackground = true };
            _ending.Start();
        }

        byte[] expected = Expected(), received = new byte[expected.Length];
        for (int at = 0; at < received.Length;)
        {
            at += Read(peer.Socket, received.AsSpan(at, Math.Min(4 * LeastRead, received.Length - at)));
            if (way != Way.PeerSendsNoMore && at < received.Length - LeastRead)
                peer.Send(new FrameHeader(FrameKind.Heartbeat), []); // as a worker does that lives: unread, it would reset the connection
            PassASecond();
        }

        Assert.Equal(expected, received);
        Assert.True(peer.IsClosedByPeer());
        peer.Dispose();
        Eventually.Holds(() => _pool.Leased == 0, () => $"{_pool.Leased} blocks are still leased");
        _ending?.Join();
    }

    [Fact]
    public void Peer_that_reads_nothing_is_cut_off_long_before_the_longest_linger()
    {
        using RawPeer peer = ConnectAndAsk(closes: true, SocketPair.Tcp(BufferBytes));
        for (int second = 0; second < Connection.LongestLinger.TotalSeconds / 2; second++)
            PassASecond(); // what the kernels have room for moves in the first
        Assert.Equal(0, _pool.Leased);
    }

    [Fact]
    public void Peer_that_reads_steadily_and_too_slowly_is_cut_off_in_the_end()
    {
        using RawPeer peer = ConnectAndAsk(closes: true, SocketPair.Tcp(BufferBytes), sendBytes: BufferBytes);
        byte[] bytes = new byte[LeastRead];
        for (int second = 1; second < Connection.LongestLinger.TotalSeconds; second++)
        {
            Read(peer.Socket, bytes);
            PassASecond();
            Assert.True(_pool.Leased > 0, $"it was cut off after {second} s");
        }

        for (int more = 0; more < 2; more++)
        {
            Read(peer.Socket, bytes);
            PassASecond();
        }

        Assert.Equal(0, _pool.Leased);
    }

    /// <summary>The loop has looked at all connections when it returns, or has ended.</summary>
    private void PassASecond()
    {
        Thread.Sleep(SettleTime);
        foreach (TimeSpan time in (TimeSpan[])[TimeSpan.FromSeconds(1), TickInterval])
        {
            int before = Volatile.Read(ref _ticks);
            _time.Advance(time);
            Eventually.Holds(() => Volatile.Read(ref _ticks) > before || _ending is { IsAlive: false }, () => "the loop stands still");
        }
    }

    /// <summary>A peer that has been sent everything, most of which waits.</summary>
    private RawPeer ConnectAndAsk(bool closes, (Socket, Socket) pair, int sendBytes = 0)
    {
        (Socket socket, Socket other) = pair;
        if (sendBytes > 0)
            socket.SendBufferSize = sendBytes;
        _loop = new OwnerLoop("test", _time, TickInterval, () =>
        {
            Interlocked.Increment(ref _ticks);
            return true;
        });
        Answering? handler = null;
        _ = new Connection(socket, _pool, _loop, _time, "peer", Limits.ChunkBytes, sink => handler = new Answering(closes) { Sink = sink });
        _loop.Start();
        var peer = new RawPeer(other);
        peer.Send(new FrameHeader(FrameKind.Heartbeat), []);
        Eventually.Holds(() => handler!.HasAnswered, () => "no answer was sent");
        return peer;
    }

    private static int Read(Socket socket, Span<byte> into)
    {
        for (int at = 0; at < into.Length;)
        {
            int count = socket.Receive(into[at..]);
            Assert.True(count > 0, "it ended too early");
            at += count;
        }

        return into.Length;
    }

    private static byte[] Expected()
    {
        var output = new ArrayBufferWriter<byte>();
        for (int frame = 0; frame < Frames; frame++)
            FrameWriter.Write(output, Header(frame), Payload(frame));
        return output.WrittenSpan.ToArray();
    }

    private static FrameHeader Header(int frame) => new(FrameKind.Snapshot) { Codec = CodecId.Fp32, Sequence = (ulong)frame, KeyCount = FrameBytes / sizeof(int) };

    private static byte[] Payload(int frame)
    {
        int[] numbers = new int[FrameBytes / sizeof(int)];
        for (int j = 0; j < numbers.Length; j++)
            numbers[j] = (frame << 20) + j;
        return MemoryMarshal.AsBytes<int>(numbers).ToArray();
    }

    public enum Way
    {
        /// <summary>The connection is closed.</summary>
        Closes,

        /// <summary>The peer shuts its direction down, and reads on.</summary>
        PeerSendsNoMore,

        /// <summary>The connection is closed, and its loop is to end.</summary>
        ProgramEnds,
    }

    private sealed class Answering(bool closes) : IFrameHandler
    {
        private bool _hasAnswered;

        public bool HasAnswered => Volatile.Read(ref _hasAnswered);

        public required IFrameSink Sink { get; init; }

        public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
        {
            if (HasAnswered)
                return;
            for (int frame = 0; frame < Frames; frame++)
                Sink.Send(Header(frame), Payload(frame));
            if (closes)
                Sink.Close();
            Volatile.Write(ref _hasAnswered, true);
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
