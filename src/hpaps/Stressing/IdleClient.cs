using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>A worker that joins, says that it is alive, and does nothing else, or has a push of zeros acknowledged now and then. On the loop's thread.</summary>
internal sealed class IdleClient : IFrameHandler
{
    private readonly StressJob _job;
    private readonly TimeSpan? _interval;
    private readonly float[] _zeros;
    private readonly TimeProvider _time;
    private readonly IFrameSink _sink;
    private readonly ulong _session;
    private bool _isAdmitted;
    private long _heardAt;
    private long _saidAt;
    private long _pushAt;
    private ulong _pushed;
    private ulong _version;

    /// <param name="job">What it joins.</param>
    /// <param name="interval">How often it pushes; null: never.</param>
    /// <param name="session">Its number.</param>
    /// <param name="time">The clock.</param>
    /// <param name="sink">Where frames go.</param>
    public IdleClient(StressJob job, TimeSpan? interval, ulong session, TimeProvider time, IFrameSink sink)
    {
        (_job, _interval, _zeros) = (job, interval, interval is null ? [] : new float[job.Parameters]);
        _session = session;
        _time = time;
        _sink = sink;
        _heardAt = time.GetTimestamp();
    }

    /// <summary>It has left, or failed.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Why it failed, or null.</summary>
    public string? Failure { get; private set; }

    /// <summary>When training began; 0: it has not.</summary>
    public long StartedAt { get; private set; }

    /// <summary>Pushes that the server has acknowledged.</summary>
    public ulong Acknowledged { get; private set; }

    /// <summary>Asks for admission.</summary>
    public void Join() => Send(FrameKind.Join, StressClient.JoinPayload(_job));

    /// <summary>Says that it is alive, and looks whether the server is.</summary>
    public void Tick(long now)
    {
        if (HasEnded)
            return;
        if (_time.GetElapsedTime(_heardAt, now) > StressClient.LivenessTimeout)
            Fail($"nothing was heard of the server for {StressClient.LivenessTimeout.TotalSeconds:0} s");
        else if (_isAdmitted && _time.GetElapsedTime(_saidAt, now) > StressClient.HeartbeatInterval)
            Send(FrameKind.Heartbeat, []);
        if (_interval is { } interval && StartedAt > 0 && Acknowledged == _pushed && _time.GetElapsedTime(_pushAt, now) >= interval)
            Push(now);
    }

    public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        _heardAt = _time.GetTimestamp();
        switch (header.Kind)
        {
            case FrameKind.Admitted:
                _isAdmitted = true;
                break;
            case FrameKind.Start:
                StartedAt = _heardAt;
                _pushAt = _heardAt - (long)(Random.Shared.NextDouble() * (_interval?.TotalSeconds ?? 0) * _time.TimestampFrequency); // not all at the same moment
                break;
            case FrameKind.Acknowledged when _interval is not null:
                (Acknowledged, _version) = (header.Sequence, header.ShardVersion);
                break;
            case FrameKind.Heartbeat:
                break;
            case FrameKind.Refused or FrameKind.Stop:
                Fail($"the server ended the job: {TextMessage.Read(payload).Text}");
                break;
            default:
                throw new ProtocolException($"A server does not send {header.Kind} to a worker that asks for nothing.");
        }
    }

    public void Violated(string reason, FrameFault fault) => Fail($"what the server sends cannot be read: {reason}");

    public void Writable()
    {
        // It has nothing more to say.
    }

    public void Closed(string? reason) => Fail($"the connection to the server was lost: {reason ?? "it closed it"}");

    public void Leave()
    {
        if (HasEnded)
            return;
        var output = new ArrayBufferWriter<byte>();
        new TextMessage(Failure is null ? "done" : "failed").Write(output);
        Send(FrameKind.Leave, output.WrittenSpan);
        HasEnded = true;
        _sink.Close();
    }

    private void Fail(string failure)
    {
        if (HasEnded)
            return;
        Failure = failure;
        Leave();
    }

    private void Push(long now)
    {
        _pushAt = now;
        Send(new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, Flags = FrameFlags.Last, Sequence = ++_pushed, ShardVersion = _version, KeyCount = (uint)_zeros.Length }, MemoryMarshal.AsBytes(_zeros.AsSpan()));
    }

    private void Send(FrameKind kind, ReadOnlySpan<byte> payload) => Send(new FrameHeader(kind), payload);

    private void Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        _saidAt = _time.GetTimestamp();
        header.Session = _session;
        _sink.Send(header, payload);
    }
}
