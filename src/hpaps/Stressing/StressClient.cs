using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>
/// A worker that keeps pushes or pulls in flight and does nothing else. Frames come in on the loop's thread, and go out on it; after the
/// start nothing is allocated.
/// </summary>
internal sealed partial class StressClient : IFrameHandler
{
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LivenessTimeout = TimeSpan.FromSeconds(30);

    private readonly StressJob _job;
    private readonly TimeProvider _time;
    private readonly StressMeter _meter;
    private readonly IFrameSink _sink;
    private readonly float[][] _deltas;
    private CodedVector? _coded;
    private readonly float[] _snapshot;
    private readonly long[] _begunAt;
    private Phase _phase = Phase.Joining;
    private readonly ulong _session;
    private ulong _version;
    private ulong _begun;
    private ulong _completed;
    private ulong _pushed;
    private ulong _acknowledged;
    private int _chunkKeys;
    private int _nextKey;
    private bool _writable = true;
    private bool _isAlone;
    private long _heardAt;
    private long _saidAt;
    private string? _failure;
    private volatile bool _ended;

    public StressClient(StressJob job, ulong session, TimeProvider time, StressMeter meter, IFrameSink sink)
    {
        _session = session;
        _job = job;
        _time = time;
        _meter = meter;
        _sink = sink;
        _deltas = job.Codec is not null ? [] : job.Path == StressPath.Sum
            ? [StressLedger.Delta(job.Parameters, job.Index, 1)]
            : [StressLedger.Delta(job.Parameters, job.Index, -1), StressLedger.Delta(job.Parameters, job.Index, 2)];
        _snapshot = new float[job.Parameters];
        _begunAt = new long[job.InFlight];
        _heardAt = time.GetTimestamp();
    }

    private enum Phase
    {
        Joining,

        // The first push of mode pull is on its way.
        Priming,
        Running,

        // Nothing new is begun.
        Draining,

        // The last pull, to look at the model, is on its way.
        Checking,
    }

    /// <summary>It has left, or failed. On any thread, as all that follows once this holds.</summary>
    public bool HasEnded => _ended;

    /// <summary>Why it failed, or null.</summary>
    public string? Failure => _failure;

    /// <summary>Pushes that the server has acknowledged: all.</summary>
    public ulong Pushes => _acknowledged;

    /// <summary>Payload of all pushes and snapshots.</summary>
    public long CodedBytes { get; private set; }

    /// <summary>How many they were.</summary>
    public long Vectors { get; private set; }

    /// <summary>What the codec has left out in the end, at most, in one parameter.</summary>
    public double Residual { get; private set; }

    /// <summary>What the last pull said of the model; null: it was not asked, or others push too.</summary>
    public bool? Verified { get; private set; }

    /// <summary>Bytes of parameters that one message moves.</summary>
    public static long BytesOfMessage(StressJob job) => job.Mode is StressMode.Push or StressMode.Pull ? job.Bytes : 2L * job.Bytes;

    /// <summary>Asks for admission. Before the loop starts.</summary>
    public void Join() => Send(new FrameHeader(FrameKind.Join), JoinPayload(_job));

    /// <summary>How a worker of a stress test asks for admission.</summary>
    public static ReadOnlySpan<byte> JoinPayload(StressJob job)
    {
        Aggregate aggregate = job.Path == StressPath.Sum ? Aggregate.Optimized : Aggregate.Sum;
        var output = new ArrayBufferWriter<byte>();
        KeyValuePair<string, string>[] settings = [new("task", "stress"), new("path", StressNames.Of(job.Path))];
        new JoinMessage(job.Rank, job.Parameters, 1, aggregate, 1, [], settings).Write(output);
        return output.WrittenSpan;
    }

    /// <summary>Says that it is alive, and looks whether the server is. On the loop's thread, every few milliseconds.</summary>
    public void Tick()
    {
        if (HasEnded)
            return;
        long now = _time.GetTimestamp();
        if (_time.GetElapsedTime(_heardAt, now) > LivenessTimeout)
            Fail($"nothing was heard of the server for {LivenessTimeout.TotalSeconds:0} s");
        else if (_phase != Phase.Joining && _time.GetElapsedTime(_saidAt, now) > HeartbeatInterval)
            Send(new FrameHeader(FrameKind.Heartbeat), []);
    }

    public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (HasEnded)
            return;
        _heardAt = _time.GetTimestamp();
        switch (header.Kind)
        {
            case FrameKind.Acknowledged:
                Acknowledged(header);
                break;
            case FrameKind.Snapshot:
                Snapshot(header, payload);
                break;
            case FrameKind.Heartbeat:
                return;
            case FrameKind.Admitted:
                return;
            case FrameKind.Check when _coded is not null:
                if (VectorChecksum.Of(_snapshot.AsSpan((int)header.KeyBegin, (int)header.KeyCount)) != header.ShardVersion)
                    Fail("this worker's snapshot is none of what the server sent: please report it with this command");
                return;
            case FrameKind.Start:
                Start(StartMessage.Read(payload));
                break;
            case FrameKind.Refused:
                Fail($"the server refused: {TextMessage.Read(payload).Text}");
                return;
            case FrameKind.Stop:
                Fail($"the server ended the job ({TextMessage.Read(payload).Text})");
                return;
            default:
                throw new ProtocolException($"A server does not send {header.Kind} now.");
        }

        Pump();
    }

    public void Violated(string reason, FrameFault fault) => Fail($"what the server sends cannot be read: {reason}");

    public void Writable()
    {
        _writable = true;
        Pump();
    }

    public void Closed(string? reason) => Fail($"the connection to the server was lost: {reason ?? "it closed it"}");

    private void Start(StartMessage start)
    {
        if (start.Parameters != _job.Parameters)
            throw new ProtocolException($"The server has {start.Parameters} parameters, this worker asked for {_job.Parameters}: give all workers the same --bytes.");
        _isAlone = start.Workers == 1;
        _chunkKeys = Limits.ChunkKeys(1, start.Workers);
        if (start.Codec != (_job.Codec ?? CodecSpec.Fp32).Name)
            throw new ProtocolException($"The server codes with {start.Codec}: give --codec {start.Codec}, or start it with another --codec.");
        _coded = _job.Codec is null ? null : new CodedVector(_job, _chunkKeys);
        _phase = _job.Mode == StressMode.Pull ? Phase.Priming : Phase.Running;
        _meter.Start();
    }

    private void Acknowledged(in FrameHeader header)
    {
        if (header.Sequence > _pushed || header.Sequence < _acknowledged)
            throw new ProtocolException($"Push {header.Sequence} is acknowledged; {_acknowledged} were, and {_pushed} were made.");
        _version = header.ShardVersion;
        while (_acknowledged < header.Sequence)
        {
            _acknowledged++;
            if (_job.Mode == StressMode.Push)
                Complete();
            else if (_phase == Phase.Priming)
                _phase = Phase.Running;
        }
    }

    private void Snapshot(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        int begin = (int)header.KeyBegin, count = (int)header.KeyCount;
        if ((header.Codec != CodecId.Fp32 && _coded is null) || begin + count > _snapshot.Length)
            throw new ProtocolException($"A snapshot of keys {begin} to {begin + count} in codec {header.Codec}; {_snapshot.Length} in fp32 were asked for.");
        ulong expected = _phase == Phase.Checking ? _pushed : _job.Mode == StressMode.Pull ? 1 : _completed + 1;
        if (header.Sequence < expected)
            throw new ProtocolException($"A snapshot contains push {header.Sequence}; it must contain push {expected}.");
        if (header.Flags.Has(FrameFlags.Change) && _coded is not null)
            _coded.Receive(header, payload, _snapshot.AsSpan(begin, count));
        else
            Fp32Codec.CopyTo(payload, _snapshot.AsSpan(begin, count));
        CodedBytes += header.PayloadLength;
        if (!header.Flags.Has(FrameFlags.Last))
            return;
        Vectors++;
        if (_phase == Phase.Checking)
            Check();
        else
            Complete();
    }

    private void Complete()
    {
        long now = _time.GetTimestamp();
        _meter.Complete(_begunAt[_completed % (ulong)_begunAt.Length], now);
        _completed++;
        if (_meter.IsOver && _phase == Phase.Running)
            _phase = Phase.Draining;
    }

    private void EndIfDrained()
    {
        if (_phase != Phase.Draining || _completed < _begun || _acknowledged < _pushed)
            return;
        if (_job.VerifiesByPull && (_isAlone || _coded is not null))
        {
            _phase = Phase.Checking;
            for (int chunk = 0; chunk < _coded?.Chunks; chunk++)
                Send(_coded.Check(_pushed, chunk), []); // what is wrong is refused before the pull is answered
            SendPull();
        }
        else
        {
            Leave("done");
        }
    }

    private void Check()
    {
        double total = StressLedger.Total(_job.Path, _acknowledged) * (_job.Index + 1);
        Residual = _coded?.Residual(_acknowledged) ?? 0;
        Verified = _coded is not null || StressLedger.FirstWrong(_snapshot, total) < 0;
        Leave("done");
    }

    private void Fail(string failure)
    {
        if (HasEnded)
            return;
        _failure = failure;
        Leave("failed");
    }

    private void Leave(string reason)
    {
        var output = new ArrayBufferWriter<byte>();
        new TextMessage(reason).Write(output);
        Send(new FrameHeader(FrameKind.Leave), output.WrittenSpan);
        _sink.Close();
        _ended = true;
    }

    private void Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        header.Session = _session;
        _saidAt = _time.GetTimestamp();
        if (!_sink.Send(header, payload))
            _writable = false;
    }
}
