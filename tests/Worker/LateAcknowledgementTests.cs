using System;
using System.Buffers;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Worker;

/// <summary>A server that waits for its disk acknowledges after the snapshot, and one that was started again has forgotten: nobody stands still for ever.</summary>
public sealed class LateAcknowledgementTests
{
    private const int Parameters = 3;

    private readonly Sink _sink = new();

    [Fact]
    public void Acknowledgement_after_the_snapshot_makes_room()
    {
        using WorkerSession session = Begin(new WorkerOptions { Parameters = Parameters });
        using var loop = new TrainingLoop(session, new HalvingTask(Parameters), TimeProvider.System);
        loop.Step();
        while (session.TryPush(new float[Parameters], 1))
        {
        }

        Assert.Equal((ulong)Limits.Window, session.Pushed);
        Deliver(session, new FrameHeader(FrameKind.Snapshot) { Codec = CodecId.Fp32, Flags = FrameFlags.Last, KeyCount = Parameters, Sequence = Limits.Window, ShardVersion = Limits.Window },
            output => output.Write(MemoryMarshal.AsBytes<float>(new float[Parameters])));
        Assert.True(session.HasNewer);
        Assert.False(session.HasRoom);
        Assert.Equal(NextAction.Wait, loop.Next(out _)); // what it computes now it could not push
        Deliver(session, new FrameHeader(FrameKind.Acknowledged) { Sequence = 1 }, _ => { });
        Assert.True(session.HasRoom);
        Assert.Equal(NextAction.Step, loop.Next(out _));
        session.Take();
        while (session.TryPush(new float[Parameters], 1))
        {
        }

        Assert.Equal((ulong)Limits.Window + 1, session.Pushed);
        Deliver(session, new FrameHeader(FrameKind.Acknowledged) { Sequence = Limits.Window }, _ => { }); // no snapshot comes any more
        Assert.True(session.HasRoom);
    }

    [Fact]
    public void Gradients_pushed_between_the_servers_word_and_its_start_are_sent()
    {
        using WorkerSession session = Begin(new WorkerOptions { Parameters = Parameters, Aggregate = Aggregate.Optimized });
        Assert.True(session.TryPush(new float[Parameters], 1));
        session.Closed(null, "cut");
        session.GoOn(_sink);
        session.Join();
        _sink.Pushes.Clear();
        Deliver(session, new FrameHeader(FrameKind.Admitted), new AdmittedMessage(0, Incarnation: 1, Generation: 1, Resynchronises: true).Write);
        while (session.TryPush(new float[Parameters], 1))
        {
        }

        Assert.Empty(_sink.Pushes); // the server does not take them yet
        Deliver(session, new FrameHeader(FrameKind.Start), new StartMessage(1, Parameters, 1, false, []).Write);
        Assert.Equal([1, 2, 3, 4], _sink.Pushes);
    }

    private WorkerSession Begin(WorkerOptions options)
    {
        var session = new WorkerSession(options, TimeProvider.System, _sink);
        Deliver(session, new FrameHeader(FrameKind.Admitted), new AdmittedMessage(0).Write);
        Deliver(session, new FrameHeader(FrameKind.Start), new StartMessage(1, Parameters, 1, true, []).Write);
        return session;
    }

    private static void Deliver(WorkerSession session, FrameHeader header, Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        header.PayloadLength = (uint)output.WrittenCount;
        session.Received(header, new ReadOnlySequence<byte>(output.WrittenMemory));
    }

    private sealed class Sink : IFrameSink
    {
        public List<ulong> Pushes { get; } = [];

        public string Peer => "test";

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (header.Kind == FrameKind.Push)
                Pushes.Add(header.Sequence);
            return true;
        }

        public void Close()
        {
        }
    }
}
