using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Faults;

/// <summary>Coded chunks that are wrong are refused by name, with nothing applied; changes that are wrong end a worker's session.</summary>
public sealed class CodedPoisonTests
{
    private const int Keys = 128;
    private const int RowLength = 8;
    private const float Most = 1000;
    private const ushort LargeScale = 0x4700;

    /// <summary>Codec, where the first scale or value is, which is 16 bits wide, and the length of rows.</summary>
    public static TheoryData<string, int> Codecs => new()
    {
        { "bf16", 1 },
        { "int8", 1 },
        { "int4", 1 },
        { "topk:0.1:int4", 1 },
        { "topk:0.1:bf16", 1 },
        { "int8", RowLength },
        { "int4", RowLength },
    };

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Coded_poison_leaves_everything_as_it_was(string codec, int rowLength)
    {
        var random = new Random(1);
        var encoder = new DeltaEncoder(CodecSpec.Parse(codec).For(rowLength), Keys);
        var shard = new Shard(Keys, rowLength, [1, 977], Aggregate.Mean, mostMagnitude: Most);
        float[] h = new float[Keys];
        for (int round = 0; round < 200; round++)
        {
            (FrameHeader header, byte[] payload) = Next(shard, encoder, h, rowLength, random);
            foreach ((FrameFault fault, byte[] poison) in Poisons(header.Codec, payload))
            {
                byte[] before = StateOf(shard);
                FrameHeader poisoned = header;
                poisoned.PayloadLength = (uint)poison.Length;
                ProtocolException error = Assert.Throws<ProtocolException>(() => shard.Apply(1, poisoned, new ReadOnlySequence<byte>(poison)));
                Assert.Equal(fault, error.Fault);
                Assert.Equal(before, StateOf(shard));
            }

            FrameHeader other = header;
            foreach (byte unknown in (byte[])[0, 7, 200])
            {
                other.Codec = (CodecId)unknown;
                Assert.Equal(FrameFault.Codec, Assert.Throws<ProtocolException>(() => shard.Apply(1, other, new ReadOnlySequence<byte>(payload))).Fault);
            }

            Assert.True(shard.Apply(1, header, new ReadOnlySequence<byte>(payload)));
            Assert.True(shard.ReconstructionOf(1).SequenceEqual(h));
        }
    }

    [Fact]
    public void Rows_where_there_are_none_are_refused()
    {
        float[] x = new float[Keys], h = new float[Keys];
        x[3] = 1;
        byte[] payload = new byte[Keys * sizeof(float)];
        int bytes = new DeltaEncoder(CodecSpec.Parse("int4").For(RowLength), Keys).Encode(x, h, payload, out DeltaCodec codec);
        Assert.Equal(DeltaCodec.Rows, codec);
        var shard = new Shard(Keys, 1, [1, 1], Aggregate.Mean);
        FrameHeader header = Header(CodecId.Rows, 1, bytes);
        Assert.Equal(FrameFault.Codec, Assert.Throws<ProtocolException>(() => shard.Apply(0, header, new ReadOnlySequence<byte>(payload, 0, bytes))).Fault);
        Assert.False(shard.ReconstructionOf(0).ContainsAnyExcept(0f));
    }

    /// <summary>Few bytes may say many keys: a chunk is never longer than the job's, whatever it is coded in.</summary>
    [Fact]
    public void Chunk_of_more_keys_than_the_jobs_is_refused()
    {
        var shard = new Shard(Keys, 1, [1, 1], Aggregate.Mean, mostChunkKeys: Keys / 2);
        byte[] payload = new byte[(Keys / 64 * sizeof(ushort)) + (Keys / 2)];
        FrameHeader header = Header(CodecId.Int4, 1, payload.Length);
        Assert.Equal(FrameFault.WrongLength, Assert.Throws<ProtocolException>(() => shard.Apply(0, header, new ReadOnlySequence<byte>(payload))).Fault);
    }

    /// <summary>Each of these values is rounded up to twice itself when it is added: what bounds the vector must count that.</summary>
    [Fact]
    public void Limit_holds_however_additions_are_rounded()
    {
        const float begin = 996, limit = 996.003f, step = 3.0756e-5f; // half of the last place there, and a little
        var shard = new Shard(1, 1, [1], Aggregate.Mean, mostMagnitude: limit);
        ulong sequence = 0;
        for (float value = begin; sequence < 200; value = step)
        {
            byte[] payload = new byte[sizeof(ushort)];
            BinaryPrimitives.WriteUInt16LittleEndian(payload, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
            FrameHeader header = Header(CodecId.Bf16, ++sequence, payload.Length, 1);
            if (Record.Exception(() => shard.Apply(0, header, new ReadOnlySequence<byte>(payload))) is { } refused)
            {
                Assert.Equal(FrameFault.TooLarge, Assert.IsType<ProtocolException>(refused).Fault);
                break;
            }

            Assert.InRange(shard.ReconstructionOf(0)[0], begin, limit);
        }

        Assert.InRange(sequence, 20UL, 100UL);
    }

    /// <summary>Over real sockets: the sender is told, and it is counted.</summary>
    [Fact]
    public void Sender_is_told_and_coded_poison_is_counted()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false, OnWorkerLoss = WorkerLoss.Evict, Codec = CodecSpec.Parse("int4") });
        using WorkerClient honest = Honest(server);
        (int Bytes, ushort Scale, FrameFault Fault)[] all = [(34, 0x7fc0, FrameFault.NotFinite), (34, 0x0001, FrameFault.Codec), (33, 0x3f80, FrameFault.Codec)];
        foreach ((int bytes, ushort scale, FrameFault fault) in all)
        {
            using RawPeer hostile = Join(server);
            hostile.Receive(FrameKind.Start);
            byte[] payload = new byte[bytes];
            BinaryPrimitives.WriteUInt16LittleEndian(payload, scale);
            hostile.Send(Header(CodecId.Int4, 1, bytes, 64) with { Session = hostile.SessionNumber }, output => output.Write(payload));
            Assert.Contains(fault == FrameFault.Codec ? "cannot be read" : "NaN", TextMessage.Read(new(hostile.Receive(FrameKind.Refused).Payload)).Text, StringComparison.Ordinal);
            Assert.True(hostile.IsClosedByPeer());
        }

        RefusedFrames counted = new();
        Eventually.Holds(() => (counted = server.Host.Status()?.RefusedFrames ?? counted).Codec == 2, () => "nothing was counted");
        Assert.Equal(new RefusedFrames { NotFinite = 1, Codec = 2 }, counted);
    }

    /// <summary>A frame of 64 bytes must not have the server look at more than a chunk.</summary>
    [Theory]
    [InlineData(0, 64)]
    [InlineData(48, 32)]
    public void Check_of_more_than_a_chunk_or_beyond_the_end_is_refused(int begin, int count)
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false, OnWorkerLoss = WorkerLoss.Evict, Codec = CodecSpec.Parse("int4"), MostChunkKeys = 32 });
        using WorkerClient honest = Honest(server);
        using RawPeer hostile = Join(server);
        hostile.Receive(FrameKind.Start);
        hostile.Send(new FrameHeader(FrameKind.Check) { Session = hostile.SessionNumber, KeyBegin = (ulong)begin, KeyCount = (uint)count }, output => { });
        Assert.Contains("A check of keys", TextMessage.Read(new(hostile.Receive(FrameKind.Refused).Payload)).Text, StringComparison.Ordinal);
    }

    public static TheoryData<string, int, int, bool, string> Changes => new()
    {
        { "a change of codec Int4 cannot be read", (int)CodecId.Int4, 35, true, "" },
        { "a change of codec Int4 has values that are no numbers", (int)CodecId.Int4, 34, true, "c07f" },
        { "a change of codec TopK cannot be read", (int)CodecId.TopK, 30, true, "ff000000" },
        { "a change of codec Rows cannot be read", (int)CodecId.Rows, 30, true, "" },
        { "a change of codec 77 cannot be read", 77, 30, true, "" },
        { "a change of codec Int4 cannot be read", (int)CodecId.Int4, 35, false, "" },
        { "A snapshot chunk of keys 0 to 128 came", (int)CodecId.Int4, 68, true, "" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Change_that_is_wrong_ends_the_session_with_a_clear_error(string error, int codec, int bytes, bool isChange, string begins)
    {
        using var session = new WorkerSession(new WorkerOptions { Parameters = Keys, MostChunkKeys = 64 }, TimeProvider.System, new Nowhere());
        session.Join();
        Receive(session, new FrameHeader(FrameKind.Admitted), new AdmittedMessage(0).Write);
        Receive(session, new FrameHeader(FrameKind.Start), new StartMessage(1, Keys, 1, false, [], Codec: "int4").Write);
        Assert.Null(session.Failure);
        byte[] payload = new byte[bytes];
        Convert.FromHexString(begins).CopyTo(payload, 0);
        bool isLong = error.Contains("128", StringComparison.Ordinal);
        var header = new FrameHeader(FrameKind.Snapshot)
        {
            Codec = (CodecId)codec,
            KeyCount = isLong ? Keys : 64u,
            Flags = (isChange ? FrameFlags.Change : FrameFlags.None) | (isLong ? FrameFlags.Last : FrameFlags.None),
            PayloadLength = (uint)bytes,
        };
        session.Received(header, Pieces.Of(payload[..20], payload[20..]));
        Assert.NotNull(session.Failure);
        Assert.Contains(error, session.Failure, StringComparison.Ordinal);
        Assert.True(session.HasEnded);
        Assert.False(session.HasNewer);
    }

    /// <summary>The chunk, which is the whole vector, with some values that keep it small.</summary>
    private static (FrameHeader Header, byte[] Payload) Next(Shard shard, DeltaEncoder encoder, float[] h, int rowLength, Random random)
    {
        float[] x = new float[Keys];
        h.CopyTo(x, 0);
        int row = random.Next(Keys / rowLength);
        for (int j = rowLength > 1 ? row * rowLength : 0; j < (rowLength > 1 ? (row + 1) * rowLength : Keys); j++)
            x[j] = (random.NextSingle() - 0.5f) * 10;
        byte[] room = new byte[Keys * sizeof(float)];
        int bytes = encoder.Encode(x, h, room, out DeltaCodec codec);
        return (Header((CodecId)codec, shard.ClockOf(1) + 1, bytes), room[..bytes]);
    }

    private static IEnumerable<(FrameFault Fault, byte[] Poison)> Poisons(CodecId codec, byte[] payload)
    {
        yield return (FrameFault.Codec, payload[..^1]);
        yield return (FrameFault.Codec, [.. payload, 0]);
        yield return (FrameFault.Codec, []);
        int values = FirstOfValues(codec, payload);
        yield return (FrameFault.NotFinite, With(payload, values, BlockScale.NotFinite));
        yield return (FrameFault.TooLarge, With(payload, values, LargeScale));
        if (codec is CodecId.Int8 or CodecId.Int4)
            yield return (FrameFault.Codec, With(payload, 0, 1)); // a scale that is too small for products to be exact
        if (codec is not (CodecId.TopK or CodecId.Rows))
            yield break;
        yield return (FrameFault.Codec, With(payload, 0, ushort.MaxValue)); // more values, or rows, than there are
        byte[] wrong = (byte[])payload.Clone();
        wrong[5] = 9;
        yield return (FrameFault.Codec, wrong);
        wrong = (byte[])payload.Clone();
        wrong[4] = 3;
        yield return (FrameFault.Codec, wrong);
        wrong = (byte[])payload.Clone();
        wrong[TopKCodec.HeadBytes + (payload[4] == 1 ? payload[0] - 1 : 0)] ^= 0xfe; // the last gap: beyond the end; a bitmap: other values than are counted
        yield return (FrameFault.Codec, wrong);
    }

    private static int FirstOfValues(CodecId codec, byte[] payload) => codec switch
    {
        CodecId.TopK => TopKCodec.HeadBytes + (payload[4] == 1 ? payload[0] : Keys / 8),
        CodecId.Rows => RowsCodec.HeadBytes + (payload[4] == 1 ? payload[0] : Keys / RowLength / 8),
        _ => 0,
    };

    private static byte[] With(byte[] payload, int at, ushort what)
    {
        byte[] poison = (byte[])payload.Clone();
        BinaryPrimitives.WriteUInt16LittleEndian(poison.AsSpan(at), what);
        return poison;
    }

    private static FrameHeader Header(CodecId codec, ulong sequence, int bytes, int keys = Keys) => new(FrameKind.Push)
    {
        Codec = codec,
        Sequence = sequence,
        KeyCount = (uint)keys,
        PayloadLength = (uint)bytes,
        Flags = FrameFlags.Last,
    };

    private static byte[] StateOf(Shard shard) => [.. MemoryMarshal.AsBytes(shard.Sum), .. MemoryMarshal.AsBytes(shard.ReconstructionOf(0)), .. MemoryMarshal.AsBytes(shard.ReconstructionOf(1)), (byte)shard.Version, (byte)shard.ClockOf(1)];

    private static WorkerClient Honest(LoopbackServer server)
    {
        WorkerClient? honest = null;
        using RawPeer first = Join(server);
        honest = server.Connect(64, 0, aggregate: Aggregate.Sum);
        first.Receive(FrameKind.Start);
        return honest;
    }

    private static RawPeer Join(LoopbackServer server)
    {
        RawPeer peer = RawPeer.ConnectTo(server.Address);
        peer.Send(new FrameHeader(FrameKind.Join) { Session = peer.SessionNumber }, new JoinMessage(1, 64, 1, Aggregate.Sum, 1, [], []).Write);
        return peer;
    }

    private static void Receive(WorkerSession session, FrameHeader header, Action<IBufferWriter<byte>> write)
    {
        var payload = new ArrayBufferWriter<byte>();
        write(payload);
        header.PayloadLength = (uint)payload.WrittenCount;
        session.Received(header, new ReadOnlySequence<byte>(payload.WrittenMemory));
    }

    private sealed class Nowhere : IFrameSink
    {
        public string Peer => "server";

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload) => true;

        public void Close()
        {
            // Nobody is there.
        }
    }
}
