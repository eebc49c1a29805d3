using System;
using System.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>A worker that joins, says that it is alive, and does nothing else. On the loop's thread.</summary>
internal sealed class IdleClient : IFrameHandler
{
    private readonly TimeProvider _time;
    private readonly IFrameSink _sink;
    private readonly ulong _session;
    private bool _isAdmitted;
    private long _heardAt;
    private long _saidAt;

    public IdleClient(ulong session, TimeProvider time, IFrameSink sink)
    {
        _session = session;
        _time = time;
        _sink = sink;
        _heardAt = time.GetTimestamp();
    }

    /// <summary>It has left, or failed.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Why it failed, or null.</summary>
    public string? Failure { get; private set; }

    /// <summary>Asks for admission. Before the loop starts.</summary>
    public void Join(StressJob job) => Send(FrameKind.Join, StressClient.JoinPayload(job));

    /// <summary>Says that it is alive, and looks whether the server is.</summary>
    public void Tick(long now)
    {
        if (HasEnded)
            return;
        if (_time.GetElapsedTime(_heardAt, now) > StressClient.LivenessTimeout)
            Fail($"nothing was heard of the server for {StressClient.LivenessTimeout.TotalSeconds:0} s");
        else if (_isAdmitted && _time.GetElapsedTime(_saidAt, now) > StressClient.HeartbeatInterval)
            Send(FrameKind.Heartbeat, []);
    }

    public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        _heardAt = _time.GetTimestamp();
        switch (header.Kind)
        {
            case FrameKind.Admitted:
                _isAdmitted = true;
                break;
            case FrameKind.Start or FrameKind.Heartbeat:
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

    private void Send(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        _saidAt = _time.GetTimestamp();
        _sink.Send(new FrameHeader(kind) { Session = _session }, payload);
    }
}
