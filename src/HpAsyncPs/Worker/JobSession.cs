using System;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <summary>
/// A worker's sessions with all servers of a job, as one: what it pushes and takes is cut and put together here. With one server it only passes on. Each shard has its own version and its own delay;
/// what is evaluated is one vector for all workers: the first server numbers the evaluations, and the others freeze their parts for the first who asks with that number. No I/O; all sessions have one gate.
/// </summary>
public sealed class JobSession : IDisposable
{
    private readonly WorkerSession[] _all;
    private readonly WorkerSession _first;
    private readonly int[] _bounds;
    private readonly FloatBuffer? _aggregate; // null: there is one server
    private readonly FloatBuffer? _own;
    private readonly FloatBuffer? _evaluated;
    private readonly ulong[] _askedFor; // at each server: the evaluation that was asked for last
    private readonly string?[] _toldCodec;
    private readonly LateServers? _late; // null: there is one server
    private ulong _evaluatedIs; // number of the evaluation that is in _evaluated

    /// <summary>A job of one server.</summary>
    public JobSession(WorkerSession session)
        : this([session])
    {
    }

    /// <param name="sessions">With each server, in the order of the shards, started. One gate for all.</param>
    public JobSession(WorkerSession[] sessions)
    {
        (_all, _first) = (sessions, sessions[0]);
        _askedFor = new ulong[_all.Length];
        _toldCodec = new string?[_all.Length];
        StartMessage start = _first.Started!;
        _bounds = _all.Length == 1 ? [0, start.Parameters] : start.Bounds!;
        Started = start with { Parameters = _bounds[^1] };
        if (_all.Length == 1)
            return;
        var pool = new FloatPool(Started.Parameters, 3, "the vectors of a worker with several servers");
        _late = new LateServers(_all.Length, _first.Time);
        (_aggregate, _own, _evaluated) = (pool.Lease(), pool.Lease(), pool.Lease());
        lock (Gate)
        {
            foreach (WorkerSession one in _all)
                one.News = Changed;
            for (int j = 1; j < _all.Length; j++)
            {
                _all[j].Failed = _first.EndWith;
                if (_all[j].Failure is { } failure)
                    _first.EndWith(failure);
            }

            _first.LateSeconds = () => _late.Seconds(_all);
            Changed(_first);
        }
    }

    /// <summary>What was agreed; parameters are those of the whole model.</summary>
    public StartMessage Started { get; }

    /// <summary>Guards all sessions; pulsed on every change.</summary>
    public object Gate => _first.Gate;

    /// <summary>The session with the first server.</summary>
    public WorkerSession First => _first;

    /// <summary>The job is over, well or badly.</summary>
    public bool HasEnded => _first.HasEnded;

    /// <summary>Cancelled when the step under way is not wanted any more.</summary>
    public CancellationToken Interrupt => _first.Interrupt;

    /// <summary>Training is over; only evaluations are wanted.</summary>
    public bool IsFinishing => _first.IsFinishing;

    /// <summary>The first server collects what other servers have of the model, and its connection takes it.</summary>
    public bool WantsModel => _first.CanSendModel;

    /// <summary>Passes over all data that the whole job had made when the snapshot in use was sent.</summary>
    public double JobPasses => _first.JobPasses;

    /// <summary>This worker's factor in the aggregate.</summary>
    public double Share => _first.Share;

    /// <summary>All parts of a vector that is to be evaluated are here.</summary>
    public bool HasEvaluation
    {
        get
        {
            ulong number = _first.PendingEvaluation;
            bool isHere = number > 0;
            for (int j = 1; j < _all.Length; j++)
                isHere &= _all[j].PendingEvaluation == number;
            return isHere;
        }
    }

    /// <summary>The first server's part of an evaluation is here, and those of others are not.</summary>
    public bool AwaitsEvaluation => _first.PendingEvaluation > 0 && !HasEvaluation;

    /// <summary>It begins in the midst of training, and has no snapshot of some shard yet.</summary>
    public bool AwaitsSnapshot => Some(static one => one.AwaitsSnapshot);

    /// <summary>There is room for another push to each server.</summary>
    public bool HasRoom => !Some(static one => !one.HasRoom || one.HasEnded);

    /// <summary>All servers have acknowledged all pushes.</summary>
    public bool IsAcknowledged => !Some(static one => one.Acknowledged < one.Pushed);

    /// <summary>A newer snapshot of each shard than the one in use has arrived.</summary>
    public bool HasNewer => !Some(static one => !one.HasNewer);

    /// <summary>Pushes of the worker that had made the fewest when the snapshots in use were sent.</summary>
    public long Rounds
    {
        get
        {
            long least = long.MaxValue;
            foreach (WorkerSession one in _all)
                least = Math.Min(least, one.Rounds);
            return least;
        }
    }

    /// <summary>The snapshots in use were given to others too, and all wait for each other.</summary>
    public bool IsTogether => !Some(static one => !one.IsTogether);

    /// <summary>Seconds that this worker takes for a pass, over those of the worker that sets the pace: 1 or more; 0 where no server tells.</summary>
    public double Lag
    {
        get
        {
            double most = 0;
            foreach (WorkerSession one in _all)
                most = Math.Max(most, one.Lag);
            return most;
        }
    }

    /// <summary>How often each push of a round of two exchanges is repeated.</summary>
    internal int Repeats
    {
        get
        {
            int most = 0;
            foreach (WorkerSession one in _all)
                most = Math.Max(most, one.Repeats);
            return most;
        }
    }

    /// <summary>This worker's vector as both ends know it. Valid until the next call.</summary>
    public ReadOnlySpan<float> Reconstruction
    {
        get
        {
            if (_own is null)
                return _first.Reconstruction;
            for (int j = 0; j < _all.Length; j++)
                _all[j].Reconstruction.CopyTo(Part(_own.Span, j));
            return _own.Span;
        }
    }

    /// <summary>The step under way is not wanted any more.</summary>
    public void InterruptStep() => _first.InterruptStep();

    /// <summary>Asks each server for a snapshot that is newer than the newest of its shard here.</summary>
    public void Pull()
    {
        foreach (WorkerSession one in _all)
            one.Pull();
    }

    /// <summary>Where the window is full, there is a newer snapshot that may contain some of it.</summary>
    public bool CanMakeRoom => Some(static one => !one.HasRoom && one.HasNewer);

    /// <summary>Takes newer snapshots where the window is full, which may make room. True: some were taken.</summary>
    public bool MakeRoom()
    {
        bool taken = false;
        foreach (WorkerSession one in _all)
        {
            if (one.HasRoom || !one.HasNewer)
                continue;
            _ = one.Take();
            taken = true;
        }

        return taken;
    }

    /// <summary>The newest snapshots, as <see cref="WorkerSession.TakeCorrected"/>. Valid until the next call.</summary>
    public ReadOnlySpan<float> TakeCorrected()
    {
        if (_aggregate is null)
            return _first.TakeCorrected();
        lock (Gate)
            _late!.Measure(_all);
        for (int j = 0; j < _all.Length; j++)
            _all[j].TakeCorrected().CopyTo(Part(_aggregate.Span, j));
        return _aggregate.Span;
    }

    /// <summary>The newest snapshots as the servers sent them. Valid until the next call.</summary>
    public ReadOnlySpan<float> Take()
    {
        if (_aggregate is null)
            return _first.Take();
        for (int j = 0; j < _all.Length; j++)
            _all[j].Take().CopyTo(Part(_aggregate.Span, j));
        return _aggregate.Span;
    }

    /// <summary>Pushes each part to its server, as <see cref="WorkerSession.TryPush"/>. False when some window is full; nothing was done then.</summary>
    /// <param name="x">This worker's newest vector, as long as the model.</param>
    /// <param name="passes">Passes over the worker's data so far.</param>
    /// <param name="pulls">Ask for snapshots in the same frames.</param>
    /// <param name="isHalf">It is the first half of a round of two exchanges.</param>
    /// <exception cref="ArgumentException">The vector has another length; nothing was done.</exception>
    public bool TryPush(ReadOnlySpan<float> x, double passes, bool pulls = false, bool isHalf = false)
    {
        if (_all.Length == 1)
            return _first.TryPush(x, passes, pulls, isHalf);
        if (x.Length != Started.Parameters)
            throw new ArgumentException($"The model has {Started.Parameters} parameters; the vector has {x.Length}.", nameof(x));
        lock (Gate)
        {
            if (!HasRoom)
                return false;
        }

        // What comes in meanwhile makes room, or ends the job.
        for (int j = 0; j < _all.Length; j++)
            _all[j].TryPush(x[_bounds[j].._bounds[j + 1]], passes, pulls, isHalf);
        return true;
    }

    /// <summary>Takes the vector to be evaluated. False: not all parts are here, or no longer of one evaluation, as the first server has begun another one meanwhile.</summary>
    /// <param name="vector">Valid until it is answered.</param>
    public bool TryTakeEvaluation(out ReadOnlySpan<float> vector)
    {
        lock (Gate)
        {
            vector = default;
            if (!HasEvaluation)
                return false;
            if (_evaluated is null)
            {
                vector = _first.TakeEvaluation();
                return true;
            }

            _evaluatedIs = _first.PendingEvaluation;
            for (int j = 0; j < _all.Length; j++)
                _all[j].TakeEvaluation().CopyTo(Part(_evaluated.Span, j));
            vector = _evaluated.Span;
            return true;
        }
    }

    /// <summary>Answers the evaluation that was taken last.</summary>
    public void Answer(double[] values) => _first.Answer(values);

    /// <summary>Sends the next chunk of what the first server collects, if its connection takes one.</summary>
    public void SendModel()
    {
        lock (Gate)
        {
            if (_evaluated is null || !_first.CanSendModel)
                return;
            bool isNewest = _first.ModelSent == 0 && (_first.ModelOf == 0 || _first.ModelOf != _evaluatedIs);
            for (int j = 0; isNewest && j < _all.Length; j++)
                _all[j].NewestSnapshot.CopyTo(Part(_evaluated.Span, j));
            int begin = _bounds[1] + _first.ModelSent, count = Math.Min(_first.ChunkKeys, _bounds[^1] - begin);
            _first.SendModel(_evaluated.Span.Slice(begin, count), begin, begin + count == _bounds[^1]);
        }
    }

    /// <summary>Says goodbye to all, and closes.</summary>
    public void Leave(string reason, ProgressMessage progress)
    {
        for (int j = _all.Length - 1; j > 0; j--)
            _all[j].Leave(_first.IsOver ? _first.Failure ?? _first.StopReason : _first.Failure ?? reason, progress, _first.IsOver);
        _first.Leave(reason, progress);
    }

    /// <summary>Releases its buffers; the sessions are their owner's.</summary>
    public void Dispose()
    {
        _aggregate?.Dispose();
        _own?.Dispose();
        _evaluated?.Dispose();
    }

    private Span<float> Part(Span<float> whole, int shard) => whole[_bounds[shard].._bounds[shard + 1]];

    private bool Some(Func<WorkerSession, bool> has)
    {
        foreach (WorkerSession one in _all)
        {
            if (has(one))
                return true;
        }

        return false;
    }

    /// <summary>Tells the servers after the first what they must know of it.</summary>
    private void Changed(WorkerSession who)
    {
        ulong number = _first.PendingEvaluation;
        for (int j = 1; j < _all.Length; j++)
        {
            WorkerSession one = _all[j];
            if (who == one)
                (_askedFor[j], _toldCodec[j]) = (0, null); // over an earlier connection, perhaps
            if (number > 0 && one.PendingEvaluation != number && _askedFor[j] != number)
            {
                _askedFor[j] = number;
                one.AskEvaluation(number, _first.IsFinishing);
            }

            if (_first.Codec is { } codec && codec != one.Codec && codec != _toldCodec[j])
            {
                _toldCodec[j] = codec;
                one.TellCodec(codec);
            }
        }
    }
}
