using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>What a server lets strangers cost it.</summary>
public sealed record GateLimits
{
    /// <summary>Most connections at a time, admitted or not; null: the workers and <see cref="Spare"/>.</summary>
    public int? Connections { get; init; }

    /// <summary>Most connections at a time that are not admitted; null: as many as the workers, who may come all at once and from far away, and <see cref="Spare"/> at least.</summary>
    public int? HalfOpen { get; init; }

    /// <summary>How long a connection may take until it is admitted.</summary>
    public TimeSpan HandshakeTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most payload bytes of a frame before admission.</summary>
    public int FirstFrameBytes { get; init; } = Limits.ControlBytes;

    /// <summary>Most bytes of memory that a connection holds once admitted; null: what the chunks of the job need, see <see cref="Connection.MostBlocks(int)"/>.</summary>
    public long? BytesOfPeer { get; init; }

    /// <summary>Handshakes of one address that may fail in a minute; after that nobody is let in from there until the minute is over.</summary>
    public int FailedHandshakes { get; init; } = 30;

    /// <summary>Connections beyond the workers, where nobody says otherwise.</summary>
    public const int Spare = 64;

    /// <summary>Most connections at a time of a job with so many workers.</summary>
    public int ConnectionsFor(int workers) => Connections ?? workers + Spare;

    /// <summary>Most connections at a time that are not admitted, of a job with so many workers.</summary>
    public int HalfOpenFor(int workers) => HalfOpen ?? Math.Max(workers, Spare);
}
