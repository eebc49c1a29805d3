using System;
using System.Buffers;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Server.Policies;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// An in-memory network between one server and its workers: every message is bytes, every link keeps its order, and which
/// link delivers next is drawn from a seed. Pushes can be delivered a second time, later.
/// </summary>
internal sealed class SeededNetwork
{
    private readonly Random _random;
    private readonly double _duplicates;
    private readonly List<Link> _links = [];

    public SeededNetwork(int seed, double duplicates, ServerOptions options, TimeProvider time, IPolicy? policy = null, DurableState? state = null)
    {
        _random = new Random(seed);
        _duplicates = duplicates;
        Server = new ParameterServer(options, time, 1UL << 32, policy, state) { Log = line => Log.Add(line.Text) };
        Server.Recover();
    }

    public List<string> Log { get; } = [];

    public ParameterServer Server { get; }

    /// <summary>Links so far; the newest has the highest number.</summary>
    public int Links => _links.Count;

    public int Delivered { get; private set; }

    public int Duplicated { get; private set; }

    /// <summary>How often, at random, a connection takes no more until everything that is under way on it has arrived.</summary>
    public double Fullness { get; init; }

    public WorkerSession Connect(WorkerOptions options, TimeProvider time, object? gate = null)
    {
        _links.Add(new Link());
        return Connect(_links.Count - 1, options, time, gate);
    }

    /// <summary>Another process takes the place of the one at a link, which is cut.</summary>
    public WorkerSession Replace(int link, WorkerOptions options, TimeProvider time)
    {
        CutSome(link);
        _links[link] = new Link();
        return Connect(link, options, time);
    }

    /// <summary>A link is cut, with some of what is under way, and the worker goes on over another one.</summary>
    public void Reconnect(int link)
    {
        WorkerSession worker = _links[link].Worker!;
        CutSome(link);
        worker.Closed(null, "cut");
        var next = new Link { Worker = worker };
        _links[link] = next;
        next.Peer = Server.Opened(new Sink(next.Down, $"worker-{link}", IsFull));
        worker.GoOn(new Sink(next.Up, "server", IsFull));
        worker.Join();
    }

    private WorkerSession Connect(int at, WorkerOptions options, TimeProvider time, object? gate = null)
    {
        Link link = _links[at];
        link.Peer = Server.Opened(new Sink(link.Down, $"worker-{at}", IsFull));
        link.Worker = new WorkerSession(options, time, new Sink(link.Up, "server", IsFull), gate);
        link.Worker.Join();
        return link.Worker;
    }

    private bool IsFull() => Fullness > 0 && _random.NextDouble() < Fullness;

    private void CutSome(int at)
    {
        Link link = _links[at];
        for (int arriving = _random.Next(link.Up.Count + 1); arriving > 0; arriving--)
            DeliverUp(link);
        for (int arriving = _random.Next(link.Down.Count + 1); arriving > 0; arriving--)
            DeliverDown(link);
        link.Up.Clear();
        link.Down.Clear();
        Server.Closed(link.Peer!, "cut");
    }

    /// <summary>A worker's process has gone, with what was under way; nobody starts it again.</summary>
    /// <param name="link">Its connection.</param>
    /// <param name="rank">Its rank.</param>
    public void Kill(int link, int rank)
    {
        _links[link].Up.Clear();
        _links[link].Down.Clear();
        Server.GiveUp(rank, "it was killed");
        Server.Closed(_links[link].Peer!, "it was killed");
    }

    /// <summary>The same, but nobody says that it will not return.</summary>
    public void Cut(int link)
    {
        _links[link].Up.Clear();
        _links[link].Down.Clear();
        Server.Closed(_links[link].Peer!, "it was cut off");
    }

    /// <summary>Delivers one message of a link drawn by chance. False when nothing is under way.</summary>
    public bool DeliverOne()
    {
        if (_links.Count == 0)
            return false;
        int start = _random.Next(_links.Count * 2);
        for (int j = 0; j < _links.Count * 2; j++)
        {
            int which = (start + j) % (_links.Count * 2);
            Link link = _links[which / 2];
            if (which % 2 == 0 ? DeliverUp(link) : DeliverDown(link))
            {
                Delivered++;
                return true;
            }
        }

        return false;
    }

    public void DeliverAll()
    {
        while (DeliverOne())
        {
        }
    }

    private bool DeliverUp(Link link)
    {
        if (!link.Up.TryDequeue(out byte[]? bytes))
            return false;
        var buffer = new ReadOnlySequence<byte>(bytes);
        if (!FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload))
            throw new InvalidOperationException("A message is a whole frame.");
        if (header.Kind == FrameKind.Push && _random.NextDouble() < _duplicates)
        {
            Duplicated++;
            link.Up.Enqueue(bytes);
        }

        Server.Received(link.Peer!, header, payload);
        if (Fullness > 0 && link.Up.Count == 0)
            link.Worker!.Writable();
        return true;
    }

    private bool DeliverDown(Link link)
    {
        if (!link.Down.TryDequeue(out byte[]? bytes))
            return false;
        var buffer = new ReadOnlySequence<byte>(bytes);
        if (!FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload))
            throw new InvalidOperationException("A message is a whole frame.");
        link.Worker!.Received(header, payload);
        if (Fullness > 0 && link.Down.Count == 0 && !link.Peer!.IsClosed)
            Server.Writable(link.Peer);
        return true;
    }

    private sealed class Link
    {
        public Queue<byte[]> Up { get; } = [];

        public Queue<byte[]> Down { get; } = [];

        public Peer? Peer { get; set; }

        public WorkerSession? Worker { get; set; }
    }

    private sealed class Sink(Queue<byte[]> queue, string peer, Func<bool> isFull) : IFrameSink
    {
        private bool _closed;

        public string Peer => peer;

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (_closed)
                return true;
            var output = new ArrayBufferWriter<byte>(FrameHeader.Bytes + payload.Length);
            FrameWriter.Write(output, header, payload);
            queue.Enqueue(output.WrittenSpan.ToArray());
            return !isFull();
        }

        public void Close() => _closed = true;
    }
}
