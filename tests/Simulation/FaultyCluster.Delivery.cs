using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <content>Messages as they arrive, and what the ledgers learn from them.</content>
internal sealed partial class FaultyCluster
{
    private void Deliver()
    {
        if (_links.Count == 0)
            return;
        FaultyLink link = _links[_random.Next(_links.Count)];
        if (link.IsBlocked)
            return;
        if (_random.Next(2) == 0)
            DeliverUp(link);
        else
            DeliverDown(link);
        if (link.IsOver)
            _links.Remove(link);
    }

    private void DeliverUp(FaultyLink link)
    {
        if (!link.Up.TryDequeue(out byte[]? bytes))
        {
            if (link.UpEnds && link.Peer is { } gone)
            {
                link.Peer = null;
                _server?.Closed(gone, "cut");
            }

            return;
        }

        if (link.Peer is null || link.Server != _server)
            return;
        var buffer = new ReadOnlySequence<byte>(bytes);
        Assert.True(FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload));
        if (header.Kind == FrameKind.Push && _random.Next(8) == 0)
            Duplicate(link, header, payload);
        if (_planted == Planted.ForgottenChunk && header.Kind == FrameKind.Push && !_hasForgotten && Pushes > 20)
        {
            _hasForgotten = true;
            payload = new ReadOnlySequence<byte>(new byte[payload.Length]);
        }

        _server!.Received(link.Peer, header, payload);
    }

    /// <summary>A chunk comes a second time; a server that does not look at its number would apply it as the next push.</summary>
    private void Duplicate(FaultyLink link, FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        _server!.Received(link.Peer!, header, payload);
        if (_planted == Planted.NoDeduplication && header.Flags.Has(FrameFlags.Last) && link.Peer is { IsClosed: false })
        {
            // What such a server would do with a whole push: all its chunks, with the number that it expects next.
            int rank = link.Rank;
            header.Sequence = _server.StandOf(rank).Sequence + 1;
            for (int key = 0; key < Parameters; key += ChunkKeys)
            {
                header.KeyBegin = (ulong)key;
                header.KeyCount = (uint)Math.Min(ChunkKeys, Parameters - key);
                header.PayloadLength = header.KeyCount * sizeof(float);
                header.Codec = CodecId.Fp32;
                header.Flags = key + ChunkKeys >= Parameters ? FrameFlags.Last : FrameFlags.None;
                byte[] ones = new byte[header.PayloadLength];
                MemoryMarshal.Cast<byte, float>(ones.AsSpan()).Fill(1);
                _server.Received(link.Peer, header, new ReadOnlySequence<byte>(ones));
            }
        }
    }

    private void DeliverDown(FaultyLink link)
    {
        Machine machine = _machines[link.Rank];
        if (!link.Down.TryDequeue(out byte[]? bytes))
        {
            if (link.DownEnds && !link.IsTold)
            {
                link.IsTold = true;
                if (machine.Session == link.Worker)
                    link.Worker.Closed(link.WorkerSink, "cut");
            }

            return;
        }

        if (machine.Session != link.Worker || link.WorkerSink.IsClosed)
            return;
        var buffer = new ReadOnlySequence<byte>(bytes);
        Assert.True(FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload));
        if (link.IsNewest)
            Receive(link, machine, header, payload);
    }

    private void Receive(FaultyLink link, Machine machine, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        WorkerSession session = link.Worker;
        Ledger ledger = _ledgers[link.Rank];
        float[] before = session.Started is null ? new float[Parameters] : session.Reconstruction.ToArray();
        AdmittedMessage? admitted = header.Kind == FrameKind.Admitted ? AdmittedMessage.Read(payload) : null;
        session.Received(header, payload);
        if (admitted is not null)
        {
            ledger.Hear((header.Session, admitted.Generation));
            machine.Known = session.Pushed;
            Resynchronisations += admitted.Resynchronises ? 1 : 0;
        }

        if (session.Pushed > machine.Known)
        {
            // It has pushed by itself: the difference between its vector and what the server told. A new process has no vector.
            Assert.True(machine.HasPushed, "a worker without a vector of its own has pushed over the one that the server told");
            machine.Known = session.Pushed;
            float[] told = ledger.Told(session.Pushed - 1) ?? throw new InvalidOperationException("the ledger is not at what was told");
            float[] delta = new float[Parameters];
            for (int j = 0; j < Parameters; j++)
                delta[j] = before[j] - told[j];
            ledger.Push(session.Pushed, delta);
        }

        machine.HasPushed |= header.Flags.Has(FrameFlags.Own) && header.Flags.Has(FrameFlags.Last); // what it was told is its own now
        if (header.Kind == FrameKind.Acknowledged)
            ledger.Acknowledged = Math.Max(ledger.Acknowledged, header.Sequence);
    }

    /// <summary>Called with what the server sends, before anything else happens.</summary>
    private void Sent(FaultyLink link, in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Kind != FrameKind.Admitted)
            return;
        AdmittedMessage message = AdmittedMessage.Read(new ReadOnlySequence<byte>(payload.ToArray()));
        (ulong, ulong) life = (header.Session, message.Generation);
        if (message.Resynchronises || _server!.Sum.Length == 0 || !_ledgers[link.Rank].IsIn(life))
            _ledgers[link.Rank].Begin(VectorOf(link.Rank), message.Sequence, life);
    }

    /// <summary>A rank's vector at the server; where gradients are summed there is none, and what was pushed counts.</summary>
    private float[] VectorOf(int rank)
    {
        if (!IsSum)
            return _server!.ReconstructionOf(rank) is { Length: > 0 } known ? known.ToArray() : new float[Parameters];
        if (_server!.Sum.Length == 0)
            return new float[Parameters];
        float[] rest = new float[Parameters];
        for (int j = 0; j < Parameters; j++)
            rest[j] = (float)_server.Sum[j];
        for (int other = 0; other < Workers; other++)
        {
            (ulong at, int next, _) = _server.StandOf(other);
            if (other == rank || _ledgers[other].At(at, next) is not { } its)
                continue;
            for (int j = 0; j < Parameters; j++)
                rest[j] -= its[j];
        }

        return rest;
    }
}
