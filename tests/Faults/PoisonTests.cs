using System;
using System.Buffers;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Optimizers;
using HpAsyncPs.Server.Policies;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Faults;

/// <summary>Whatever is wrong with a push, it is refused by name, and the shard stays as it was, bit for bit.</summary>
public sealed class PoisonTests
{
    private const int RowLength = 4;
    private const int Chunk = 16;
    private const int Parameters = 40; // chunks of 16, 16 and 8
    private const float Most = 1000;
    private static readonly float[] NotFinite = [float.NaN, float.PositiveInfinity, float.NegativeInfinity];
    private const int RowsIndexBytes = 1; // a bitmap or gaps of two rows of at most four
    private const int RowsHeadBytes = RowsCodec.HeadBytes + RowsIndexBytes;

    public static TheoryData<FrameFault> Faults => [FrameFault.NotFinite, FrameFault.TooLarge, FrameFault.WrongLength, FrameFault.OutOfRange, FrameFault.OutOfTurn, FrameFault.Codec];

    [Theory]
    [MemberData(nameof(Faults))]
    public void Poison_of_any_kind_leaves_vectors_and_sum_as_they_were(FrameFault fault)
    {
        foreach (CodecId codec in (CodecId[])[CodecId.Fp32, CodecId.Rows])
        {
            var random = new Random((int)fault);
            var shard = new Shard(Parameters, RowLength, [1, 977, 8139], Aggregate.Mean, mostChunkKeys: Chunk, mostMagnitude: Most);
            for (int round = 0; round < 600; round++)
            {
                int rank = random.Next(3);
                (FrameHeader header, byte[] payload) = Next(shard, rank, codec, random);
                (FrameHeader poisoned, byte[] poison) = Poisoned(fault, header, payload, random);
                byte[] before = StateOf(shard, 3, null);
                ProtocolException error = Assert.Throws<ProtocolException>(() => shard.Apply(rank, poisoned, Cut(poison, random)));
                Assert.Equal(fault, error.Fault);
                Assert.Equal(before, StateOf(shard, 3, null));
                shard.Apply(rank, header, Cut(payload, random)); // and the worker's own chunk fits as if nothing had been
                Assert.NotEqual(before, StateOf(shard, 3, null));
            }

            Assert.True(shard.Version > 100);
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void Poison_of_any_kind_leaves_model_and_optimiser_as_they_were(FrameFault fault)
    {
        foreach (string name in (string[])["asp:sum", "asp:sgd", "asp:adagrad", "asp:adam"])
        {
            IServerOptimizer optimizer = AspPolicy.Parse(name).Optimizer!;
            optimizer.Start(Parameters, Chunk, 0.25);
            var random = new Random((int)fault);
            var shard = new Shard(Parameters, 1, [1, 1], Aggregate.Optimized, optimizer, Chunk, Most);
            for (int round = 0; round < 200; round++)
            {
                int rank = random.Next(2);
                (FrameHeader header, byte[] payload) = Next(shard, rank, CodecId.Fp32, random);
                (FrameHeader poisoned, byte[] poison) = Poisoned(fault, header, payload, random);
                byte[] before = StateOf(shard, 2, optimizer);
                ProtocolException error = Assert.Throws<ProtocolException>(() => shard.Apply(rank, poisoned, Cut(poison, random)));
                Assert.Equal(fault, error.Fault);
                Assert.Equal(before, StateOf(shard, 2, optimizer));
                shard.Apply(rank, header, Cut(payload, random));
                Assert.NotEqual(before, StateOf(shard, 2, optimizer));
            }
        }
    }

    /// <summary>Over real sockets: the sender is told, the kind is counted, and an honest worker's sum is exact.</summary>
    [Fact]
    public void Sender_is_told_kinds_are_counted_and_the_others_go_on()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false, OnWorkerLoss = WorkerLoss.Evict });
        RawPeer? hostile = Join(server);
        using WorkerClient honest = server.Connect(Parameters, 0, aggregate: Aggregate.Sum);
        var random = new Random(3);
        float[] model = new float[Parameters];
        foreach (TheoryDataRow<FrameFault> row in Faults)
        {
            hostile ??= Join(server);
            hostile.Receive(FrameKind.Start);
            var honestOne = new FrameHeader(FrameKind.Push) { Session = hostile.SessionNumber, Sequence = 1, Codec = CodecId.Fp32, KeyCount = Parameters, Flags = FrameFlags.Last };
            (FrameHeader header, byte[] payload) = Poisoned(row.Data, honestOne, new byte[Parameters * sizeof(float)], random, 1e30f);
            SendAsItIs(hostile, header, payload);
            string reason = TextMessage.Read(new(hostile.Receive(FrameKind.Refused).Payload)).Text;
            Assert.NotEmpty(reason);
            Assert.True(hostile.IsClosedByPeer());
            hostile.Dispose();
            hostile = null;
            Array.Fill(model, model[0] + 1);
            honest.Push(model);
            honest.Pull();
            honest.Wait();
            Assert.Equal(model, honest.Snapshot.ToArray());
        }

        RefusedFrames counted = new();
        Eventually.Holds(() => (counted = server.Host.Status()?.RefusedFrames ?? counted).NotFinite > 0, () => "nothing was counted");
        Assert.Equal(new RefusedFrames { NotFinite = 1, TooLarge = 1, WrongLength = 1, OutOfRange = 1, OutOfTurn = 1, Codec = 1 }, counted);
    }

    private static RawPeer Join(LoopbackServer server)
    {
        RawPeer peer = RawPeer.ConnectTo(server.Address);
        peer.Send(new FrameHeader(FrameKind.Join) { Session = peer.SessionNumber }, new JoinMessage(1, Parameters, 1, Aggregate.Sum, 1, [], []).Write);
        return peer;
    }

    /// <summary>With the length of the payload that the header names, which may be wrong.</summary>
    private static void SendAsItIs(RawPeer peer, FrameHeader header, byte[] payload)
    {
        byte[] frame = new byte[FrameHeader.Bytes + payload.Length];
        header.PayloadLength = (uint)payload.Length;
        header.Write(frame);
        payload.CopyTo(frame, FrameHeader.Bytes);
        peer.Socket.Send(frame);
    }

    /// <summary>The chunk that comes next, with values that keep the vectors small.</summary>
    private static (FrameHeader Header, byte[] Payload) Next(Shard shard, int rank, CodecId codec, Random random)
    {
        int begin = shard.NextKeyOf(rank), count = Math.Min(Chunk, Parameters - begin);
        float[] values = new float[count];
        for (int j = 0; j < count; j++)
            values[j] = (float)random.NextDouble() - (shard.Sum[begin + j] > 0 ? 0.9f : 0.1f);
        byte[] payload = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        if (codec == CodecId.Rows)
        {
            int first = random.Next((count / RowLength) - 1);
            int[] rows = [first, first + 1];
            byte[] coded = new byte[RowsCodec.Bytes(rows, count / RowLength, RowLength, ValueCodec.Fp32)];
            payload.AsSpan(first * RowLength * sizeof(float), 2 * RowLength * sizeof(float)).CopyTo(RowsCodec.WriteIndex(rows, count / RowLength, RowLength, ValueCodec.Fp32, coded));
            payload = coded;
        }

        return (new FrameHeader(FrameKind.Push)
        {
            Codec = codec,
            Sequence = shard.ClockOf(rank) + 1,
            KeyBegin = (ulong)begin,
            KeyCount = (uint)count,
            PayloadLength = (uint)payload.Length,
            Flags = begin + count == Parameters ? FrameFlags.Last : FrameFlags.None,
        }, payload);
    }

    /// <summary>The same with one thing wrong.</summary>
    private static (FrameHeader Header, byte[] Payload) Poisoned(FrameFault fault, FrameHeader header, byte[] payload, Random random, float absurd = Most * 1.01f)
    {
        byte[] poison = (byte[])payload.Clone();
        int values = header.Codec == CodecId.Rows ? RowsHeadBytes : 0;
        int at = values + (sizeof(float) * random.Next((poison.Length - values) / sizeof(float)));
        switch (fault)
        {
            case FrameFault.NotFinite:
                BitConverter.TryWriteBytes(poison.AsSpan(at), NotFinite[random.Next(NotFinite.Length)]);
                break;
            case FrameFault.TooLarge:
                BitConverter.TryWriteBytes(poison.AsSpan(at), (random.Next(2) == 0 ? 8 : -8) * absurd); // 8: more than sgd's rate takes back
                break;
            case FrameFault.WrongLength when random.Next(2) == 0 || header.KeyCount == Parameters:
                header.Flags ^= FrameFlags.Last;
                break;
            case FrameFault.WrongLength:
                header.KeyCount -= RowLength;
                header.Flags = FrameFlags.None;
                poison = header.Codec == CodecId.Rows ? poison : poison[..^(RowLength * sizeof(float))];
                break;
            case FrameFault.OutOfRange:
                header.KeyBegin = (ulong)(Parameters - (int)header.KeyCount + random.Next(1, 1000));
                break;
            case FrameFault.OutOfTurn when random.Next(2) == 0 || header.KeyCount == Parameters:
                header.Sequence += (ulong)random.Next(1, 5);
                break;
            case FrameFault.OutOfTurn:
                header.KeyBegin = header.KeyBegin == 0 ? (ulong)Chunk : header.KeyBegin == Chunk ? 2UL * Chunk : 2; // a chunk that was applied is no poison
                header.KeyCount = Math.Min(header.KeyCount, (uint)Parameters - (uint)header.KeyBegin);
                header.Sequence += header.KeyBegin == 2 ? 1UL : 0;
                break;
            case FrameFault.Codec when header.Codec == CodecId.Rows:
                poison[random.Next(RowsHeadBytes)] = (byte)random.Next(16, 256); // count, form, codec, reserved, bitmap: none has such bits
                break;
            case FrameFault.Codec:
                header.Codec = CodecId.Rows; // of values that are none, or in a model that has none
                break;
        }

        return (header, poison);
    }

    private static ReadOnlySequence<byte> Cut(byte[] payload, Random random)
    {
        int cut = random.Next(payload.Length + 1);
        return Pieces.Of(payload[..cut], payload[cut..]);
    }

    private static byte[] StateOf(Shard shard, int workers, IServerOptimizer? optimizer)
    {
        var state = new List<byte>();
        state.AddRange(MemoryMarshal.AsBytes(shard.Sum));
        state.AddRange(BitConverter.GetBytes(shard.Version));
        for (int rank = 0; rank < workers; rank++)
        {
            state.AddRange(MemoryMarshal.AsBytes(shard.ReconstructionOf(rank)));
            state.AddRange(BitConverter.GetBytes(shard.ClockOf(rank)));
            state.AddRange(BitConverter.GetBytes(shard.NextKeyOf(rank)));
        }

        for (int which = 0; which < (optimizer?.StatePerParameter ?? 0); which++)
            state.AddRange(MemoryMarshal.AsBytes(optimizer!.State(which)));
        state.AddRange(MemoryMarshal.AsBytes(optimizer is null ? [] : optimizer.Counts));
        return [.. state];
    }
}
