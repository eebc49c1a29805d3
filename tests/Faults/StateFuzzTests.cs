using System;
using System.Buffers;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Faults;

/// <summary>
/// Random and mutated bytes of peers that have the token, in every state from the proof on (those before it: <see cref="StrangerTests"/>). The server stays up
/// and within its memory, and what an honest worker gets is exact.
/// </summary>
[Collection(Alone.Name)]
public sealed class StateFuzzTests
{
    private const int Parameters = 40;
    private const int Chunk = 16; // chunks of 16, 16 and 8
    private const int BlocksOfStranger = 3;
    private const long MostGrowth = 64L << 20;
    private static readonly Token Secret = new("correct horse battery staple"u8);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(2);

    private readonly Random _random = new(29);
    private ulong _session = SessionNumber.Draw();
    private ulong _attempt;
    private int _mostBlocks;

    /// <summary>After the proof and before Join, and joined before all are there.</summary>
    [Fact]
    public void Bytes_of_six_thousand_token_bearers_before_the_start_keep_no_job_from_starting()
    {
        using var server = NewServer(evaluates: false, workers: 3); // one more than can be there at a time by chance
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int round = 0; round < 6000; round++)
        {
            using RawPeer peer = RawPeer.ConnectTo(server.Address);
            _session = SessionNumber.Draw();
            Prove(peer);
            if (round % 2 == 0)
                SendOrGiveUp(peer, JoinFrame(1));
            SendOrGiveUp(peer, Mutant(FrameKind.Join, JoinFrame(_random.Next(-1, 3))));
            Leave(peer, server, round);
        }

        Eventually.Holds(() => server.Host.Connections == 0, () => $"{server.Host.Connections} connections are left");
        IsWithinLimits(before);
        using RawPeer first = JoinHonestly(server, 1), second = JoinHonestly(server, 2);
        using WorkerClient honest = Connect(server, 0);
        PushAndSee(honest, Filled(3), Filled(1));
    }

    /// <summary>Between the chunks of a push, with pulls open; over new sessions, and over one that is resynchronised again and again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bytes_in_the_middle_of_pushes_leave_the_others_exact(bool resynchronises)
    {
        using var server = NewServer(evaluates: false);
        using WorkerClient honest = ConnectBoth(server);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        float sum = 0;
        for (int round = 0; round < 3000; round++)
        {
            using RawPeer peer = Enter(server, isNew: !resynchronises);
            if (!resynchronises || round % 2 == 0)
            {
                peer.Receive(FrameKind.Admitted);
                for (int pull = round % 4; pull > 0; pull--)
                    SendOrGiveUp(peer, Frame(FrameKind.Pull, []));
                SendOrGiveUp(peer, ChunkFrame());
            }

            SendOrGiveUp(peer, Mutant(FrameKind.Push, ChunkFrame()));
            Leave(peer, server, round);
            if (round % 100 == 0)
            {
                honest.Push(Filled(++sum));
                honest.Pull();
                honest.Wait();
                Assert.All(honest.Snapshot.ToArray(), value => Assert.True(float.IsFinite(value)));
            }
        }

        IsWithinLimits(before);
        Evict(server);
        PushAndSee(honest, Filled(++sum), Filled(sum));
        Eventually.Holds(() => server.Host.Status()?.RefusedFrames is { NotFinite: > 0, Unreadable: > 0, WrongLength: > 0 }, () => "not all kinds were met");
    }

    /// <summary>Training is over, and the workers evaluate the model.</summary>
    [Fact]
    public void Bytes_while_the_model_is_evaluated_do_not_change_it()
    {
        using var server = NewServer(evaluates: true);
        using RawPeer honest = JoinHonestly(server, 0);
        ulong own = _session;
        JoinHonestly(server, 1).Dispose();
        ReceiveAnswering(honest, own, static header => header.Kind == FrameKind.Start);
        for (int begin = 0; begin < Parameters; begin += Chunk)
            honest.Socket.Send(PushFrame(own, begin, Math.Min(Chunk, Parameters - begin), 7));
        ReceiveAnswering(honest, own, static header => header.Kind == FrameKind.Acknowledged);
        Evict(server);
        server.Host.RequestStop("stopped");
        FrameHeader final = ReceiveAnswering(honest, own, static header => header.Flags.Has(FrameFlags.Final) && header.Flags.Has(FrameFlags.Last));
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int round = 0; round < 1500; round++)
        {
            using RawPeer peer = Enter(server, isNew: round % 2 == 0);
            SendOrGiveUp(peer, Mutant((FrameKind)_random.Next((int)FrameKind.Push, (int)FrameKind.Progress + 1), ChunkFrame()));
            Leave(peer, server, round);
        }

        IsWithinLimits(before);
        Evict(server);
        Answer(honest, own, final.Sequence);
        _session = own;
        Assert.Contains("stopped", TextMessage.Read(new(honest.Receive(FrameKind.Stop).Payload)).Text, StringComparison.Ordinal);
        honest.Socket.Send(Frame(FrameKind.Leave, new TextMessage("done").Write));
        Assert.Equal(Filled(7), server.WaitForEnd().Model ?? []);
    }

    private static LoopbackServer NewServer(bool evaluates, int workers = 2) => new(new ServerOptions
    {
        Workers = workers,
        Evaluates = evaluates,
        Token = Secret,
        OnWorkerLoss = WorkerLoss.Evict,
        LivenessTimeout = Long,
        MostChunkKeys = Chunk,
    });

    private static WorkerClient Connect(LoopbackServer server, int rank) =>
        WorkerClient.Connect(server.Address, new WorkerOptions { Parameters = Parameters, Rank = rank, Token = Secret, MostChunkKeys = Chunk });

    /// <summary>The honest worker, whom the hostile one lets the job start with.</summary>
    private WorkerClient ConnectBoth(LoopbackServer server)
    {
        using RawPeer hostile = JoinHonestly(server, 1);
        return Connect(server, 0);
    }

    private RawPeer JoinHonestly(LoopbackServer server, int rank)
    {
        RawPeer peer = RawPeer.ConnectTo(server.Address);
        _session = SessionNumber.Draw();
        Prove(peer);
        peer.Socket.Send(JoinFrame(rank));
        return peer;
    }

    /// <summary>The next frame of a kind, for a worker that evaluates what it is asked to.</summary>
    private FrameHeader ReceiveAnswering(RawPeer peer, ulong session, Func<FrameHeader, bool> isWanted)
    {
        while (true)
        {
            (FrameHeader header, _) = peer.Receive();
            if (isWanted(header))
                return header;
            if (header.Flags.Has(FrameFlags.Evaluate) && header.Flags.Has(FrameFlags.Last))
                Answer(peer, session, header.Sequence);
        }
    }

    private void Answer(RawPeer peer, ulong session, ulong evaluation)
    {
        ulong hostile = _session;
        _session = session;
        peer.Socket.Send(Frame(FrameKind.Evaluated, new EvaluatedMessage(evaluation, [0.5]).Write));
        _session = hostile;
    }

    /// <summary>The hostile worker comes again: in another session, or in the one that it had.</summary>
    private RawPeer Enter(LoopbackServer server, bool isNew)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (isNew)
                _session = SessionNumber.Draw();
            RawPeer peer = RawPeer.ConnectTo(server.Address);
            try
            {
                Prove(peer);
                peer.Socket.Send(JoinFrame(1));
                (FrameHeader header, byte[] payload) = peer.Receive();
                if (header.Kind == FrameKind.Admitted)
                {
                    peer.Unread(header, payload);
                    return peer;
                }

                Assert.True(header.Flags.Has(FrameFlags.Retry) && attempt < 1000, TextMessage.Read(new(payload)).Text); // its last connection has not ended yet
            }
            catch
            {
                peer.Dispose();
                throw;
            }

            peer.Dispose();
            Thread.Sleep(1);
        }
    }

    private static void PushAndSee(WorkerClient worker, float[] vector, float[] expected)
    {
        worker.Push(vector);
        worker.Pull();
        worker.Wait();
        Assert.Equal(expected, worker.Snapshot.ToArray());
    }

    /// <summary>The hostile worker is lost for what it pushes, and what it contributed is taken out.</summary>
    private void Evict(LoopbackServer server)
    {
        using RawPeer peer = Enter(server, isNew: true);
        (FrameHeader header, byte[] payload) = peer.Receive(FrameKind.Admitted);
        var admitted = AdmittedMessage.Read(new(payload));
        peer.Socket.Send(PushFrame(_session, 0, Chunk, float.NaN, admitted.Sequence + 1));
        Assert.Contains("NaN", TextMessage.Read(new(peer.Receive(FrameKind.Refused).Payload)).Text, StringComparison.Ordinal);
    }

    private void Prove(RawPeer peer)
    {
        byte[] nonce = new byte[Limits.NonceBytes];
        peer.Socket.Send(Frame(FrameKind.Hello, new HelloMessage(PeerRole.Worker, nonce).Write));
        byte[] challenge = ChallengeMessage.Read(new(peer.Receive(FrameKind.Challenge).Payload)).Nonce;
        peer.Socket.Send(Frame(FrameKind.Proof, new ProofMessage(Secret.Prove(PeerRole.Worker, PeerRole.Worker, nonce, challenge, _session)).Write));
        peer.Receive(FrameKind.Proven);
    }

    private byte[] JoinFrame(int rank) => Frame(FrameKind.Join, new JoinMessage(rank, Parameters, 1, Aggregate.Mean, 1, [], [], ++_attempt).Write);

    /// <summary>The first chunk of the push that the server expects, as far as it is known.</summary>
    private byte[] ChunkFrame() => PushFrame(_session, 0, Chunk, 1, (ulong)_random.Next(1, 3));

    private static byte[] PushFrame(ulong session, int begin, int count, float value, ulong sequence = 1)
    {
        byte[] payload = new byte[count * sizeof(float)];
        for (int j = 0; j < count; j++)
            BitConverter.TryWriteBytes(payload.AsSpan(j * sizeof(float)), value);
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, new FrameHeader(FrameKind.Push)
        {
            Session = session,
            Sequence = sequence,
            Codec = CodecId.Fp32,
            KeyBegin = (ulong)begin,
            KeyCount = (uint)count,
            Flags = begin + count == Parameters ? FrameFlags.Last : FrameFlags.None,
        }, payload);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Nonsense, a frame with some bytes changed, one whole with fields at random, or one that announces what nobody may send.</summary>
    private byte[] Mutant(FrameKind kind, byte[] frame)
    {
        switch (_random.Next(4))
        {
            case 0:
                byte[] nonsense = new byte[_random.Next(1, 300)];
                _random.NextBytes(nonsense);
                return nonsense;
            case 1:
                for (int change = _random.Next(1, 4); change > 0; change--)
                    frame[_random.Next(frame.Length)] = (byte)_random.Next(256);
                return frame[.._random.Next(1, frame.Length + 1)];
            case 2:
                FrameKind other = _random.Next(2) == 0 ? kind : (FrameKind)_random.Next(21);
                byte[] payload = new byte[_random.Next(200)];
                _random.NextBytes(payload);
                byte[] whole = [.. new byte[FrameHeader.Bytes], .. payload];
                new FrameHeader(other == FrameKind.Leave ? FrameKind.Heartbeat : other) // who leaves in order may not come back
                {
                    Session = _session + (_random.Next(8) == 0 ? 1UL : 0),
                    PayloadLength = (uint)payload.Length,
                    Codec = (CodecId)_random.Next(4),
                    Flags = (FrameFlags)(1 << _random.Next(7)),
                    Sequence = (ulong)_random.Next(4),
                    KeyBegin = (ulong)(Chunk * _random.Next(4)),
                    KeyCount = (uint)(_random.Next(2) == 0 ? payload.Length / sizeof(float) : _random.Next()),
                    ShardVersion = (ulong)_random.Next(3),
                    PassesQ8 = (uint)_random.Next(),
                }.Write(whole);
                return whole;
            default:
                byte[] oversize = new byte[FrameHeader.Bytes];
                new FrameHeader(kind) { Session = _session, Codec = CodecId.Fp32, PayloadLength = (uint)_random.Next() * 2, KeyCount = (uint)_random.Next() }.Write(oversize);
                return oversize;
        }
    }

    /// <summary>Ends in order, by a reset, or by the server; and looks what the server holds.</summary>
    private void Leave(RawPeer peer, LoopbackServer server, int round)
    {
        if (round % 3 == 0)
            peer.Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        else if (round % 3 == 1)
            peer.Socket.Shutdown(SocketShutdown.Send);
        _mostBlocks = Math.Max(_mostBlocks, server.Host.LeasedBlocks);
    }

    private void IsWithinLimits(long before)
    {
        Assert.InRange(_mostBlocks, 0, (GateLimits.Spare * BlocksOfStranger) + (2 * Connection.MostBlocks(Limits.ChunkBytes)));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MostGrowth);
    }

    private byte[] Frame(FrameKind kind, Action<IBufferWriter<byte>> write)
    {
        var payload = new ArrayBufferWriter<byte>();
        write(payload);
        return Frame(kind, payload.WrittenSpan);
    }

    private byte[] Frame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, new FrameHeader(kind) { Session = _session }, payload);
        return output.WrittenSpan.ToArray();
    }

    private static void SendOrGiveUp(RawPeer peer, byte[] bytes)
    {
        try
        {
            peer.Socket.Send(bytes);
        }
        catch (SocketException)
        {
            // it has been thrown out
        }
    }

    private static float[] Filled(float value)
    {
        float[] vector = new float[Parameters];
        Array.Fill(vector, value);
        return vector;
    }
}
