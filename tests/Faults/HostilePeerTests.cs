using System;
using System.Buffers;
using System.Net.Sockets;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Faults;

/// <summary>Invariant 7: what peers send cannot bring the server down or change parameters.</summary>
public sealed class HostilePeerTests
{
    [Fact]
    public void Server_random_and_mutated_bytes_before_admission_stays_up()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 1, Evaluates = false });
        var random = new Random(7);
        for (int round = 0; round < 500; round++)
        {
            using RawPeer peer = RawPeer.ConnectTo(server.Address);
            byte[] bytes = round % 2 == 0 ? RandomBytes(random) : MutatedJoin(random);
            try
            {
                peer.Socket.Send(bytes);
                if (round % 3 == 0)
                    peer.Socket.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // It may be thrown out while it sends.
            }
        }

        PushesAndSees(server);
    }

    [Fact]
    public void Server_peer_of_another_version_is_told_both()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 1, Evaluates = false });
        using (RawPeer peer = RawPeer.ConnectTo(server.Address))
        {
            byte[] bytes = new byte[FrameHeader.Bytes];
            new FrameHeader(FrameKind.Join).Write(bytes);
            bytes[4] = 99;
            peer.Socket.Send(bytes);
            string reason = TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text;
            Assert.Contains("protocol 99", reason, StringComparison.Ordinal);
            Assert.Contains($"speaks {Limits.ProtocolVersion}", reason, StringComparison.Ordinal);
            Assert.True(peer.IsClosedByPeer());
        }

        PushesAndSees(server);
    }

    [Fact]
    public void Server_browser_that_speaks_http_is_refused()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 1, Evaluates = false });
        using (RawPeer peer = RawPeer.ConnectTo(server.Address))
        {
            peer.Socket.Send("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html,application/xhtml+xml\r\n\r\n"u8.ToArray());
            Assert.Contains("is this a port of hpaps-server",
                TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text, StringComparison.Ordinal);
        }

        PushesAndSees(server);
    }

    [Fact]
    public void Server_admitted_worker_that_pushes_NaN_is_told_and_the_job_names_it()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 1, Evaluates = false });
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        peer.Join(-1, 4);
        peer.Receive(FrameKind.Admitted);
        ulong session = peer.SessionNumber;
        peer.Receive(FrameKind.Start);
        byte[] payload = new byte[16];
        BitConverter.TryWriteBytes(payload.AsSpan(4), float.NaN);
        peer.Send(new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, Session = session, Sequence = 1, KeyCount = 4, Flags = FrameFlags.Last }, payload);
        string reason = TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text;
        Assert.Contains("NaN, infinity", reason, StringComparison.Ordinal);
        RunResult result = server.WaitForEnd();
        Assert.Contains("worker 0", result.Failure, StringComparison.Ordinal);
        Assert.Null(result.Model); // nothing was applied: nothing to save
    }

    [Fact]
    public void Server_another_session_number_is_refused()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 1, Evaluates = false });
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        peer.Join(-1, 4);
        peer.Receive(FrameKind.Admitted);
        ulong session = peer.SessionNumber;
        peer.Send(new FrameHeader(FrameKind.Pull) { Session = session + 1 }, []);
        Assert.Contains($"this connection has {session}", TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text, StringComparison.Ordinal);
        server.WaitForEnd();
    }

    [Fact]
    public void Server_peer_that_makes_it_answer_and_never_reads_is_cut_off()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 1, Evaluates = false, LivenessTimeout = TimeSpan.FromSeconds(3) });
        using (RawPeer peer = RawPeer.ConnectTo(server.Address))
        {
            peer.Join(0, 1);
            peer.Receive(FrameKind.Admitted);
            ulong session = peer.SessionNumber;
            peer.Receive(FrameKind.Start);

            // Every duplicate is acknowledged with 64 bytes that nobody reads.
            byte[] frame = new byte[FrameHeader.Bytes + 4];
            new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, Session = session, Sequence = 1, KeyCount = 1, Flags = FrameFlags.Last, PayloadLength = 4 }
                .Write(frame);
            byte[] many = new byte[frame.Length * 10_000];
            for (int j = 0; j < 10_000; j++)
                frame.CopyTo(many, j * frame.Length);
            Exception? cut = null;
            for (int round = 0; round < 200 && cut is null; round++)
            {
                try
                {
                    peer.Socket.Send(many);
                }
                catch (SocketException e)
                {
                    cut = e;
                }
            }

            Assert.NotNull(cut);
        }

        RunResult result = server.WaitForEnd();
        Assert.Contains("worker 0", result.Failure, StringComparison.Ordinal);
        Assert.Contains("did not read", result.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Server_admitted_worker_that_sends_mutated_frames_ends_the_job_with_a_reason_or_goes_on()
    {
        var random = new Random(12);
        for (int round = 0; round < 150; round++)
        {
            using var server = new LoopbackServer(new ServerOptions { Workers = 1, FinalTimeout = TimeSpan.FromMilliseconds(50), LivenessTimeout = TimeSpan.FromMilliseconds(200) });
            using (RawPeer peer = RawPeer.ConnectTo(server.Address))
            {
                peer.Join(-1, 4);
                peer.Receive(FrameKind.Admitted);
                ulong session = peer.SessionNumber;
                peer.Receive(FrameKind.Start);
                for (int frame = 0; frame < 4; frame++)
                    SendMutated(peer, random, session);
            }

            RunResult result = server.WaitForEnd();
            Assert.All(result.Model ?? [], value => Assert.True(float.IsFinite(value)));
        }
    }

    [Fact]
    public void Server_worker_that_leaves_twice_counts_once()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false });
        using RawPeer twice = RawPeer.ConnectTo(server.Address);
        twice.Join(0, 1);
        twice.Receive(FrameKind.Admitted);
        ulong session = twice.SessionNumber;
        using (WorkerClient worker = server.Connect(1, 1))
        {
            for (int j = 0; j < 2; j++)
                twice.Send(new FrameHeader(FrameKind.Leave) { Session = session }, new TextMessage("bye").Write);
            for (int push = 1; push <= 5; push++)
            {
                worker.Push([push]);
                worker.Pull();
                worker.Wait();
                Assert.Equal(push / 2f, worker.Snapshot[0]);
            }
        }

        Assert.Null(server.WaitForEnd().Failure);
    }

    [Fact]
    public void Server_sum_of_values_that_would_overflow_is_refused()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false, MaxMagnitude = float.MaxValue });
        using WorkerClient a = ConnectSum(server, 0);
        a.Push([3e38f]);
        a.Pull();
        ClusterException error = Assert.Throws<ClusterException>(() =>
        {
            for (int j = 0; j < 3; j++)
                a.Wait();
        });
        Assert.Contains("overflow", error.Message, StringComparison.Ordinal);
        server.WaitForEnd();

        static WorkerClient ConnectSum(LoopbackServer server, int rank)
        {
            RawPeer other = RawPeer.ConnectTo(server.Address);
            other.Send(new FrameHeader(FrameKind.Join) { Session = other.SessionNumber }, new JoinMessage(1, 1, 1, Aggregate.Sum, 1, [], []).Write);
            return server.Connect(1, rank, aggregate: Aggregate.Sum);
        }
    }

    private static void SendMutated(RawPeer peer, Random random, ulong session)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameKind kind = (FrameKind)random.Next((int)FrameKind.Push, (int)FrameKind.Heartbeat + 1);
        switch (kind)
        {
            case FrameKind.Evaluated:
                new EvaluatedMessage(1, new double[random.Next(3)]).Write(output);
                break;
            case FrameKind.Progress:
                new ProgressMessage(random.NextDouble() * 1e3, 1, 1).Write(output);
                break;
            case FrameKind.Push:
                output.Write(new byte[16]);
                break;
            case FrameKind.Leave or FrameKind.Stop:
                new TextMessage("x").Write(output);
                break;
        }

        byte[] payload = output.WrittenSpan.ToArray();
        if (payload.Length > 0 && random.Next(2) == 0)
            payload[random.Next(payload.Length)] = (byte)random.Next(256);
        var header = new FrameHeader(kind)
        {
            Session = session,
            Codec = kind == FrameKind.Push ? (CodecId)random.Next(1, 3) : CodecId.None,
            KeyCount = kind == FrameKind.Push ? 4u : 0,
            Sequence = (ulong)random.Next(4),
            Flags = (FrameFlags)random.Next(2),
            PassesQ8 = random.Next(4) == 0 ? uint.MaxValue : 256,
        };
        try
        {
            peer.Send(header, payload);
        }
        catch (SocketException)
        {
            // It has been thrown out.
        }
    }

    private static byte[] RandomBytes(Random random)
    {
        byte[] bytes = new byte[random.Next(1, 300)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] MutatedJoin(Random random)
    {
        var output = new ArrayBufferWriter<byte>();
        new JoinMessage(0, 1 + random.Next(1 << 30), 1, Aggregate.Mean, 1, [1], [new("a", "b")]).Write(output);
        byte[] frame = new byte[FrameHeader.Bytes + output.WrittenCount];
        var header = new FrameHeader(FrameKind.Join) { PayloadLength = (uint)output.WrittenCount };
        output.WrittenSpan.CopyTo(frame.AsSpan(FrameHeader.Bytes));
        for (int changes = 0; changes < 3; changes++)
            frame[FrameHeader.Bytes + random.Next(output.WrittenCount)] = (byte)random.Next(256);

        // An array of another length is what admission cannot read; anything readable would take the only place.
        frame[FrameHeader.Bytes] = 0x96;
        header.Write(frame);
        return frame;
    }

    private static void PushesAndSees(LoopbackServer server)
    {
        using (WorkerClient worker = server.Connect(3))
        {
            worker.Push([1, 2, 3]);
            worker.Pull();
            worker.Wait();
            Assert.Equal([1f, 2f, 3f], worker.Snapshot.ToArray());
        }

        Assert.Equal([1f, 2f, 3f], server.WaitForEnd().Model ?? []);
    }
}
