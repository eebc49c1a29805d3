using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Faults;

/// <summary>Who has no token gets nowhere, costs little, and keeps nobody out, over real sockets.</summary>
[Collection(Alone.Name)]
public sealed class StrangerTests
{
    private const ulong Session = 0x1122334455667788;
    private const int HalfOpen = 64;
    private const int BlocksOfStranger = 3; // of a frame of 64 KiB that is not whole yet
    private static readonly Token Secret = new("correct horse battery staple"u8);

    [Fact]
    public void Worker_needs_the_token_of_the_server()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Token = Secret });
        Assert.Contains("another than the server's", Refused(server, new Token("correct horse battery stapler"u8)), StringComparison.Ordinal);
        Assert.Contains("give --token-file", Refused(server, null), StringComparison.Ordinal);
        PushesAndSees(server, Secret);
        Assert.Equal((1, 1), (server.Host.Failed(HandshakeFailure.WrongProof), server.Host.Failed(HandshakeFailure.NoToken)));
    }

    [Fact]
    public void Worker_with_a_token_refuses_a_server_without()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
        Assert.Contains("no token to prove", Refused(server, Secret), StringComparison.Ordinal);
        PushesAndSees(server, null);
    }

    [Fact]
    public void Version_that_is_another_is_named_before_any_proof()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Token = Secret });
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        byte[] bytes = new byte[FrameHeader.Bytes];
        new FrameHeader(FrameKind.Hello).Write(bytes);
        bytes[4] = 99;
        peer.Socket.Send(bytes);
        string reason = TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text;
        Assert.Contains("protocol 99", reason, StringComparison.Ordinal);
        Assert.Contains($"speaks {Limits.ProtocolVersion}", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Recorded_handshake_opens_no_other_connection()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Token = Secret });
        var recorded = new List<byte[]>();
        using (RawPeer honest = RawPeer.ConnectTo(server.Address))
        {
            recorded.Add(Hello(new byte[Limits.NonceBytes]));
            honest.Socket.Send(recorded[0]);
            byte[] nonce = ChallengeMessage.Read(new(honest.Receive(FrameKind.Challenge).Payload)).Nonce;
            recorded.Add(Frame(FrameKind.Proof, new ProofMessage(Secret.Prove(PeerRole.Worker, PeerRole.Worker, new byte[Limits.NonceBytes], nonce, Session)).Write));
            honest.Socket.Send(recorded[1]);
            Assert.True(Secret.IsProof(ProofMessage.Read(new(honest.Receive(FrameKind.Proven).Payload)).Code, PeerRole.Server, PeerRole.Worker, new byte[Limits.NonceBytes], nonce, Session));
        }

        using RawPeer again = RawPeer.ConnectTo(server.Address);
        foreach (byte[] frame in recorded)
            again.Socket.Send(frame);
        again.Receive(FrameKind.Challenge);
        Assert.Equal(FrameKind.Refused, again.Receive().Header.Kind);
        Assert.True(again.IsClosedByPeer());
    }

    [Fact]
    public void Byte_by_byte_has_the_time_of_a_handshake_and_no_more()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Token = Secret, Gate = new GateLimits { HandshakeTime = TimeSpan.FromMilliseconds(500) } });
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        byte[] hello = Hello(new byte[Limits.NonceBytes]);
        var watch = Stopwatch.StartNew();
        for (int j = 0; j < hello.Length && peer.Socket.Available == 0; j++)
        {
            peer.Socket.Send(hello.AsSpan(j, 1));
            Thread.Sleep(20); // 2 s for all of it
        }

        Assert.InRange(watch.Elapsed.TotalSeconds, 0.4, 1.5);
        Assert.Contains("within 0.5 s", TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text, StringComparison.Ordinal);
        Assert.Equal(1, server.Host.Failed(HandshakeFailure.TooSlow));
        peer.Dispose();
        PushesAndSees(server, Secret);
    }

    /// <summary>Each says Hello, or announces as much as may be announced and sends nearly all of it, and then holds its place.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Thousand_half_open_handshakes_keep_no_worker_out_and_cost_little(bool withToken)
    {
        const int strangers = 1000;
        FileHandles.Need(3 * strangers);
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Token = withToken ? Secret : null }, countsFailures: true);
        var peers = new List<RawPeer>();
        using var over = new CancellationTokenSource();
        int most = 0;
        var watcher = new Thread(() =>
        {
            for (; !over.IsCancellationRequested; Thread.Sleep(1))
                most = Math.Max(most, server.Host.LeasedBlocks);
        });
        watcher.Start();
        long before = GC.GetTotalMemory(forceFullCollection: false);
        try
        {
            byte[] hello = Hello(new byte[Limits.NonceBytes]), join = new byte[FrameHeader.Bytes + Limits.ControlBytes - 1];
            new FrameHeader(FrameKind.Join) { PayloadLength = Limits.ControlBytes }.Write(join);
            for (int j = 0; j < strangers; j++)
            {
                peers.Add(RawPeer.ConnectTo(server.Address));
                TrySend(peers[j], withToken && j % 2 == 0 ? hello : join);
            }

            var watch = Stopwatch.StartNew();
            Connects(server, withToken ? Secret : null);
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 8); // 64 of them have a quarter of a second each
            Assert.InRange(server.Host.HalfOpen, 0, HalfOpen);
            Assert.InRange(most, 1, (HalfOpen * BlocksOfStranger) + Connection.MostBlocks(Limits.ChunkBytes));
            Assert.InRange(GC.GetTotalMemory(forceFullCollection: false) - before, long.MinValue, 64L << 20); // what other tests have left may be collected meanwhile
        }
        finally
        {
            over.Cancel();
            watcher.Join();
            foreach (RawPeer peer in peers)
                peer.Dispose();
        }

        server.WaitForEnd();
    }

    [Fact]
    public void Address_that_fails_too_often_is_not_even_heard()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Token = Secret, Gate = new GateLimits { FailedHandshakes = 3 } }, countsFailures: true);
        for (int failure = 0; failure < 3; failure++)
            Refused(server, new Token("some token that is wrong"u8));
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        Assert.True(peer.IsClosedByPeer());
        Assert.Equal(3, server.Host.Failed(HandshakeFailure.WrongProof));
        Assert.Equal(1, server.Host.Failed(HandshakeFailure.ShutOut));
    }

    [Fact]
    public void Frame_before_admission_is_as_long_as_allowed()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Gate = new GateLimits { FirstFrameBytes = 1024 } });
        using (RawPeer peer = RawPeer.ConnectTo(server.Address))
        {
            byte[] header = new byte[FrameHeader.Bytes];
            new FrameHeader(FrameKind.Join) { PayloadLength = 1025 }.Write(header);
            peer.Socket.Send(header);
            Assert.Contains("at most 1024", TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text, StringComparison.Ordinal);
        }

        PushesAndSees(server, null);
    }

    [Fact]
    public void Memory_of_a_peer_is_bounded_and_must_do_for_a_chunk()
    {
        InputException error = Assert.Throws<InputException>(() => ServerHost.Start(new ServerOptions { Gate = new GateLimits { BytesOfPeer = 1 << 20 } }, "127.0.0.1:0"));
        long least = long.Parse(error.Message.Split("need ")[1].Split('.')[0], System.Globalization.CultureInfo.InvariantCulture);
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, LivenessTimeout = TimeSpan.FromSeconds(3), Gate = new GateLimits { BytesOfPeer = least } });
        int most = 0;
        using (RawPeer peer = RawPeer.ConnectTo(server.Address))
        {
            peer.Join(0, 1);
            peer.Receive(FrameKind.Admitted);
            ulong session = peer.SessionNumber;
            peer.Receive(FrameKind.Start);
            byte[] frame = new byte[FrameHeader.Bytes + sizeof(float)], many = new byte[1000 * frame.Length];
            new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, Session = session, Sequence = 1, KeyCount = 1, Flags = FrameFlags.Last, PayloadLength = sizeof(float) }.Write(frame);
            for (int j = 0; j < 1000; j++)
                frame.CopyTo(many, j * frame.Length); // each is acknowledged, and nobody reads that
            for (int j = 0; j < 2000 && server.Host.Connections > 0; j++)
            {
                TrySend(peer, many);
                most = Math.Max(most, server.Host.LeasedBlocks);
            }
        }

        string failure = server.WaitForEnd().Failure!;
        Assert.Contains("did not read", failure, StringComparison.Ordinal);
        Assert.DoesNotContain("4096 KiB", failure, StringComparison.Ordinal); // what it may make wait where nobody says otherwise
        Assert.InRange(most, 1, least / SlabPool.BlockBytes);
    }

    [Fact]
    public void Ten_thousand_mutated_connections_in_every_state_let_nobody_in()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Token = Secret });
        var random = new Random(17);
        for (int round = 0; round < 10_000; round++)
        {
            using RawPeer peer = RawPeer.ConnectTo(server.Address);
            byte[] hello = Hello(new byte[Limits.NonceBytes]), proof = Frame(FrameKind.Proof, new ProofMessage(new byte[Limits.ProofBytes]).Write);
            byte[] sent = (round % 4) switch
            {
                0 => Mutated(hello, random),
                1 => [.. hello, .. Mutated(proof, random)],
                2 => [.. Mutated(hello, random), .. proof],
                _ => [.. hello, .. proof, .. Mutated(hello, random)],
            };
            TrySend(peer, sent);
            if (round % 8 == 0)
                peer.Socket.Shutdown(SocketShutdown.Send);
        }

        PushesAndSees(server, Secret);
        Assert.True(server.Host.Failed(HandshakeFailure.WrongProof) > 1000 && server.Host.Failed(HandshakeFailure.Malformed) > 1000);
    }

    private static byte[] Mutated(byte[] frame, Random random)
    {
        byte[] bytes = (byte[])frame.Clone();
        for (int change = random.Next(1, 4); change > 0; change--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        if (random.Next(2) == 0)
            new FrameHeader((FrameKind)random.Next(20)) { Session = Session, PayloadLength = (uint)random.Next(80) }.Write(bytes); // whole again
        return bytes[..random.Next(1, bytes.Length + 1)];
    }

    private static void TrySend(RawPeer peer, byte[] bytes)
    {
        try
        {
            peer.Socket.Send(bytes);
        }
        catch (SocketException)
        {
            // it may be thrown out while it sends
        }
    }

    private static byte[] Hello(byte[] nonce) => Frame(FrameKind.Hello, new HelloMessage(PeerRole.Worker, nonce).Write);

    private static byte[] Frame(FrameKind kind, Action<IBufferWriter<byte>> write)
    {
        var payload = new ArrayBufferWriter<byte>();
        write(payload);
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, new FrameHeader(kind) { Session = Session }, payload.WrittenSpan);
        return output.WrittenSpan.ToArray();
    }

    private static string Refused(LoopbackServer server, Token? token) =>
        Assert.Throws<ClusterException>(() => WorkerClient.Connect(server.Address, new WorkerOptions { Token = token })).Message;

    private static void Connects(LoopbackServer server, Token? token)
    {
        using WorkerClient worker = WorkerClient.Connect(server.Address, new WorkerOptions { Parameters = 3, Token = token });
        worker.Push([1, 2, 3]);
        worker.Pull();
        worker.Wait();
        Assert.Equal([1f, 2f, 3f], worker.Snapshot.ToArray());
    }

    private static void PushesAndSees(LoopbackServer server, Token? token)
    {
        Connects(server, token);
        Assert.Equal([1f, 2f, 3f], server.WaitForEnd().Model ?? []);
    }
}
