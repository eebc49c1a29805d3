using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Worker;

public sealed class ReentrantSinkTests
{
    private const int Parameters = (3 * Limits.ChunkParameters) + 5;

    [Fact]
    public void TryPush_sink_that_is_writable_again_from_inside_Send_gets_every_chunk_once_and_in_order()
    {
        var sink = new Sink();
        using var session = new WorkerSession(new WorkerOptions { Parameters = Parameters }, TimeProvider.System, sink);
        sink.Session = session;
        Deliver(session, FrameKind.Admitted, new AdmittedMessage(0).Write);
        Deliver(session, FrameKind.Start, new StartMessage(1, Parameters, 1, false, []).Write);
        Assert.True(session.TryPush(new float[Parameters], 1));
        Assert.True(session.TryPush(new float[Parameters], 2));
        Assert.Equal([(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3)], sink.Chunks);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Parameters - 1)]
    [InlineData(Parameters + 1)]
    public void TryPush_of_a_vector_of_another_length_throws_and_does_nothing(int length)
    {
        var sink = new Sink();
        using var session = new WorkerSession(new WorkerOptions { Parameters = Parameters }, TimeProvider.System, sink);
        sink.Session = session;
        Deliver(session, FrameKind.Admitted, new AdmittedMessage(0).Write);
        Deliver(session, FrameKind.Start, new StartMessage(1, Parameters, 1, false, []).Write);
        Assert.Throws<ArgumentException>(() => session.TryPush(new float[length], 1));
        Assert.Empty(sink.Chunks);
        Assert.Equal(0UL, session.Pushed);
        Assert.True(session.TryPush(new float[Parameters], 1));
        Assert.Equal(4, sink.Chunks.Count);
    }

    private static void Deliver(WorkerSession session, FrameKind kind, Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        session.Received(new FrameHeader(kind) { PayloadLength = (uint)output.WrittenCount }, new ReadOnlySequence<byte>(output.WrittenMemory));
    }

    private sealed class Sink : IFrameSink
    {
        public List<(int Push, int Chunk)> Chunks { get; } = [];

        public WorkerSession? Session { get; set; }

        public string Peer => "test";

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (header.Kind == FrameKind.Push)
                Chunks.Add(((int)header.Sequence, (int)(header.KeyBegin / Limits.ChunkParameters)));
            Session?.Writable();
            return true;
        }

        public void Close()
        {
        }
    }
}
