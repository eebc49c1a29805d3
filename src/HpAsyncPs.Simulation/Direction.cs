using System;
using System.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Simulation;

/// <summary>
/// One direction of a link. Takes every message at once and sends one after the other; each is the bytes of a whole frame.
/// </summary>
internal sealed class Direction(string peer, LinkSpeed speed, VirtualClock clock, EventQueue events) : IFrameSink
{
    private long _freeAt;
    private bool _closed;

    /// <summary>Who takes what arrives.</summary>
    public required Action<FrameHeader, ReadOnlySequence<byte>> Arrived { get; init; }

    /// <inheritdoc/>
    public string Peer => peer;

    /// <summary>Messages that were sent.</summary>
    public long Messages { get; private set; }

    /// <summary>Their bytes, frame headers included.</summary>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public bool HasLink => double.IsFinite(speed.BytesPerSecond);

    /// <inheritdoc/>
    public double BytesPerSecond => speed.BytesPerSecond;

    /// <inheritdoc/>
    public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_closed)
            return true;
        var frame = new ArrayBufferWriter<byte>(FrameHeader.Bytes + payload.Length);
        FrameWriter.Write(frame, header, payload);
        Messages++;
        Bytes += frame.WrittenCount;
        _freeAt = Math.Max(_freeAt, clock.Now) + speed.TransferTime(frame.WrittenCount);
        events.Add(_freeAt + (speed.Latency.Ticks * VirtualClock.NanosecondsPerTick), () => Deliver(frame.WrittenMemory));
        return true;
    }

    /// <inheritdoc/>
    public void Close() => _closed = true;

    private void Deliver(ReadOnlyMemory<byte> bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        if (!FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload))
            throw new InvalidOperationException("A message is a whole frame.");
        Arrived(header, payload);
    }
}
