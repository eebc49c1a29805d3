using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <summary>Push, pull, snapshots.</summary>
public sealed partial class WorkerSession
{
    // Snapshots: one arriving, the newest whole one, the one in use, one to be evaluated, one being evaluated.
    private const int Snapshots = 5;

    private readonly PendingPush[] _pending = new PendingPush[Limits.Window];
    private FloatPool? _pool;
    private FloatBuffer? _reconstruction;
    private FloatBuffer? _corrected;
    private Snapshot? _arriving;
    private Snapshot? _newest;
    private Snapshot? _current;
    private Snapshot? _toEvaluate;
    private Snapshot? _evaluating;
    private int _chunkKeys;
    private bool _isFull; // the connection takes no more until it says that it is writable
    private byte[] _onePiece = [];
    private int _arrived;
    private bool _hasNewer;
    private bool _hasEvaluation;
    private bool _pulling;
    private int _pendingCount;
    private ulong _sequence;
    private ulong _sendingSequence;
    private int _sendingKey;
    private bool _isSending;
    private uint _passesQ8;
    private double _share;

    /// <summary>The last push that the server has applied.</summary>
    public ulong Acknowledged { get; private set; }

    /// <summary>The last push that was made.</summary>
    public ulong Pushed => _sequence;

    /// <summary>Why the server ended the job.</summary>
    public string StopReason { get; private set; } = "";

    /// <summary>A newer snapshot than the one in use has arrived.</summary>
    public bool HasNewer => _hasNewer;

    /// <summary>A snapshot waits to be evaluated.</summary>
    public bool HasEvaluation => _hasEvaluation;

    /// <summary>Training is over; only evaluations are wanted.</summary>
    public bool IsFinishing { get; private set; }

    /// <summary>A snapshot was asked for and has not arrived.</summary>
    public bool IsPulling => _pulling;

    /// <summary>There is room for another push.</summary>
    public bool HasRoom => _pendingCount < _pending.Length && !_awaitsOwn;

    /// <summary>Passes over all data that the whole job had made when the snapshot in use was sent.</summary>
    public double JobPasses => _current?.Passes ?? 0;

    /// <summary>Pushes of the worker that had made the fewest when the snapshot in use was sent.</summary>
    public long Rounds => _current?.Rounds ?? 0;

    /// <summary>This worker's factor in the aggregate.</summary>
    public double Share => _share;

    /// <summary>The snapshot in use was given to others too, and all wait for each other.</summary>
    public bool IsTogether => _current?.IsTogether ?? false;

    /// <summary>Seconds that this worker takes for a pass, over those of the worker that sets the pace: 1 or more; 0 where the server does not tell.</summary>
    public double Lag { get; private set; }

    /// <summary>Version of the snapshot in use.</summary>
    public ulong Version => _current?.Version ?? 0;

    /// <summary>This worker's vector as both ends know it.</summary>
    public ReadOnlySpan<float> Reconstruction => _reconstruction!.Span;

    /// <summary>Float buffers leased now, for tests.</summary>
    public int LeasedBuffers => _pool?.Leased ?? 0;

    /// <summary>
    /// Pushes: what separates <paramref name="x"/> from the reconstruction that both ends hold is encoded and goes out
    /// as the connection takes it; with <see cref="Aggregate.Optimized"/>, x itself. Never waits. False when the window is full; nothing was
    /// done then, and a later push carries the whole difference.
    /// </summary>
    /// <param name="x">This worker's newest vector, as long as the model.</param>
    /// <param name="passes">Passes over the worker's data so far.</param>
    /// <param name="pulls">Ask for a snapshot in the same frame, unless one was asked for already.</param>
    /// <param name="isHalf">It is the first half of a round of two exchanges.</param>
    /// <exception cref="ArgumentException">The vector has another length; nothing was done.</exception>
    public bool TryPush(ReadOnlySpan<float> x, double passes, bool pulls = false, bool isHalf = false)
    {
        if (x.Length != Started!.Parameters)
            throw new ArgumentException($"The model has {Started.Parameters} parameters; the vector has {x.Length}.", nameof(x));
        lock (Gate)
        {
            if (!HasRoom || _hasEnded)
                return false;
            PendingPush push = _pending[_pendingCount];
            push.Sequence = ++_sequence;
            push.FromVersion = _current!.Version;
            push.PassesQ8 = _passesQ8 = (uint)Math.Min(uint.MaxValue, Math.Max(0, passes * 256));
            push.IsHalf = isHalf;
            push.Pulls = pulls && !_pulling;
            push.HasCheck = _sequence % Limits.BetweenChecks == 0 && _options.Aggregate != Aggregate.Optimized;
            push.Check = ((int)(_sequence / Limits.BetweenChecks % (ulong)((x.Length + _chunkKeys - 1) / _chunkKeys)), 0);
            _pulling |= pulls;
            _pendingCount++;
            _hasPushed = true;
            for (push.Encoded = 0; push.Encoded < x.Length; SendPending()) // what is encoded is on its way while the rest is encoded
                Encode(x, push);
            return true;
        }
    }

    /// <summary>Asks for a snapshot newer than the newest that is here, unless one was asked for already.</summary>
    public void Pull()
    {
        lock (Gate)
        {
            if (_pulling || _hasEnded)
                return;
            _pulling = true;
            Send(new FrameHeader(FrameKind.Pull) { ShardVersion = _hasNewer ? _newest!.Version : Version }, []);
        }
    }

    /// <summary>
    /// The newest snapshot, with what this worker pushed and the snapshot does not contain yet added in its share: what
    /// the aggregate would be if these pushes had arrived and nothing else had changed. What an optimiser will make of gradients is not
    /// known here, and nothing is added for them. Valid until the next call.
    /// </summary>
    public ReadOnlySpan<float> TakeCorrected()
    {
        lock (Gate)
        {
            TakeNewer();
            if (_pendingCount == 0 || _options.Aggregate == Aggregate.Optimized)
                return _current!.Values;
            Span<float> corrected = _corrected!.Span;
            _current!.Values.CopyTo(corrected);
            for (int j = 0; j < _pendingCount; j++)
                AddMissing(_pending[j], corrected);
            return corrected;
        }
    }

    /// <summary>The newest snapshot as the server sent it. Valid until the next call.</summary>
    public ReadOnlySpan<float> Take()
    {
        lock (Gate)
        {
            TakeNewer();
            return _current!.Values;
        }
    }

    /// <summary>The snapshot to be evaluated. Valid until it is answered.</summary>
    public ReadOnlySpan<float> TakeEvaluation()
    {
        lock (Gate)
        {
            (_toEvaluate, _evaluating) = (_evaluating, _toEvaluate);
            _hasEvaluation = false;
            return _evaluating!.Values;
        }
    }

    /// <summary>Answers the evaluation that was taken last.</summary>
    public void Answer(double[] values)
    {
        lock (Gate)
        {
            if (_hasEnded)
                return;
            _scratch.ResetWrittenCount();
            new EvaluatedMessage(_evaluating!.Evaluation, values).Write(_scratch);
            Send(new FrameHeader(FrameKind.Evaluated), _scratch.WrittenSpan);
        }
    }

    private void LeaseBuffers(int parameters, int workers)
    {
        const int buffers = 3 + Snapshots + Limits.Window; // and the training loop's vector
        long bytes = (long)parameters * sizeof(float) * buffers, available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > available)
        {
            throw new InsufficientMemoryException($"{parameters} parameters need {bytes} bytes at a worker, this machine has {available}: "
                + "use a larger machine, or a smaller model.");
        }

        // Users: reconstruction, corrected snapshot, snapshots, deltas in the window.
        _chunkKeys = Limits.ChunkKeys(_options.RowLength, workers, _options.MostChunkKeys);
        _onePiece = new byte[Math.Min(_chunkKeys, parameters) * sizeof(float)];
        _pool = new FloatPool(parameters, 2 + Snapshots + Limits.Window, "a worker's session");
        _reconstruction = Zeroed();
        _corrected = Zeroed();
        _arriving = new Snapshot(Zeroed(), _chunkKeys);
        _newest = new Snapshot(Zeroed(), _chunkKeys);
        _current = new Snapshot(Zeroed(), _chunkKeys);
        _toEvaluate = new Snapshot(Zeroed(), _chunkKeys);
        _evaluating = new Snapshot(Zeroed(), _chunkKeys);
        for (int j = 0; j < _pending.Length; j++)
            _pending[j] = new PendingPush(Zeroed(), _chunkKeys);
    }

    private FloatBuffer Zeroed()
    {
        FloatBuffer buffer = _pool!.Lease();
        buffer.Span.Clear();
        return buffer;
    }

    private void ReleaseBuffers()
    {
        if (_pool is null || _reconstruction is null)
            return;
        _reconstruction.Dispose();
        _corrected?.Dispose();
        _arriving?.Dispose();
        _newest?.Dispose();
        _current?.Dispose();
        _toEvaluate?.Dispose();
        _evaluating?.Dispose();
        foreach (PendingPush? push in _pending)
            push?.Dispose();
        _reconstruction = null;
    }

    private void TakeNewer()
    {
        if (!_hasNewer)
            return;
        (_newest, _current) = (_current, _newest);
        _hasNewer = false;
        LetGo();
    }

    /// <summary>Pushes that the snapshot in use contains and that are acknowledged need not be kept.</summary>
    private void LetGo()
    {
        if (_current is null)
            return;
        ulong whole = Math.Min(_current.ContainsWhole(), Acknowledged); // what is not acknowledged may have to be sent again
        int done = 0;
        while (done < _pendingCount && _pending[done].Sequence <= whole)
            done++;
        if (done == 0)
            return;

        // Contained pushes go to the end of the ring and are used again.
        for (int j = 0; j < done; j++)
        {
            PendingPush push = _pending[0];
            Array.Copy(_pending, 1, _pending, 0, _pending.Length - 1);
            _pending[^1] = push;
        }

        _pendingCount -= done;
    }

    private void AddMissing(PendingPush push, Span<float> corrected)
    {
        double share = _share;
        for (int chunk = 0; chunk < _current!.Chunks; chunk++)
        {
            if (_current.Contains(chunk) >= push.Sequence)
                continue;
            int begin = chunk * _chunkKeys, count = Math.Min(_chunkKeys, corrected.Length - begin);
            if (Delta.Read((DeltaCodec)push.Codec(begin), push.Payload(begin, count), count, _options.RowLength, out Delta delta) is { } wrong)
                throw new InvalidOperationException($"this worker has made a delta that cannot be read: {wrong}");
            delta.AddScaled(share, corrected.Slice(begin, count));
        }
    }
}
