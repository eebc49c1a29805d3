using System;
using System.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Simulation;

/// <summary>
/// One direction of a link. Takes every message at once and sends one after the other; each is the bytes of a whole frame. With ends, both of
/// them and the server's link have to take it as well.
/// </summary>
/// <param name="peer">Name of the other end.</param>
/// <param name="speed">Of this direction.</param>
/// <param name="use">Counts when the link is in use, either way.</param>
/// <param name="clock">The clock.</param>
/// <param name="events">Where time passes.</param>
internal sealed class Direction(string peer, LinkSpeed speed, BusyTime use, VirtualClock clock, EventQueue events) : IFrameSink
{
    private long _freeAt;
    private bool _closed;

    /// <summary>Who takes what arrives.</summary>
    public required Action<FrameHeader, ReadOnlySequence<byte>> Arrived { get; init; }

    /// <summary>What messages take besides this link; null: nothing.</summary>
    public Ends? Ends { get; init; }

    /// <inheritdoc/>
    public string Peer => peer;

    /// <summary>Messages that were sent.</summary>
    public long Messages { get; private set; }

    /// <summary>Their bytes, frame headers included.</summary>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public bool HasLink => double.IsFinite(BytesPerSecond);

    /// <inheritdoc/>
    public double BytesPerSecond => Math.Min(speed.BytesPerSecond, Ends?.BytesPerSecond ?? double.PositiveInfinity);

    private long Latency => speed.Latency.Ticks * VirtualClock.NanosecondsPerTick;

    /// <inheritdoc/>
    public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_closed)
            return true;
        var frame = new ArrayBufferWriter<byte>(FrameHeader.Bytes + payload.Length);
        FrameWriter.Write(frame, header, payload);
        Messages++;
        Bytes += frame.WrittenCount;
        long time = speed.TransferTime(frame.WrittenCount);
        if (Ends is { } ends)
        {
            ends.Send(header, frame.WrittenCount, () => Transfer(ends, header, frame.WrittenMemory, time));
            return true;
        }

        long start = Math.Max(_freeAt, clock.Now);
        _freeAt = VirtualClock.Sum(start, time);
        use.Add(start, _freeAt);
        events.Add(VirtualClock.Sum(_freeAt, Latency), () => Deliver(frame.WrittenMemory));
        return true;
    }

    /// <inheritdoc/>
    public void Close() => _closed = true;

    /// <summary>It has left its sender. What one of the two links takes, the other takes at the same time, as packets go on one by one.</summary>
    private void Transfer(Ends ends, FrameHeader header, ReadOnlyMemory<byte> frame, long time)
    {
        if (!ends.IsUp)
        {
            long all = ends.ServerTime(frame.Length), left = ends.ServerLink.Take(all), from = Math.Max(_freeAt, left - all);
            long sent = VirtualClock.Sum(from, time);
            _freeAt = Math.Max(left, sent);
            use.Add(from, sent);
            Arrive(ends, header, frame, _freeAt);
            return;
        }

        long start = Math.Max(_freeAt, clock.Now);
        _freeAt = VirtualClock.Sum(start, time);
        use.Add(start, _freeAt);
        long end = _freeAt;
        events.Add(start, () => Arrive(ends, header, frame, Math.Max(end, ends.ServerLink.Take(ends.ServerTime(frame.Length)))));
    }

    private void Arrive(Ends ends, FrameHeader header, ReadOnlyMemory<byte> frame, long at) =>
        events.Add(VirtualClock.Sum(at, Latency), () => ends.Receive(header, frame.Length, () => Deliver(frame)));

    private void Deliver(ReadOnlyMemory<byte> bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        if (!FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload))
            throw new InvalidOperationException("A message is a whole frame.");
        Arrived(header, payload);
    }
}
