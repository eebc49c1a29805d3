using System;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <content>
/// Connections come and go, the session stays: what the server has not acknowledged is kept, and sent again from where the server says
/// that the session stands.
/// </content>
public sealed partial class WorkerSession
{
    // Who hangs up on a worker that it has never admitted will hardly do so; but a server that is crowded may have hung up on anybody.
    private const int TriesBeforeAdmission = 3;

    private int _unadmitted;
    private ulong _attempt;
    private ulong _incarnation;
    private ulong _generation;
    private bool _isAdmitted; // over the connection that there is now
    private bool _trains; // the server has said over that connection that training has begun
    private bool _isConnected = true;
    private long _awaySince; // not admitted over any connection
    private string? _lostBecause;
    private bool _awaitsOwn;
    private bool _pushesAgain;
    private bool _hasPushed; // this process has a vector of its own

    /// <summary>Called when the connection has gone and another is wanted: then call <see cref="GoOn"/>. Under the gate.</summary>
    public Action? Disconnected { get; set; }

    /// <summary>Connections after the first.</summary>
    public long Reconnects { get; private set; }

    /// <summary>How often the two ends did not agree on what was pushed, and the worker took the server's word for its vector.</summary>
    public long Resynchronisations { get; private set; }

    /// <summary>Checks that found this worker's snapshot to be another than the server thinks.</summary>
    public long Disagreements { get; private set; }

    /// <summary>The life of this worker's vector at the server that its pushes are counted in, for tests.</summary>
    internal ulong Generation => _generation;

    /// <summary>It begins in the midst of training, and has no snapshot yet.</summary>
    public bool AwaitsSnapshot { get; private set; }

    /// <summary>Asks for admission.</summary>
    public void Join()
    {
        lock (Gate)
        {
            ulong held = AwaitsSnapshot ? ulong.MaxValue : _pendingCount > 0 ? _pending[0].Sequence : _sequence + 1; // it waits for the server's word: again, then
            _scratch.ResetWrittenCount();
            new JoinMessage(_options.Rank, _options.Parameters, _options.RowLength, _options.Aggregate, _options.Weight, _options.Agreed,
                _options.Settings, ++_attempt, held, _sequence, _generation, _options.Loads).Write(_scratch);
            Send(new FrameHeader(FrameKind.Join), _scratch.WrittenSpan);
        }
    }

    /// <summary>The server cannot be trusted: the session ends.</summary>
    public void Distrust(string why)
    {
        lock (Gate)
        {
            Fail(why);
            _sink.Close();
            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>Goes over a connection from now on; call <see cref="Join"/> as soon as the server may hear it.</summary>
    /// <param name="sink">The connection.</param>
    /// <param name="isFirst">There was none before.</param>
    public void GoOn(IFrameSink sink, bool isFirst = false)
    {
        lock (Gate)
        {
            if (_hasEnded)
            {
                sink.Close();
                return;
            }

            _sink = sink;
            _isConnected = true;
            _isFull = false;
            _heardAt = _time.GetTimestamp();
            Reconnects += isFirst ? 0 : 1;
        }
    }

    /// <summary>A connection has gone.</summary>
    /// <param name="sink">Which; null: the newest.</param>
    /// <param name="reason">What happened, or null when the server closed it.</param>
    public void Closed(IFrameSink? sink, string? reason)
    {
        lock (Gate)
        {
            if ((sink is null || sink == _sink) && _isConnected && !_hasEnded)
                Disconnect(reason ?? "it closed the connection");
            Monitor.PulseAll(Gate);
        }
    }

    private void Disconnect(string reason)
    {
        if (_isAdmitted)
            _awaySince = _time.GetTimestamp();
        _isConnected = _isAdmitted = _trains = false;
        _lostBecause = reason;
        if (_options.ReconnectTimeout <= TimeSpan.Zero || (Rank < 0 && ++_unadmitted == TriesBeforeAdmission))
        {
            Fail($"The server {Server} went away ({reason}): its own log says why.");
            return;
        }

        _options.Log?.Invoke(LogLine.Warning($"the connection to {Server} has gone ({reason}); connecting again for {_options.ReconnectTimeout.TotalSeconds:0.#} s at most", Rank));
        Disconnected?.Invoke();
    }

    private void CheckServer()
    {
        if (_isConnected && _time.GetElapsedTime(_heardAt) > _options.LivenessTimeout)
        {
            _sink.Close();
            Disconnect($"nothing was heard of it for {_options.LivenessTimeout.TotalSeconds:0.#} s: is its machine up, and the link?");
        }
        else if (!_isAdmitted && _options.ReconnectTimeout > TimeSpan.Zero && _time.GetElapsedTime(_awaySince) > _options.ReconnectTimeout)
        {
            Fail($"The server {Server} went away ({_lostBecause ?? "it does not answer"}), and did not admit this worker within {_options.ReconnectTimeout.TotalSeconds:0.#} s: its own log says why.");
            _sink.Close();
        }
        else
        {
            return;
        }

        Monitor.PulseAll(Gate);
    }

    /// <summary>The server says where the session stands.</summary>
    private void Admitted(AdmittedMessage at)
    {
        if (Rank >= 0 && at.Rank != Rank)
            throw new ProtocolException($"This worker had rank {Rank}; now it has rank {at.Rank}.");
        bool isNew = Rank < 0;
        if (!isNew)
            _options.Log?.Invoke(new LogLine($"connected to {Server} again{(at.Incarnation == _incarnation ? "" : ", which was started anew")}", Rank: Rank));
        (Rank, _incarnation, _generation, _isAdmitted) = (at.Rank, at.Incarnation, at.Generation, true);
        _arrived = 0; // a snapshot that was cut off comes again
        if (at.Resynchronises)
        {
            TakeServersWord(at, isNew);
            return;
        }

        if (at.Sequence > _sequence || at.NextKey % Math.Max(1, _chunkKeys) != 0 || (at.NextKey > 0 && at.Sequence == _sequence))
            throw new ProtocolException($"The server stands at key {at.NextKey} behind push {at.Sequence}; {_sequence} were made.");
        (_sendingSequence, _sendingKey) = (at.Sequence, (int)at.NextKey);
        ForgetFuture(at.Version);
    }

    /// <summary>Sends what is missing since the last connection, where the server takes it.</summary>
    private void GoOnTraining()
    {
        if (_awaitsOwn)
            return;
        for (int j = 0; j < _pendingCount; j++)
            _pending[j].Pulls = false; // asked for below
        if (_pulling && !AwaitsSnapshot) // else one comes unasked
            Send(new FrameHeader(FrameKind.Pull) { ShardVersion = _hasNewer ? _newest!.Version : Version }, []);
        SendPending(); // gradients may have been pushed since the server's word came: nothing else would send them
    }

    /// <summary>
    /// The two ends do not agree on what was pushed: this process is new, or the server has gone back to what it had on disk. The server's
    /// copy of this worker's vector follows, and the difference to what it is here is pushed.
    /// </summary>
    private void TakeServersWord(AdmittedMessage at, bool isNew)
    {
        Resynchronisations += isNew ? 0 : 1;
        if (!_awaitsOwn)
            _pushesAgain = _hasPushed; // else it was cut off before, and what it had pushed then is still to be pushed
        _pendingCount = 0;
        (_sequence, _sendingSequence, _sendingKey, Acknowledged) = (at.Sequence, at.Sequence, 0, at.Sequence);
        _awaitsOwn = _options.Aggregate != Aggregate.Optimized;
        AwaitsSnapshot = _pulling = true;
        if (_current is null)
            return;
        ForgetFuture(at.Version);

        // What was received before counts by other numbers.
        for (int chunk = 0; chunk < _current.Chunks; chunk++)
        {
            _current.SetContains(chunk, at.Sequence);
            _newest!.SetContains(chunk, at.Sequence);
        }
    }

    /// <summary>A server that was started anew may be at an earlier version than the one it told.</summary>
    private void ForgetFuture(ulong version)
    {
        if (_current is null)
            return;
        _current.Version = Math.Min(_current.Version, version);
        _newest!.Version = Math.Min(_newest.Version, version);
        for (int j = 0; j < _pendingCount; j++)
            _pending[j].FromVersion = Math.Min(_pending[j].FromVersion, version);
    }

    /// <summary>As fp32, whatever the job's codec: others wait for a model that is made of this.</summary>
    private void EncodeExactly(ReadOnlySpan<float> x, Span<float> h, PendingPush push)
    {
        for (int begin = 0; begin < x.Length; begin += _chunkKeys)
        {
            int count = Math.Min(_chunkKeys, x.Length - begin);
            Span<byte> room = push.Room(begin, count);
            DeltaKernel.Encode(x.Slice(begin, count), h.Slice(begin, count), MemoryMarshal.Cast<byte, float>(room));
            push.Set(begin, count, CodecId.Fp32, room.Length);
        }
    }

    /// <summary>This worker's vector as the server has it has come.</summary>
    private void ReceiveOwn(Span<float> own)
    {
        _awaitsOwn = false;
        if (_pushesAgain)
        {
            PendingPush push = _pending[0];
            EncodeExactly(_reconstruction!.Span, own, push);
            push.HasCheck = false;
            push.Sequence = ++_sequence;
            push.FromVersion = _current!.Version;
            push.PassesQ8 = _passesQ8;
            (push.Pulls, push.IsHalf) = (false, false);
            _pendingCount = 1;
            _pushesAgain = false;
        }

        own.CopyTo(_reconstruction!.Span); // what the difference to that was is in the push
        SendPending();
    }
}
