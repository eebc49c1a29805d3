using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>One connection in memory: each direction keeps its order, and can end at any message.</summary>
internal sealed class FaultyLink
{
    public delegate void Observer(FaultyLink link, in FrameHeader header, ReadOnlySpan<byte> payload);

    public FaultyLink(int rank, int number, int life, ParameterServer server, Observer sent)
    {
        (Rank, Number, Life, Server) = (rank, number, life, server);
        ServerSink = new Sink(this, Down, $"worker-{rank}.{number}", sent);
        WorkerSink = new Sink(this, Up, "server", null);
    }

    public int Rank { get; }

    public int Number { get; }

    /// <summary>Of the server.</summary>
    public int Life { get; }

    public ParameterServer Server { get; }

    public Peer? Peer { get; set; }

    public WorkerSession Worker { get; set; } = null!;

    public Sink ServerSink { get; }

    public Sink WorkerSink { get; }

    public Queue<byte[]> Up { get; } = [];

    public Queue<byte[]> Down { get; } = [];

    /// <summary>The worker has no later one.</summary>
    public bool IsNewest { get; set; } = true;

    public bool IsBlocked { get; set; }

    /// <summary>Nothing more gets in.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The server notices that it has ended, when what is under way has arrived.</summary>
    public bool UpEnds { get; set; }

    /// <summary>The worker notices.</summary>
    public bool DownEnds { get; set; }

    /// <summary>The worker has noticed.</summary>
    public bool IsTold { get; set; }

    public bool IsOver => Up.Count == 0 && Down.Count == 0 && (Peer is null || (IsCut && !UpEnds)) && (IsTold || (IsCut && !DownEnds));

    public void Cut(Random random)
    {
        if (IsCut)
            return;
        IsCut = true;
        Keep(Up, random.Next(Up.Count + 1));
        Keep(Down, random.Next(Down.Count + 1));
        UpEnds |= random.Next(3) > 0;
        DownEnds |= random.Next(3) > 0;
    }

    private static void Keep(Queue<byte[]> queue, int count)
    {
        byte[][] all = [.. queue];
        queue.Clear();
        for (int j = 0; j < count; j++)
            queue.Enqueue(all[j]);
    }

    internal sealed class Sink(FaultyLink link, Queue<byte[]> queue, string peer, Observer? sent) : IFrameSink
    {
        public string Peer => peer;

        public bool IsClosed { get; private set; }

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (IsClosed)
                return true;
            sent?.Invoke(link, header, payload);
            if (link.IsCut)
                return true;
            var output = new ArrayBufferWriter<byte>(FrameHeader.Bytes + payload.Length);
            FrameWriter.Write(output, header, payload);
            queue.Enqueue(output.WrittenSpan.ToArray());
            return true;
        }

        public void Close()
        {
            IsClosed = true;
            if (queue == link.Up)
                link.UpEnds = true;
            else
                link.DownEnds = true;
        }
    }
}
