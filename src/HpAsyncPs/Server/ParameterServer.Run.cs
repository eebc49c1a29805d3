using System;
using System.Collections.Generic;
using System.Numerics.Tensors;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Server;

/// <summary>The job: joining, training with evaluations, finishing.</summary>
public sealed partial class ParameterServer
{
    /// <summary>How often each side says that it is alive.</summary>
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(1);

    // Evaluations take at most a tenth of the time, and there are at most 200 for each doubling or so of it.
    private static readonly TimeSpan LeastBetweenEvaluations = TimeSpan.FromMilliseconds(20);
    private const double EvaluationShare = 9;
    private const double EvaluationsOfElapsed = 200;

    // A reader that takes longer for a snapshot holds a publication for itself.
    private static readonly TimeSpan SlowReading = TimeSpan.FromSeconds(2);

    private Timeline? _timeline;
    private readonly List<TraceRow> _trace = [];
    private Phase _phase = Phase.Joining;
    private Shard? _shard;
    private Session[] _members = [];
    private double[] _weights = [];
    private double _totalWeight;
    private double _weightedPasses;
    private double _rate;
    private int _left;
    private long _startedAt;
    private TimeSpan _trained;
    private Evaluation? _evaluation;
    private ulong _evaluations;
    private long _evaluateAt;
    private long _phaseUntil = long.MaxValue;
    private string? _stopWanted;
    private TimeSpan _finalTimeout;
    private bool _endsAtOnce; // it was asked to stop twice
    private string _reason = "";
    private string? _failure;
    private float[]? _model;
    private double? _objective;
    private IReadOnlyList<double> _values = [];

    private enum Phase
    {
        Joining,
        Training,
        Finishing,
        Collecting, // what other servers have of the model
        Leaving,
        Ended,
    }

    /// <summary>The job is over; <see cref="Result"/> is final.</summary>
    public bool HasEnded => _phase == Phase.Ended;

    /// <summary>Does what time demands: deadlines, evaluations, heartbeats. Call it every few milliseconds.</summary>
    public void Tick()
    {
        long now = _time.GetTimestamp();
        CheckPeers(now);
        SendHeartbeats(now);
        TickState(now);
        TickMonitor(now);
        switch (_phase)
        {
            case Phase.Joining when _stopWanted is not null:
                Fail($"The job was ended ({_stopWanted}) before all workers had joined: nothing was trained.");
                break;
            case Phase.Joining when _time.GetElapsedTime(_startedAt, now) > JoinLimit:
                Fail($"Not all workers joined within {JoinLimit.TotalSeconds:0} s; missing: rank {_admission.Missing()}. "
                    + "Start them, or the server with a longer --join-timeout.");
                break;
            case Phase.Training or Phase.Finishing when !_options.Shard.IsFirst && _stopWanted is not null && (_endsAtOnce || now > _phaseUntil):
                Fail($"This server was asked to end ({_stopWanted}) before the first one had ended the job.");
                break;
            case Phase.Collecting:
                Collect(now);
                break;
            case Phase.Training:
                LimitPublications(now);
                CheckReturning(now);
                SendToWaiting();
                if (_gathering is not null)
                {
                    if (_held + _returning > 0)
                        _gathering.Hold(Seconds());
                    else
                        _gathering.Tick(Seconds());
                    Release();
                }

                ChooseCodec(now);
                BeginAskedEvaluation();
                CheckStop(now);
                break;
            case Phase.Finishing when now > _phaseUntil:
                Log?.Invoke(LogLine.Warning("the last evaluation was not answered in time; the model is saved without its objective"));
                SendStop();
                break;
            case Phase.Leaving when _left == _members.Length || (now > _phaseUntil && (_endsAtOnce || !SomeMayHearStop(now))):
                End();
                break;
        }
    }

    /// <summary>
    /// Ends the job in order: a last evaluation, then the workers leave. Who is lost is not waited for any more. Asked again, it ends without
    /// the evaluation, and waits for nobody.
    /// </summary>
    /// <param name="reason">Why.</param>
    /// <param name="within">How long the last evaluation may take; what the options say if null.</param>
    /// <param name="mayInsist">A second wish is one to end at once. Not where one wish may come by two ways.</param>
    public void RequestStop(string reason, TimeSpan? within = null, bool mayInsist = true)
    {
        bool again = _stopWanted is not null && mayInsist;
        _stopWanted ??= reason;
        _endsAtOnce |= again;
        _finalTimeout = again ? TimeSpan.Zero : within ?? _finalTimeout;
        if (_phase is Phase.Finishing or Phase.Leaving)
            _phaseUntil = Math.Min(_phaseUntil, After(_finalTimeout));
        if (!_options.Shard.IsFirst && !again && _phase is Phase.Training or Phase.Finishing)
        {
            _phaseUntil = After(_finalTimeout);
            Log?.Invoke($"asked to stop: the first server ends the job; this one ends when it has, or after {_finalTimeout.TotalSeconds:0.#} s, or asked again");
            return;
        }

        if (again && _phase is Phase.Training or Phase.Finishing or Phase.Leaving)
            Log?.Invoke("asked to stop again: it ends at once, and the model is saved without its objective where that is not known");
        else if (_phase == Phase.Training)
            Log?.Invoke($"stopping: the model is evaluated for the last time, for {_finalTimeout.TotalSeconds:0.#} s at most; asked again, it is not");
    }

    private void Start()
    {
        if (!TryGoOn() || !TryChooseRate())
            return;
        try
        {
            Assemble();
        }
        catch (OutOfMemoryException)
        {
            Fail($"This machine's memory does not take {OwnParameters} parameters for {_options.Workers} workers: use a larger one.");
            return;
        }

        _phase = Phase.Training;
        long now = _startedAt = _time.GetTimestamp();
        bool goesOn = _earlier is not null;
        if (_earlier is { } earlier)
            BeginFrom(earlier, earlier.Seconds);
        KeepStart();
        Open();
        foreach (Session member in _members)
        {
            if (!member.Joined.IsFresh)
                AwaitVector(member);
        }

        foreach (Session member in _members)
        {
            if (!member.Joined.IsFresh || goesOn)
                Resynchronise(member);
            else if (member.Joined.Attempt <= 1)
                member.BeginsWithZeros(); // else it may have had snapshots of an earlier life of this server
            SendStart(member);
            SendDue(member);
        }

        _monitor.Begin(Seconds());
        Tell(MonitorEventKind.Phase, $"all {_members.Length} workers are here, training {(goesOn ? "goes on" : "begins")}");
        _evaluateAt = _options is { Evaluates: true, Shard.IsFirst: true } ? now : long.MaxValue;
        CheckStop(now);
    }

    /// <summary>The arrays of the job and the shard, when all have joined.</summary>
    /// <exception cref="OutOfMemoryException">They do not fit.</exception>
    private void Assemble()
    {
        int parameters = OwnParameters;
        _members = _admission.Members();
        (long least, long most) = Shard.BytesPerParameter(_members.Length, _policy.Optimizer, LeastPublications, Codes(_admission.RowLength));
        Log?.Invoke($"{parameters} parameters for {_members.Length} workers take {parameters * least / 1e6:0.0} MB, "
            + $"with slow readers up to {parameters * most / 1e6:0.0} MB, of {AvailableBytes / 1e6:0} MB");
        _weights = Array.ConvertAll(_members, static member => member.Joined.Weight);
        _totalWeight = TensorPrimitives.Sum<double>(_weights);
        _clocks = new ulong[_members.Length];
        _slowest = _members.Length;
        _timeline = new Timeline(_members.Length);
        _speeds = new Speeds(_weights);
        _gathering = _policy.Gathers ? new Gathering(_weights, _speeds) { Decided = Decided } : null;
        _policy.Optimizer?.Start(parameters, Limits.ChunkKeys(1, _members.Length, _options.MostChunkKeys), _rate);
        _shard = new Shard(parameters, _admission.RowLength, _weights, _admission.Aggregate, _policy.Optimizer, _options.MostChunkKeys, _options.MaxMagnitude);
        LimitPublications(_startedAt);
        _shard.Reserve(_shard.MostPublications);
        AssembleCoding(parameters);
    }

    /// <summary>The learning rate, where the policy has one. False when there is none: the job has failed then.</summary>
    private bool TryChooseRate()
    {
        if (_policy.Optimizer is not { } optimizer)
            return true;
        _rate = _options.Rate ?? _earlier?.Rate ?? optimizer.DefaultRate(_admission.Agreed is [var smoothness, ..] ? smoothness : 0, _options.Workers);
        if (_rate > 0)
            Log?.Invoke($"the learning rate of {optimizer.Name} is {_rate:g6}");
        else
            Fail($"No learning rate for {optimizer.Name} can be told from the data: give the server a --rate.");
        return _rate > 0;
    }

    private void CheckStop(long now)
    {
        if (!_options.Shard.IsFirst)
            return; // the first server says when
        if (_stopWanted is not null)
            Finish(_stopWanted);
        else if (_options.Passes is { } passes && _totalWeight > 0 && _weightedPasses >= passes * _totalWeight && (_rounds > 0 || _policy.Optimizer is not null))
            Finish("passes"); // not while somebody's part is missing from the aggregate: it would be no model
        else if (_options.TimeLimit is { } limit && _time.GetElapsedTime(_startedAt, now) >= limit)
            Finish("time limit");
        else if (now >= _evaluateAt && _evaluation is null && _returning == 0)
            BeginEvaluation();
    }

    /// <summary>Training is over: freeze the model and have it evaluated.</summary>
    private void Finish(string reason)
    {
        if (_options is { Shard: { IsFirst: true, Count: > 1 }, Evaluates: true } && _shard!.Version == 0)
        {
            Fail($"Training ended ({reason}) before any push had come: nothing was trained. Are all {_options.Shard.Count} servers there, and do all workers name them in the order of their shards?");
            return;
        }

        _phase = Phase.Finishing;
        _reason = reason;
        _trained = _time.GetElapsedTime(_startedAt);
        Note(MonitorEventKind.Phase, $"training ends: {reason}");
        DropEvaluation();
        _shard!.MostPublications = int.MaxValue; // the model must be had
        if (!CloseOpening(isEnd: true))
            NameUnheard();
        _phaseUntil = After(_finalTimeout);
        if (_stopWanted is not null)
            DismissTheLost();
        if (_options.Evaluates && _left < _members.Length && _shard!.Version > 0)
            BeginEvaluation();
        _model = _evaluation?.Values.ToArray() ?? CopyModel();
        if (_evaluation is null)
            SendStop();
    }

    /// <summary>Training ends before some were heard at all: the model is that of the others, and it is said.</summary>
    private void NameUnheard()
    {
        if (_rounds > 0 || _policy.Optimizer is not null || _shard!.Version == 0)
            return;
        _shard.CountOnlyHeard();
        string unheard = "";
        for (int rank = 0; rank < _clocks.Length; rank++)
            unheard += _clocks[rank] > 0 ? "" : $"{(unheard.Length > 0 ? ", " : "")}{rank}";
        Log?.Invoke(LogLine.Warning($"training ends before rank {unheard} has pushed: the model lacks what is learned there"));
    }

    private void SendStop()
    {
        if (BeginsToCollect())
            return;
        _phase = Phase.Leaving;
        _phaseUntil = _endsAtOnce ? 0 : After(_options.LeaveTimeout);
        DropEvaluation();
        foreach (Session member in _members)
        {
            if (!member.IsAbsent)
                SendText(member, FrameKind.Stop, _reason);
        }
    }

    private void Fail(string failure)
    {
        Tell(MonitorEventKind.Phase, new LogLine(failure, LogLevel.Error));
        _failure = failure;
        _reason = "failed";
        if (_phase is Phase.Training or Phase.Finishing)
        {
            _trained = _phase == Phase.Training ? _time.GetElapsedTime(_startedAt) : _trained;
            _shard!.MostPublications = int.MaxValue;
            _model = _options.Shard.Count > 1 ? null : _model ?? CopyModel(); // a part of one is no model
        }

        foreach (Peer peer in _peers)
        {
            if (peer.Session is { } session)
                SendText(session, FrameKind.Refused, failure, FrameFlags.Final);
        }

        End();
    }

    private void End()
    {
        DropCheckpoint();
        DropEvaluation();
        CloseOpening(isEnd: true);
        _phase = Phase.Ended;
        foreach (Peer peer in _peers)
        {
            peer.Close();
            if (peer.Session is { } session)
                EndSending(session);
        }

        _shard?.ForgetNewest();
    }

    /// <summary>The model; null before the first push, or if a push that was refused has driven it out of the range of numbers.</summary>
    private float[]? CopyModel()
    {
        if (_shard!.Version == 0 || _shard.TryPublish() is not { } publication)
            return null;
        float[]? model = TensorPrimitives.IsFiniteAll(publication.Values) ? publication.Values.ToArray() : null;
        _shard.Release(publication);
        return model;
    }
}
