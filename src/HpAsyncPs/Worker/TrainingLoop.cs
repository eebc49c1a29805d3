using System;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <summary>What a worker does next.</summary>
public enum NextAction
{
    /// <summary>Compute a step and push it.</summary>
    Step,

    /// <summary>Evaluate a snapshot.</summary>
    Evaluate,

    /// <summary>Wait for a message, or for the time that was given.</summary>
    Wait,

    /// <summary>Send a piece of the model to the first server, which collects it.</summary>
    Deliver,

    /// <summary>Leave.</summary>
    Leave,
}

/// <summary>
/// The loop that never waits for the network, as a state machine: a driver asks what is next and does it. After each push
/// it asks for a snapshot and gives it a second to arrive (or two steps' time, if that is longer); then it goes on from the snapshot it has, corrected
/// by what it pushed itself, until the window of unseen pushes is full. Only then it idles, and counts the time. A policy
/// with a barrier makes it wait for each snapshot.
/// Source of the repeated local step: Mishchenko, Iutzeler, Malick, Amini, A Delay-tolerant Proximal-Gradient Algorithm
/// for Distributed Learning, ICML 2018, algorithm 1.
/// </summary>
public sealed class TrainingLoop : IDisposable
{
    // Steps from an old snapshot bring less than they cost when the servers or the links are busy: docs/adr/0004.
    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(1);
    private const double PatienceInSteps = 2;

    private readonly JobSession _session;
    private readonly ITask _task;
    private readonly TimeProvider _time;
    private readonly FloatBuffer _x;
    private readonly double[] _values;
    private readonly bool _waits;
    private double _passes;
    private double _stepPasses;
    private bool _begun;
    private bool _hasHalves; // the task makes two exchanges of a round
    private int _repeats; // of the last push, that are still to be made
    private bool _isRepeat;
    private bool _isTogether; // a snapshot that was taken for a repeat began a round
    private bool _hasTaken; // a newer snapshot than that of the last step
    private CancellationToken _interrupt; // of the step under way
    private long _steppedAt;
    private long _pulledAt;
    private TimeSpan _patience;
    private TimeSpan _busy;
    private TimeSpan _idle;
    private TimeSpan _evaluating;

    /// <param name="session">With the one server of the job, started.</param>
    /// <param name="task">What is learned.</param>
    /// <param name="time">The clock.</param>
    public TrainingLoop(WorkerSession session, ITask task, TimeProvider time)
        : this(new JobSession(session), task, time)
    {
    }

    /// <param name="session">With all servers of the job, started.</param>
    /// <param name="task">What is learned.</param>
    /// <param name="time">The clock.</param>
    public TrainingLoop(JobSession session, ITask task, TimeProvider time)
    {
        _session = session;
        _task = task;
        _time = time;
        _waits = session.Started.Waits;
        _x = new FloatPool(session.Started.Parameters, 1, "the vector of a training loop").Lease();
        _x.Span.Clear();
        _values = new double[task.Values];
    }

    /// <summary>Where the time went.</summary>
    public ProgressMessage Progress => new(_busy.TotalSeconds, _idle.TotalSeconds, _evaluating.TotalSeconds);

    /// <summary>Passes over this worker's data.</summary>
    public double Passes => _passes;

    /// <summary>What to do next.</summary>
    /// <param name="wait">With <see cref="NextAction.Wait"/>: for how long at most.</param>
    public NextAction Next(out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        lock (_session.Gate)
        {
            if (_session.HasEnded)
                return NextAction.Leave;
            if (_session.HasEvaluation)
                return NextAction.Evaluate;
            if (_session.WantsModel)
                return NextAction.Deliver;
            if (_session.IsFinishing || (!_begun && _session.AwaitsSnapshot))
                return NextAction.Wait;
            if (_session.AwaitsEvaluation && (wait = _patience - _time.GetElapsedTime(_pulledAt)) > TimeSpan.Zero)
                return NextAction.Wait; // the other servers' parts are a round trip away: all wait for this worker's answer
            wait = Timeout.InfiniteTimeSpan;
            _hasTaken |= _session.MakeRoom();
            if (!_session.HasRoom)
            {
                _session.Pull(); // the last one may have been answered before the server had what fills the window
                return NextAction.Wait; // for that, or for acknowledgements: a step that could not be pushed would be for nothing
            }

            if (!_begun || _hasTaken || _session.HasNewer)
                return NextAction.Step;
            if (_waits)
                return NextAction.Wait;
            wait = _patience - _time.GetElapsedTime(_pulledAt);
            return wait > TimeSpan.Zero ? NextAction.Wait : NextAction.Step;
        }
    }

    /// <summary>Passes over the data that the last step took.</summary>
    public double StepPasses => _stepPasses;

    /// <summary>Computes a step, pushes it, and asks for the next snapshot.</summary>
    public void Step()
    {
        Compute();
        Complete();
    }

    /// <summary>The first half of <see cref="Step"/>: computes. On a virtual clock, the step's time passes after it.</summary>
    public void Compute()
    {
        _isRepeat = _repeats > 0 && (_hasTaken || _session.HasNewer);
        if (_isRepeat)
        {
            BeginRepeat();
            return;
        }

        _steppedAt = _time.GetTimestamp();
        (_begun, _hasTaken) = (true, false);
        ReadOnlySpan<float> z = _session.TakeCorrected();
        _interrupt = _session.Interrupt;
        var input = new StepInput(z, _session.Reconstruction, _session.JobPasses, _session.Rounds, _session.Share, _session.Lag, _session.IsTogether || _isTogether, _interrupt);
        _stepPasses = _task.Step(input, _x.Span);
        _isTogether = false;
        _hasHalves |= _task.IsHalf;
        _repeats = _hasHalves ? _session.Repeats : 0;
    }

    /// <summary>
    /// The vector that was pushed last is pushed again: what the codec left out of it, before anybody goes on from it. The server answers with what it left out of the
    /// last snapshot. Steps of full length on a problem of many scales do not stand what a coarse codec leaves out: docs/algorithms.md.
    /// </summary>
    private void BeginRepeat()
    {
        _repeats--;
        _steppedAt = _time.GetTimestamp();
        _hasTaken = false;
        _session.TakeCorrected();
        _isTogether |= _session.IsTogether;
        _interrupt = _session.Interrupt;
        _stepPasses = 0;
    }

    /// <summary>The second half: pushes what was computed, unless training ended meanwhile, and asks for a snapshot.</summary>
    public void Complete()
    {
        if (!_interrupt.IsCancellationRequested)
        {
            _passes += _stepPasses;
            if (!_session.TryPush(_x.Span, _passes, pulls: true, isHalf: _task.IsHalf || _isRepeat))
                _session.Pull();
        }

        _pulledAt = _time.GetTimestamp();
        TimeSpan took = _time.GetElapsedTime(_steppedAt, _pulledAt);
        _patience = TimeSpan.FromTicks(Math.Max(LeastPatience.Ticks, (took * PatienceInSteps).Ticks));
        _busy += took;
    }

    /// <summary>Evaluates the snapshot that was asked for.</summary>
    public void Evaluate()
    {
        long start = _time.GetTimestamp();
        if (!_session.TryTakeEvaluation(out ReadOnlySpan<float> vector))
            return;
        _task.Evaluate(vector, _values, _session.IsFinishing);
        _session.Answer(_values);
        _evaluating += _time.GetElapsedTime(start);
    }

    /// <summary>Sends the next piece of the model.</summary>
    public void Deliver() => _session.SendModel();

    /// <summary>Time spent waiting, told by the driver.</summary>
    public void Waited(TimeSpan time) => _idle += time;

    /// <summary>Time of an evaluation that the clock did not see pass, told by the driver.</summary>
    public void Evaluated(TimeSpan time) => _evaluating += time;

    /// <inheritdoc/>
    public void Dispose() => _x.Dispose();
}
