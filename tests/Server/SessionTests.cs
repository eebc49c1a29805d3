using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>Sessions, loss and recovery where the seeded simulation does not look: with training loops, evaluations, slow readers and unlike workers.</summary>
public sealed class SessionTests
{
    private sealed class Sink(Queue<(FrameHeader, byte[])> to) : IFrameSink
    {
        public string Peer => "x";

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            header.PayloadLength = (uint)payload.Length;
            to.Enqueue((header, payload.ToArray()));
            return true;
        }

        public void Close()
        {
        }
    }

    [Fact]
    public void Workers_go_on_however_slow_the_disk_that_acknowledgements_wait_for()
    {
        var time = new FakeTimeProvider();
        using var state = new DurableState(new SimulatedDisk(1), new SimulatedDisk(2), null, hasThreads: false, time: time);
        var log = new List<string>();
        var server = new ParameterServer(new ServerOptions { Workers = 2, Policy = "async", Evaluates = false, Passes = 1000, LivenessTimeout = TimeSpan.FromDays(1) }, time, 1, state: state) { Log = line => log.Add(line.Text) };
        server.Recover();
        var up = new Queue<(FrameHeader, byte[])>[2];
        var down = new Queue<(FrameHeader, byte[])>[2];
        var peers = new Peer[2];
        var sessions = new WorkerSession[2];
        var loops = new TrainingLoop?[2];
        for (int j = 0; j < 2; j++)
        {
            (up[j], down[j]) = ([], []);
            peers[j] = server.Opened(new Sink(down[j]));
            sessions[j] = new WorkerSession(new WorkerOptions { Rank = j, Parameters = 4, Aggregate = Aggregate.Mean, Weight = 1, LivenessTimeout = TimeSpan.FromDays(1) }, time, new Sink(up[j]));
            sessions[j].Join();
        }

        int steps = 0;
        void Deliver()
        {
            for (int k = 0; k < 20; k++)
            {
                for (int j = 0; j < 2; j++)
                {
                    while (up[j].TryDequeue(out (FrameHeader H, byte[] P) f))
                        server.Received(peers[j], f.H, new ReadOnlySequence<byte>(f.P));
                    while (down[j].TryDequeue(out (FrameHeader H, byte[] P) f))
                        sessions[j].Received(f.H, new ReadOnlySequence<byte>(f.P));
                }
            }
        }

        Deliver();
        for (int round = 0; round < 2000; round++)
        {
            for (int j = 0; j < 2; j++)
            {
                loops[j] ??= new TrainingLoop(sessions[j], new HalvingTask(4), time);
                if (loops[j]!.Next(out _) == NextAction.Step)
                {
                    steps++;
                    loops[j]!.Step();
                }
            }

            server.Tick();
            Deliver();
            time.Advance(TimeSpan.FromMilliseconds(5));
            if (round % 10 == 9) // the disk takes 50 ms for a sync
            {
                while (state.Journal.Work())
                {
                }

                server.JournalAdvanced();
                Deliver();
            }
        }

        Assert.InRange(steps, 300, int.MaxValue); // about four pushes each in 50 ms
        Assert.Null(server.Result().Failure);
    }

    [Fact]
    public void Server_that_ends_in_the_last_evaluation_and_comes_back_trains_on()
    {
        var time = new FakeTimeProvider();
        var (a, b) = (new SimulatedDisk(1), new SimulatedDisk(2));
        var options = new ServerOptions { Workers = 1, Policy = "async", LivenessTimeout = TimeSpan.FromDays(1) };
        var log = new List<string>();
        ParameterServer Begin(ulong life, out DurableState state)
        {
            state = new DurableState(a, b, TimeSpan.FromMilliseconds(100), hasThreads: false, time: time);
            var server = new ParameterServer(options, time, life, state: state) { Log = line => log.Add(line.Text) };
            server.Recover();
            return server;
        }

        Queue<(FrameHeader, byte[])> up = [], down = [];
        ParameterServer server = Begin(1, out DurableState state);
        Peer peer = server.Opened(new Sink(down));
        var session = new WorkerSession(new WorkerOptions { Rank = 0, Parameters = 4, Aggregate = Aggregate.Mean, Weight = 1, LivenessTimeout = TimeSpan.FromDays(1), ReconnectTimeout = TimeSpan.FromDays(1) }, time, new Sink(up));
        session.Join();
        TrainingLoop? loop = null;
        int steps = 0;
        void Go(int rounds, bool acts = true)
        {
            for (int r = 0; r < rounds; r++)
            {
                while (up.TryDequeue(out (FrameHeader H, byte[] P) f))
                    server.Received(peer, f.H, new ReadOnlySequence<byte>(f.P));
                while (down.TryDequeue(out (FrameHeader H, byte[] P) f))
                    session.Received(f.H, new ReadOnlySequence<byte>(f.P));
                server.Tick();
                server.Checkpoint?.Work();
                while (state.Journal.Work())
                {
                }

                server.JournalAdvanced();
                time.Advance(TimeSpan.FromMilliseconds(5));
                if (!acts || session.Started is null)
                    continue;
                loop ??= new TrainingLoop(session, new HalvingTask(4), time);
                NextAction next = loop.Next(out _);
                if (next == NextAction.Step)
                {
                    steps++;
                    loop.Step();
                }
                else if (next == NextAction.Evaluate)
                {
                    loop.Evaluate();
                }
                else if (next == NextAction.Leave)
                {
                    session.Leave("done", default);
                }
            }
        }

        Go(200);
        server.RequestStop("stopped");
        Go(3, acts: false); // the last evaluation is under way
        int before = steps; // and here it dies
        session.Closed(null, "gone");
        state.Dispose();
        up.Clear();
        down.Clear();
        server = Begin(2, out state);
        peer = server.Opened(new Sink(down));
        session.GoOn(new Sink(up));
        session.Join();
        Go(5000);
        Assert.InRange(steps - before, 100, int.MaxValue);
        Assert.False(session.IsFinishing);
        server.RequestStop("stopped");
        Go(200);
        Assert.True(server.HasEnded);
        loop!.Dispose();
        session.Dispose();
        state.Dispose();
    }

    [Fact]
    public void Checkpoint_keeps_what_all_had_agreed_on_when_a_worker_that_needs_less_has_come()
    {
        var time = new FakeTimeProvider();
        var (a, b) = (new SimulatedDisk(1), new SimulatedDisk(2));
        var options = new ServerOptions { Workers = 2, Policy = "async", Evaluates = false, LivenessTimeout = TimeSpan.FromDays(1) };
        var log = new List<string>();
        var state = new DurableState(a, b, TimeSpan.FromMilliseconds(100), hasThreads: false, time: time) { CheckpointInterval = TimeSpan.FromMilliseconds(50) };
        var server = new ParameterServer(options, time, 1, state: state) { Log = line => log.Add(line.Text) };
        server.Recover();
        Peer Join(ulong id, int rank, int parameters)
        {
            Peer peer = server.Opened(new Sink([]));
            var payload = new ArrayBufferWriter<byte>();
            new JoinMessage(rank, parameters, 1, Aggregate.Mean, 1, [], [], Attempt: 1).Write(payload);
            server.Received(peer, new FrameHeader(FrameKind.Join) { Session = id, PayloadLength = (uint)payload.WrittenCount }, new ReadOnlySequence<byte>(payload.WrittenMemory));
            return peer;
        }

        Peer first = Join(1, 0, 10);
        Join(2, 1, 8);
        server.Closed(first, "died");
        Join(3, 0, 7);
        for (int j = 0; j < 400; j++)
        {
            server.Tick();
            server.Checkpoint?.Work();
            while (state.Journal.Work())
            {
            }

            time.Advance(TimeSpan.FromMilliseconds(5));
        }

        state.Dispose();
        log.Clear();
        var again = new DurableState(a, b, TimeSpan.FromMilliseconds(100), hasThreads: false, time: time);
        var second = new ParameterServer(options, time, 2, state: again) { Log = line => log.Add(line.Text) };
        Assert.True(second.Recover(), string.Join(" / ", log));
        Assert.Contains(log, line => line.Contains("recovered from checkpoint", StringComparison.Ordinal));
        Assert.Equal(10, second.Sum.Length);
        again.Dispose();
    }

    private sealed class SlowSink : IFrameSink
    {
        public bool IsSlow { get; set; }

        public List<FrameHeader> Got { get; } = [];

        public string Peer => "x";

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            Got.Add(header);
            return !IsSlow;
        }

        public void Close()
        {
        }
    }

    [Fact]
    public void Welcome_that_finds_no_memory_comes_when_there_is_some()
    {
        var time = new FakeTimeProvider();
        var options = new ServerOptions { Workers = 4, Policy = "async", Evaluates = false, LivenessTimeout = TimeSpan.FromDays(1), MostChunkKeys = 3 };
        var log = new List<string>();
        var server = new ParameterServer(options, time, 1) { Log = line => log.Add(line.Text) };
        (Peer, SlowSink) Join(ulong id, int rank)
        {
            var sink = new SlowSink();
            Peer peer = server.Opened(sink);
            var payload = new ArrayBufferWriter<byte>();
            new JoinMessage(rank, 10, 1, Aggregate.Mean, 1, [], [], Attempt: 1).Write(payload);
            server.Received(peer, new FrameHeader(FrameKind.Join) { Session = id, PayloadLength = (uint)payload.WrittenCount }, new ReadOnlySequence<byte>(payload.WrittenMemory));
            return (peer, sink);
        }

        void Push(Peer peer, ulong id, ulong sequence)
        {
            for (int key = 0; key < 10; key += 3)
            {
                int count = Math.Min(3, 10 - key);
                var header = new FrameHeader(FrameKind.Push) { Session = id, Sequence = sequence, Codec = CodecId.Fp32, KeyBegin = (ulong)key, KeyCount = (uint)count, PassesQ8 = 256, PayloadLength = (uint)(4 * count), Flags = key == 9 ? FrameFlags.Last : FrameFlags.None };
                server.Received(peer, header, new ReadOnlySequence<byte>(new byte[4 * count]));
            }
        }

        void Pull(Peer peer, ulong id) => server.Received(peer, new FrameHeader(FrameKind.Pull) { Session = id }, default);

        (Peer a, SlowSink sa) = Join(1, 0);
        (Peer b, SlowSink sb) = Join(2, 1);
        (Peer c, _) = Join(3, 2);
        (Peer d, _) = Join(4, 3);
        Push(c, 3, 1);
        sa.IsSlow = true;
        Pull(a, 1);
        Push(c, 3, 2);
        sb.IsSlow = true;
        Pull(b, 2);
        Push(c, 3, 3);
        server.Closed(d, "died");
        (_, SlowSink sd) = Join(5, 3);
        int before = sd.Got.FindAll(h => h.Kind == FrameKind.Snapshot && !h.Flags.Has(FrameFlags.Own)).Count;
        (sa.IsSlow, sb.IsSlow) = (false, false);
        for (int j = 0; j < 1000; j++)
        {
            server.Writable(a);
            server.Writable(b);
            if (j % 10 == 0)
            {
                Push(c, 3, 4 + ((ulong)j / 10));
                Pull(a, 1);
                Pull(b, 2);
            }

            server.Tick();
            time.Advance(TimeSpan.FromMilliseconds(50));
        }

        Assert.Equal(0, before); // two readers hold what there is
        Assert.NotEmpty(sd.Got.FindAll(h => h.Flags.Has(FrameFlags.Own)));
        Assert.NotEmpty(sd.Got.FindAll(h => h.Kind == FrameKind.Snapshot && !h.Flags.Has(FrameFlags.Own)));
    }

    [Fact]
    public void Evicted_the_last_worker_that_counts_is_waited_for()
    {
        var time = new FakeTimeProvider();
        var options = new ServerOptions { Workers = 2, Policy = "async", Evaluates = false, OnWorkerLoss = WorkerLoss.Evict, Passes = 1000, LivenessTimeout = TimeSpan.FromSeconds(2) };
        var log = new List<string>();
        var server = new ParameterServer(options, time, 1) { Log = line => log.Add(line.Text) };
        Peer Join(ulong id, int rank)
        {
            Peer peer = server.Opened(new SlowSink());
            var payload = new ArrayBufferWriter<byte>();
            new JoinMessage(rank, 2, 1, Aggregate.Mean, 1, [], [], Attempt: 1).Write(payload);
            server.Received(peer, new FrameHeader(FrameKind.Join) { Session = id, PayloadLength = (uint)payload.WrittenCount }, new ReadOnlySequence<byte>(payload.WrittenMemory));
            return peer;
        }

        void Push(Peer peer, ulong id, ulong sequence)
        {
            var header = new FrameHeader(FrameKind.Push) { Session = id, Sequence = sequence, Codec = CodecId.Fp32, KeyCount = 2, PassesQ8 = 256, PayloadLength = 8, Flags = FrameFlags.Last };
            server.Received(peer, header, new ReadOnlySequence<byte>(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(new float[] { 1, 1 }).ToArray()));
        }

        Peer a = Join(1, 0), b = Join(2, 1);
        Push(a, 1, 1);
        Push(b, 2, 1);
        server.Closed(a, "died");
        for (int j = 0; j < 300; j++)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            server.Received(b, new FrameHeader(FrameKind.Heartbeat) { Session = 2 }, default);
            server.Tick();
        }

        Peer again = Join(3, 0);
        server.Refuse(b, "it died");
        server.Tick();
        server.Tick();
        Assert.False(server.HasEnded); // the other has pushed nothing yet: without this one there is no model
        Assert.Contains(log, line => line.Contains("The job holds", StringComparison.Ordinal));
        Push(again, 3, 1);
        Assert.NotEqual("passes", server.Result().Reason);
    }
}
