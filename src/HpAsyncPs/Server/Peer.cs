using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>One connection to the server, and the session that goes over it once it is admitted.</summary>
public sealed class Peer
{
    private readonly IFrameSink _sink;

    internal Peer(IFrameSink sink, long now)
    {
        _sink = sink;
        OpenedAt = now;
        HeardAt = now;
    }

    /// <summary>The other end, for messages.</summary>
    public string Address => _sink.Peer;

    /// <summary>The session that goes over it; null before admission, and when another connection has taken it over.</summary>
    public Session? Session { get; internal set; }

    internal long OpenedAt { get; }

    internal long HeardAt { get; set; }

    internal bool IsClosed { get; private set; }

    /// <summary>The connection takes no more until it says that it is writable: no snapshot is begun or gone on with.</summary>
    internal bool IsFull { get; set; }

    /// <summary>Bytes received before there was a session, headers included.</summary>
    internal long EarlyBytes { get; set; }

    /// <summary>It may be on another host.</summary>
    internal bool HasLink => _sink.HasLink;

    /// <summary>What the link to it takes.</summary>
    internal double BytesPerSecond => _sink.BytesPerSecond;

    /// <summary>TCP segments that were sent to it again.</summary>
    internal long RetransmittedSegments => _sink.RetransmittedSegments;

    /// <param name="header">Of the frame.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="followed">Another frame follows at once.</param>
    internal void Send(in FrameHeader header, ReadOnlySpan<byte> payload, bool followed)
    {
        if (!(followed ? _sink.SendFollowed(header, payload) : _sink.Send(header, payload)))
            IsFull = true;
    }

    internal void Close()
    {
        IsClosed = true;
        _sink.Close();
    }
}
