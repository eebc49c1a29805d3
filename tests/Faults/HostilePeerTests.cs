using System;
using System.Collections.Generic;
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
            using RawPeer peer = RawPeer.ConnectTo(server.Host.Address);
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
        using (RawPeer peer = RawPeer.ConnectTo(server.Host.Address))
        {
            byte[] bytes = new byte[FrameHeader.Bytes];
            new FrameHeader(FrameKind.Join).Write(bytes);
            bytes[4] = 99;
            peer.Socket.Send(bytes);
            string reason = TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text;
            Assert.Contains("protocol 99", reason, StringComparison.Ordinal);
            Assert.Contains("speaks 1", reason, StringComparison.Ordinal);
            Assert.True(peer.IsClosedByPeer());
        }

        PushesAndSees(server);
    }

    [Fact]
    public void Server_browser_that_speaks_http_is_refused()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 1, Evaluates = false });
        using (RawPeer peer = RawPeer.ConnectTo(server.Host.Address))
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
        using RawPeer peer = RawPeer.ConnectTo(server.Host.Address);
        peer.Join(-1, 4);
        ulong session = AdmittedMessage.Read(new(peer.Receive(FrameKind.Admitted).Payload)).Session;
        peer.Receive(FrameKind.Start);
        byte[] payload = new byte[16];
        BitConverter.TryWriteBytes(payload.AsSpan(4), float.NaN);
        peer.Send(new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, Session = session, Sequence = 1, KeyCount = 4, Flags = FrameFlags.Last }, payload);
        string reason = TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text;
        Assert.Contains("NaN, infinity", reason, StringComparison.Ordinal);
        RunResult result = server.WaitForEnd();
        Assert.Contains("worker 0", result.Failure, StringComparison.Ordinal);
        Assert.Equal(new float[4], result.Model);
    }

    [Fact]
    public void Server_another_session_number_is_refused()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 1, Evaluates = false });
        using RawPeer peer = RawPeer.ConnectTo(server.Host.Address);
        peer.Join(-1, 4);
        ulong session = AdmittedMessage.Read(new(peer.Receive(FrameKind.Admitted).Payload)).Session;
        peer.Send(new FrameHeader(FrameKind.Pull) { Session = session + 1 }, []);
        Assert.Contains($"this connection has {session}", TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text, StringComparison.Ordinal);
        server.WaitForEnd();
    }

    [Fact]
    public void Server_peer_that_makes_it_answer_and_never_reads_is_cut_off()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false });
        using (RawPeer peer = RawPeer.ConnectTo(server.Host.Address))
        {
            peer.Join(0, 1);
            ulong session = AdmittedMessage.Read(new(peer.Receive(FrameKind.Admitted).Payload)).Session;
            using RawPeer other = RawPeer.ConnectTo(server.Host.Address);
            other.Join(1, 1);
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
    }

    private static byte[] RandomBytes(Random random)
    {
        byte[] bytes = new byte[random.Next(1, 300)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] MutatedJoin(Random random)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
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
