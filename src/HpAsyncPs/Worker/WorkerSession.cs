using System;
using System.Buffers;
using System.Threading;
using HpAsyncPs.Codecs;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <summary>
/// A worker's side of the protocol, as a state machine: frames and calls go in, frames come out. No I/O. Two threads meet
/// here, the one that computes and the one that receives; <see cref="Gate"/> guards the few fields that both touch, never
/// for longer than a sweep over a vector, and is pulsed whenever something changed.
/// </summary>
public sealed partial class WorkerSession : IDisposable
{
    /// <summary>How often <see cref="Tick"/> is to be called.</summary>
    public static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);

    // Where the time went is told often at first, so that a run of a second can be looked at, and once a second later on.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(1);
    private const double TellingsOfElapsed = 100;

    private readonly WorkerOptions _options;
    private readonly TimeProvider _time;
    private IFrameSink _sink;
    private readonly ArrayBufferWriter<byte> _scratch = new(1024);
    private CancellationTokenSource _interrupt = new();
    private long _heardAt;
    private long _startedAt;
    private long _toldAt;
    private bool _hasEnded;
    private string? _failure;

    /// <param name="options">How to join.</param>
    /// <param name="time">The clock.</param>
    /// <param name="sink">Where frames go.</param>
    /// <param name="gate">Guards the session; one for all sessions of a worker. Null: its own.</param>
    public WorkerSession(WorkerOptions options, TimeProvider time, IFrameSink sink, object? gate = null)
    {
        Gate = gate ?? new object();
        _options = options;
        _time = time;
        _sink = sink;
        _heardAt = _awaySince = time.GetTimestamp();
        Number = options.Session > 0 ? options.Session : SessionNumber.Draw();
    }

    /// <summary>Guards the session; pulsed on every change.</summary>
    public object Gate { get; }

    /// <summary>The session's number, in every frame of it.</summary>
    public ulong Number { get; }

    /// <summary>The server's address, for messages.</summary>
    public string Server => _sink.Peer;

    /// <summary>The rank, or -1 before admission.</summary>
    public int Rank { get; private set; } = -1;

    /// <summary>What was agreed; null before the start.</summary>
    public StartMessage? Started { get; private set; }

    /// <summary>The job is over, well or badly.</summary>
    public bool HasEnded => Volatile.Read(ref _hasEnded);

    /// <summary>What went wrong, or null.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>Cancelled when the step under way is not wanted any more.</summary>
    public CancellationToken Interrupt => _interrupt.Token;

    /// <summary>Bytes received and sent, headers included.</summary>
    public (long Received, long Sent) Bytes { get; private set; }

    /// <summary>The step under way is not wanted any more.</summary>
    public void InterruptStep()
    {
        lock (Gate)
        {
            if (!_hasEnded)
                _interrupt.Cancel();
            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>A frame came in.</summary>
    public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        lock (Gate)
        {
            _heardAt = _time.GetTimestamp();
            Bytes = (Bytes.Received + FrameHeader.Bytes + header.PayloadLength, Bytes.Sent);
            try
            {
                Handle(header, payload);
            }
            catch (ProtocolException e)
            {
                Fail($"The server {Server} broke the protocol: {e.Message}");
                _sink.Close();
            }
            catch (Exception e) when (e is OutOfMemoryException or InsufficientMemoryException)
            {
                Fail(e is InsufficientMemoryException ? e.Message : "This machine's memory does not take the model: use a larger one.");
                _sink.Close();
            }

            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>The connection can take more.</summary>
    public void Writable()
    {
        lock (Gate)
        {
            _isFull = false;
            SendPending();
            if (WantsModel)
                Monitor.PulseAll(Gate);
        }
    }

    /// <summary>Says that this worker lives and where its time went; checks that the server lives.</summary>
    public void Tick(ProgressMessage progress)
    {
        lock (Gate)
        {
            if (_hasEnded)
                return;
            if (_isAdmitted && IsTellingDue())
                SendProgress(progress);
            CheckServer();
        }
    }

    /// <summary>Says goodbye and closes.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="progress">Where the time went.</param>
    /// <param name="isOver">To a server after the first: the first one has ended the job.</param>
    public void Leave(string reason, ProgressMessage progress, bool isOver = false)
    {
        lock (Gate)
        {
            if (_failure is null && _isAdmitted)
            {
                SendProgress(progress);
                SendText(FrameKind.Leave, reason, isOver ? FrameFlags.Final : FrameFlags.None);
            }

            _hasEnded = true;
            _sink.Close();
            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>Throws what went wrong, if something did.</summary>
    /// <exception cref="ClusterException">The session failed.</exception>
    public void ThrowIfFailed()
    {
        if (Failure is { } failure)
            throw new ClusterException(failure);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Gate)
        {
            _hasEnded = true;
            ReleaseBuffers();
            _interrupt.Dispose();
        }
    }

    private void Handle(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_hasEnded)
            return;
        switch (header.Kind)
        {
            case FrameKind.Admitted:
                Admitted(AdmittedMessage.Read(payload));
                break;
            case FrameKind.Start:
                Start(StartMessage.Read(payload));
                break;
            case FrameKind.Members when Started is not null:
                _share = MembersMessage.Read(payload).Share;
                break;
            case FrameKind.Adopt when Started is not null:
                Adopt(AdoptMessage.Read(payload).Rank);
                break;
            case FrameKind.Snapshot when Started is not null:
                ReceiveChunk(header, payload);
                break;
            case FrameKind.Acknowledged:
                Acknowledged = Math.Max(Acknowledged, header.Sequence);
                LetGo();
                break;
            case FrameKind.Heartbeat:
                break;
            case FrameKind.Check when Started is not null:
                Check(header);
                break;
            case FrameKind.Codec when Started is not null:
                Code(TextMessage.Read(payload).Text);
                break;
            case FrameKind.Pace when Started is not null:
                Lag = PaceMessage.Read(payload).Lag;
                break;
            case FrameKind.Refused when header.Flags.Has(FrameFlags.Retry):
                _sink.Close();
                Disconnect($"it refused: {TextMessage.Read(payload).Text}");
                break;
            case FrameKind.Collect when Started is not null:
                (WantsModel, ModelOf, ModelSent) = (true, header.Sequence, 0);
                break;
            case FrameKind.Refused:
                IsOver = header.Flags.Has(FrameFlags.Final); // else this worker alone is refused, and the others go on
                Fail($"The server {Server} {(Started is null ? "refused" : "ended the job")}: {TextMessage.Read(payload).Text}");
                break;
            case FrameKind.Stop:
                StopReason = TextMessage.Read(payload).Text;
                _hasEnded = IsOver = true;
                _interrupt.Cancel();
                break;
            default:
                throw new ProtocolException($"A server does not send {header.Kind} now.");
        }
    }

    private void Start(StartMessage start)
    {
        if (Started is { } known)
        {
            if (known.Parameters != start.Parameters || known.Workers != start.Workers)
                throw new ProtocolException($"The job had {known.Parameters} parameters and {known.Workers} workers; now it has {start.Parameters} and {start.Workers}: it is another one.");
        }
        else
        {
            LeaseBuffers(start.Parameters, start.Workers);
            Started = start;
            _startedAt = _time.GetTimestamp();
        }

        // A server that was started anew in the last evaluation has it made again, and perhaps trains before.
        IsFinishing = false;
        if (_interrupt.IsCancellationRequested)
        {
            _interrupt.Dispose();
            _interrupt = new CancellationTokenSource();
        }

        Code(start.Codec);
        _share = start.Share;
        _trains = true;
        GoOnTraining();
        News?.Invoke(this);
    }

    private void Adopt(int rank)
    {
        if (_options.Adopt is { } adopt)
            adopt(rank);
        else
            _options.Log?.Invoke(LogLine.Warning($"the server asks this worker to take over the part of rank {rank}: it has no data but its own, and goes on with that", Rank));
    }

    private void Fail(string failure)
    {
        _failure ??= failure;
        _hasEnded = true;
        _interrupt.Cancel();
        Failed?.Invoke(failure);
    }

    private bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        bool maySend = header.Kind switch
        {
            FrameKind.Join => true,
            FrameKind.Push or FrameKind.Pull or FrameKind.Evaluated or FrameKind.Check or FrameKind.Model or FrameKind.Codec => _trains,
            _ => _isAdmitted,
        };
        if (!maySend)
            return true; // it is said again, or asked for again, over the next connection
        header.Session = Number;
        Bytes = (Bytes.Received, Bytes.Sent + FrameHeader.Bytes + payload.Length);
        return _sink.Send(header, payload);
    }

    private bool IsTellingDue()
    {
        TimeSpan due = LongestSilence;
        if (Started is not null && _time.GetElapsedTime(_startedAt) / TellingsOfElapsed < LongestSilence)
            due = _time.GetElapsedTime(_startedAt) / TellingsOfElapsed;
        return _time.GetElapsedTime(_toldAt) >= due - (TickInterval / 2); // the tick that is nearest
    }

    private void SendProgress(ProgressMessage progress)
    {
        _toldAt = _time.GetTimestamp();
        _scratch.ResetWrittenCount();
        double rate = _sink.BytesPerSecond;
        (progress with { LinkBytesPerSecond = double.IsFinite(rate) ? rate : 0, LateSeconds = LateSeconds?.Invoke() }).Write(_scratch);
        Send(new FrameHeader(FrameKind.Progress), _scratch.WrittenSpan);
    }
}
