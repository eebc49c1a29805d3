using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Net;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>The handshake without sockets: frames go from hand to hand, and can be kept, changed and sent again.</summary>
public sealed class HandshakeTests
{
    private const ulong Session = 0x1122334455667788;
    private static readonly Token Secret = new("correct horse battery staple"u8);
    private static readonly Token Other = new("correct horse battery stapler"u8);

    /// <summary>Made by another implementation of HMAC-SHA-256; docs/protocol.md has the same bytes.</summary>
    [Theory]
    [InlineData(PeerRole.Worker, "68a40838deb05bab111c84d6c902eb86730a93cbb34728dde8d5746bd5bbdb49")]
    [InlineData(PeerRole.Server, "5ef611b7aa0e574966e4d8222377b65ce2bc4ff44553eb18504a0ffcd1138b21")]
    public void Proof_is_as_documented(PeerRole prover, string code)
    {
        byte[] ours = new byte[Limits.NonceBytes], theirs = new byte[Limits.NonceBytes];
        for (int j = 0; j < Limits.NonceBytes; j++)
            (ours[j], theirs[j]) = ((byte)j, (byte)(0xff - j));
        var token = new Token("0123456789abcdef\n"u8); // the end of the line is none of it
        Assert.Equal(code, Convert.ToHexStringLower(token.Prove(prover, PeerRole.Worker, ours, theirs, Session, version: 2)));
        Assert.Contains(code, File.ReadAllText(Path.Combine(Repository.Root, "docs", "protocol.md")).Replace(" ", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Worker_with_the_token_is_let_in_and_joins_after_both_have_proven()
    {
        var ends = new Ends(Secret, Secret);
        ends.Begin();
        Assert.Equal([FrameKind.Hello, FrameKind.Challenge, FrameKind.Proof, FrameKind.Proven, FrameKind.Join], ends.Kinds);
        Assert.Equal([FrameKind.Join], ends.Shard.Kinds);
        Assert.Null(ends.Bearer.Failure);
        Assert.Equal(1, ends.Gate.HalfOpen); // nobody has admitted it yet
        ends.Shard.Sink!.Send(new FrameHeader(FrameKind.Admitted), []);
        Assert.Equal(0, ends.Gate.HalfOpen);
        Assert.Equal(FrameKind.Admitted, Assert.Single(ends.Worker.Kinds));
    }

    [Fact]
    public void Another_token_is_refused_and_the_shard_hears_nothing()
    {
        var ends = new Ends(Secret, Other);
        ends.Begin();
        Assert.Equal([FrameKind.Hello, FrameKind.Challenge, FrameKind.Proof, FrameKind.Refused], ends.Kinds);
        Assert.Contains("another than the server's", ends.LastText(), StringComparison.Ordinal);
        Assert.False(ends.WasOpened);
        Assert.Equal(1, ends.Gate.CountOf(HandshakeFailure.WrongProof));
    }

    [Fact]
    public void Any_bit_of_the_proof_decides()
    {
        for (int bit = 0; bit < 8 * Limits.ProofBytes; bit++)
        {
            var ends = new Ends(Secret, Secret);
            ends.Change = frame => frame.Kind == FrameKind.Proof ? frame.WithBitFlipped(bit) : frame;
            ends.Begin();
            Assert.False(ends.WasOpened);
            Assert.Equal(1, ends.Gate.CountOf(HandshakeFailure.WrongProof));
        }
    }

    [Fact]
    public void Proof_that_is_sent_again_on_another_connection_is_refused()
    {
        var first = new Ends(Secret, Secret);
        first.Begin();
        var second = new Ends(Secret, Secret) { Change = static _ => null };
        foreach (Frame frame in first.Sent)
        {
            if (frame.Kind is FrameKind.Hello or FrameKind.Proof)
                second.ToServer(frame);
        }

        Assert.Equal([FrameKind.Challenge, FrameKind.Refused], second.Kinds);
        Assert.False(second.WasOpened);
    }

    [Fact]
    public void Nonces_are_never_the_same()
    {
        var seen = new HashSet<string>();
        for (int round = 0; round < 100; round++)
        {
            var ends = new Ends(Secret, Secret);
            ends.Begin();
            Assert.True(seen.Add(Convert.ToHexString(HelloMessage.Read(new(ends.Sent[0].Payload)).Nonce)));
            Assert.True(seen.Add(Convert.ToHexString(ChallengeMessage.Read(new(ends.Sent[1].Payload)).Nonce)));
        }
    }

    /// <summary>Who has no token lets the worker's proof, or the server's own, be the server's proof.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Proof_that_is_sent_back_convinces_nobody(bool toServer)
    {
        var ends = new Ends(Secret, Secret);
        Frame? proof = null;
        ends.Change = frame =>
        {
            if (frame.Kind == FrameKind.Proof)
                proof = frame;
            return frame.Kind == FrameKind.Proven ? new Frame(frame.Header, proof!.Payload) : frame;
        };
        ends.Begin();
        Assert.Contains("did not prove that it has the token", ends.Bearer.Failure, StringComparison.Ordinal);
        Assert.DoesNotContain(FrameKind.Join, ends.Kinds);
        if (!toServer)
            return;

        // A server's challenge as the nonce of a Hello to it, on another connection, makes it prove nothing that helps on the first.
        var victim = new Ends(Secret, Other);
        victim.ToServer(Hello(new byte[Limits.NonceBytes]));
        byte[] challenge = ChallengeMessage.Read(new(victim.Sent[0].Payload)).Nonce;
        var oracle = new Ends(Secret, Other);
        oracle.ToServer(Hello(challenge));
        byte[] said = ChallengeMessage.Read(new(oracle.Sent[0].Payload)).Nonce;
        foreach (byte[] code in (byte[][])[said, challenge, Secret.Prove(PeerRole.Server, PeerRole.Worker, challenge, said, Session), Secret.Prove(PeerRole.Server, PeerRole.Worker, new byte[32], challenge, Session)])
        {
            var again = new Ends(Secret, Other);
            again.ToServer(Hello(new byte[Limits.NonceBytes]));
            again.ToServer(Frame.Of(FrameKind.Proof, new ProofMessage(code).Write, Session));
            Assert.False(again.WasOpened);
        }
    }

    [Fact]
    public void Worker_that_has_a_token_refuses_a_server_that_asks_for_none()
    {
        foreach (FrameKind kind in (FrameKind[])[FrameKind.Admitted, FrameKind.Start, FrameKind.Heartbeat, FrameKind.Stop, FrameKind.Proven])
        {
            var ends = new Ends(Secret, Secret);
            ends.Bearer.Received(new FrameHeader(kind), default);
            Assert.Contains("asked for no proof", ends.Bearer.Failure, StringComparison.Ordinal);
            Assert.Empty(ends.Worker.Kinds);
            Assert.True(ends.WorkerClosed);
        }
    }

    [Fact]
    public void Server_without_a_token_says_so_to_who_has_one()
    {
        var ends = new Ends(null, Secret);
        ends.Begin();
        Assert.Contains("no token to prove: start it with --token-file", ends.LastText(), StringComparison.Ordinal);
        Assert.False(ends.WasOpened);
    }

    [Fact]
    public void Server_with_a_token_names_the_option_to_who_has_none()
    {
        foreach (FrameKind kind in Enum.GetValues<FrameKind>())
        {
            if (kind == FrameKind.Hello)
                continue;
            var ends = new Ends(Secret, Secret);
            ends.ToServer(new Frame(new FrameHeader(kind) { Session = Session }, []));
            Assert.Contains("--token-file", ends.LastText(), StringComparison.Ordinal);
            Assert.False(ends.WasOpened);
            Assert.Equal(1, ends.Gate.CountOf(HandshakeFailure.NoToken));
        }
    }

    [Theory]
    [InlineData(PeerRole.Server)]
    [InlineData(PeerRole.Monitor)]
    public void Only_workers_are_admitted(PeerRole role)
    {
        var ends = new Ends(Secret, Secret);
        ends.ToServer(Frame.Of(FrameKind.Hello, new HelloMessage(role, new byte[Limits.NonceBytes]).Write, Session));
        Assert.Equal(FrameKind.Refused, Assert.Single(ends.Kinds));
        Assert.Equal(1, ends.Gate.CountOf(HandshakeFailure.WrongRole));
    }

    [Fact]
    public void Another_session_than_the_proven_one_is_refused()
    {
        var ends = new Ends(Secret, Secret);
        ends.Begin();
        ends.ToServer(new Frame(new FrameHeader(FrameKind.Heartbeat) { Session = Session }, []));
        Assert.Equal([FrameKind.Join, FrameKind.Heartbeat], ends.Shard.Kinds);
        ends.ToServer(new Frame(new FrameHeader(FrameKind.Heartbeat) { Session = Session + 1 }, []));
        Assert.Equal([FrameKind.Join, FrameKind.Heartbeat], ends.Shard.Kinds);
        Assert.Contains("this connection has proven", ends.Shard.Violation, StringComparison.Ordinal);
    }

    [Fact]
    public void Session_and_roles_are_proven_over()
    {
        byte[] a = new byte[Limits.NonceBytes], b = new byte[Limits.NonceBytes];
        b[0] = 1;
        var codes = new HashSet<string>();
        foreach (PeerRole prover in Enum.GetValues<PeerRole>())
        {
            foreach (PeerRole caller in Enum.GetValues<PeerRole>())
            {
                Assert.True(codes.Add(Convert.ToHexString(Secret.Prove(prover, caller, a, b, 1))));
                Assert.True(codes.Add(Convert.ToHexString(Secret.Prove(prover, caller, b, a, 1))));
                Assert.True(codes.Add(Convert.ToHexString(Secret.Prove(prover, caller, a, b, 2))));
                Assert.True(codes.Add(Convert.ToHexString(Secret.Prove(prover, caller, a, b, 1, version: 99))));
            }
        }
    }

    [Fact]
    public void Mutated_frames_in_every_state_let_nobody_in()
    {
        var random = new Random(41);
        var gate = new Gate(new GateLimits { HalfOpen = int.MaxValue, Connections = int.MaxValue }, 1, Secret, TimeProvider.System);
        for (int round = 0; round < 30_000; round++)
        {
            int state = round % 3; // before Hello, before Proof, after a wrong Proof
            var ends = new Ends(Secret, Other, gate);
            if (state > 0)
                ends.ToServer(Hello(new byte[Limits.NonceBytes]));
            if (state > 1)
                ends.ToServer(Frame.Of(FrameKind.Proof, new ProofMessage(new byte[Limits.ProofBytes]).Write, Session));
            for (int frame = 0; frame < 3; frame++)
                ends.ToServer(Random(random));
            Assert.False(ends.WasOpened);
            ends.Keeper.Closed(null);
        }

        Assert.Equal(0, gate.Open);
    }

    private static Frame Random(Random random)
    {
        var kinds = Enum.GetValues<FrameKind>();
        byte[] payload = new byte[random.Next(0, 64)];
        random.NextBytes(payload);
        Frame frame = random.Next(3) switch
        {
            0 => Frame.Of(FrameKind.Hello, new HelloMessage((PeerRole)random.Next(1, 4), new byte[Limits.NonceBytes]).Write, Session),
            1 => Frame.Of(FrameKind.Proof, new ProofMessage(new byte[Limits.ProofBytes]).Write, Session),
            _ => new Frame(new FrameHeader(kinds[random.Next(kinds.Length)]) { Session = random.Next(2) == 0 ? Session : 0 }, payload),
        };
        return random.Next(2) == 0 ? frame : frame.WithBitFlipped(random.Next(8 * 64));
    }

    private static Frame Hello(byte[] nonce) => Frame.Of(FrameKind.Hello, new HelloMessage(PeerRole.Worker, nonce).Write, Session);

    private sealed record Frame(FrameHeader Header, byte[] Payload)
    {
        public FrameKind Kind => Header.Kind;

        public static Frame Of(FrameKind kind, Action<IBufferWriter<byte>> write, ulong session)
        {
            var output = new ArrayBufferWriter<byte>();
            write(output);
            return new Frame(new FrameHeader(kind) { Session = session }, output.WrittenSpan.ToArray());
        }

        /// <summary>Counted from the end, where nonces and codes are.</summary>
        public Frame WithBitFlipped(int bit)
        {
            byte[] payload = (byte[])Payload.Clone();
            if (bit / 8 < payload.Length)
                payload[^((bit / 8) + 1)] ^= (byte)(1 << (bit % 8));
            return new Frame(Header, payload);
        }
    }

    /// <summary>Both ends of a connection; what one sends the other receives at once, unless a test changes it.</summary>
    private sealed class Ends
    {
        private readonly Wire _toWorker;

        public Ends(Token? server, Token worker, Gate? gate = null)
        {
            Gate = gate ?? new Gate(new GateLimits(), 1, server, TimeProvider.System);
            _toWorker = new Wire(this, frame => Bearer!.Received(frame.Header, new ReadOnlySequence<byte>(frame.Payload)));
            var toServer = new Wire(this, ToServer);
            Keeper = new Gatekeeper(Gate, _toWorker, IPAddress.Loopback, sink =>
            {
                WasOpened = true;
                Shard.Sink = sink;
                return Shard;
            });
            Bearer = new TokenBearer(worker, Session, toServer, Worker, () => toServer.Send(new FrameHeader(FrameKind.Join) { Session = Session }, []));
            IsWorkerClosed = () => toServer.IsClosed;
        }

        public Gate Gate { get; }

        public Gatekeeper Keeper { get; }

        public TokenBearer Bearer { get; }

        public Recorder Worker { get; } = new();

        public Recorder Shard { get; } = new();

        public bool WasOpened { get; private set; }

        public bool WorkerClosed => IsWorkerClosed();

        public List<Frame> Sent { get; } = [];

        /// <summary>What becomes of a frame on its way; null: it is lost.</summary>
        public Func<Frame, Frame?>? Change { get; set; }

        public FrameKind[] Kinds => Sent.ConvertAll(static frame => frame.Kind).ToArray();

        private Func<bool> IsWorkerClosed { get; }

        public void Begin() => Bearer.Begin();

        public void ToServer(Frame frame) => Keeper.Received(frame.Header, new ReadOnlySequence<byte>(frame.Payload));

        public string LastText()
        {
            Assert.Equal(FrameKind.Refused, Sent[^1].Kind);
            Assert.True(_toWorker.IsClosed);
            return TextMessage.Read(new(Sent[^1].Payload)).Text;
        }

        private sealed class Wire(Ends ends, Action<Frame> arrive) : IFrameSink
        {
            public string Peer => "peer";

            public bool IsClosed { get; private set; }

            public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
            {
                if (IsClosed)
                    return true;
                var frame = new Frame(header, payload.ToArray());
                ends.Sent.Add(frame);
                if ((ends.Change is { } change ? change(frame) : frame) is { } arrived)
                    arrive(arrived);
                return true;
            }

            public void Close() => IsClosed = true;
        }
    }

    private sealed class Recorder : IFrameHandler
    {
        public List<FrameKind> Kinds { get; } = [];

        public IFrameSink? Sink { get; set; }

        public string? Violation { get; private set; }

        public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload) => Kinds.Add(header.Kind);

        public void Violated(string reason, FrameFault fault) => Violation = reason;

        public void Writable()
        {
        }

        public void Closed(string? reason)
        {
        }
    }
}
