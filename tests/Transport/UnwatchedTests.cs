using System;
using System.Buffers;
using System.Net.Sockets;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>A socket that the system does not watch: its own end, and nobody else's.</summary>
public sealed class UnwatchedTests
{
    [Fact]
    public void Connection_that_cannot_be_watched_is_refused_and_the_loop_goes_on()
    {
        using var pool = new SlabPool(3 * Connection.MostBlocks(Limits.ChunkBytes));
        using var loop = new OwnerLoop("test", TimeProvider.System, TimeSpan.FromMilliseconds(5), () => true);
        (Socket one, Socket other) = SocketPair.Tcp();
        (Socket next, Socket nextPeer) = SocketPair.Tcp();
        using (other)
        using (var peer = new RawPeer(nextPeer))
        {
            // Watched twice by the same loop, which the system refuses, as it does beyond its limit.
            _ = New(one, pool, loop);
            Assert.Throws<ClusterException>(() => New(one, pool, loop, out _));
            Handler good = New(next, pool, loop);
            loop.Start();
            peer.Send(new FrameHeader(FrameKind.Heartbeat), []);
            Eventually.Holds(() => good.Received > 0, () => "the loop is dead");
            Assert.False(loop.Join(TimeSpan.FromSeconds(1.5))); // and has not failed by the time that what is closing is cut off
        }
    }

    private static Handler New(Socket socket, SlabPool pool, OwnerLoop loop) => New(socket, pool, loop, out _);

    private static Handler New(Socket socket, SlabPool pool, OwnerLoop loop, out Handler handler)
    {
        Handler? made = null;
        try
        {
            _ = new Connection(socket, pool, loop, TimeProvider.System, "peer", Limits.ChunkBytes, sink => made = new Handler { Sink = sink });
        }
        catch (ClusterException)
        {
            made!.Closed("as ServerHost does");
            throw;
        }
        finally
        {
            handler = made!;
        }

        return made!;
    }

    private sealed class Handler : IFrameHandler
    {
        private int _received;

        public required IFrameSink Sink { get; init; }

        public int Received => System.Threading.Volatile.Read(ref _received);

        void IFrameHandler.Received(in FrameHeader header, in ReadOnlySequence<byte> payload) => System.Threading.Interlocked.Increment(ref _received);

        public void Violated(string reason, FrameFault fault)
        {
        }

        public void Writable()
        {
        }

        public void Closed(string? reason) => Sink.Close();
    }
}
