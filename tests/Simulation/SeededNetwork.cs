using System;
using System.Buffers;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
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

    public SeededNetwork(int seed, double duplicates, ServerOptions options, TimeProvider time, IPolicy? policy = null)
    {
        _random = new Random(seed);
        _duplicates = duplicates;
        Server = new ParameterServer(options, time, 1UL << 32, policy) { Log = Log.Add };
    }

    public List<string> Log { get; } = [];

    public ParameterServer Server { get; }

    /// <summary>Links so far; the newest has the highest number.</summary>
    public int Links => _links.Count;

    public int Delivered { get; private set; }

    public int Duplicated { get; private set; }

    public WorkerSession Connect(WorkerOptions options, TimeProvider time)
    {
        var link = new Link();
        _links.Add(link);
        link.Peer = Server.Opened(new Sink(link.Down, $"worker-{_links.Count - 1}"));
        link.Worker = new WorkerSession(options, time, new Sink(link.Up, "server"));
        link.Worker.Join();
        return link.Worker;
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
        return true;
    }

    private static bool DeliverDown(Link link)
    {
        if (!link.Down.TryDequeue(out byte[]? bytes))
            return false;
        var buffer = new ReadOnlySequence<byte>(bytes);
        if (!FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload))
            throw new InvalidOperationException("A message is a whole frame.");
        link.Worker!.Received(header, payload);
        return true;
    }

    private sealed class Link
    {
        public Queue<byte[]> Up { get; } = [];

        public Queue<byte[]> Down { get; } = [];

        public Peer? Peer { get; set; }

        public WorkerSession? Worker { get; set; }
    }

    private sealed class Sink(Queue<byte[]> queue, string peer) : IFrameSink
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
            return true;
        }

        public void Close() => _closed = true;
    }
}
