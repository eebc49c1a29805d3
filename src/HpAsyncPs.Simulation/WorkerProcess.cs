using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Simulation;

/// <summary>
/// What drives a worker's loop on the virtual clock, as WorkerRun does in a process: computes at once, and lets the time pass that a step
/// takes before its result is pushed. Evaluations take the time that the worker says, at first none.
/// </summary>
/// <param name="worker">Who.</param>
/// <param name="join">How it joins.</param>
/// <param name="server">Where it sends.</param>
/// <param name="core">Of the computing thread, which codes and sends pushes as well; null: that takes no time.</param>
/// <param name="clock">The clock.</param>
/// <param name="events">Where time passes.</param>
internal sealed class WorkerProcess(SimulatedWorker worker, WorkerOptions join, IFrameSink server, Core? core, VirtualClock clock, EventQueue events) : IDisposable
{
    // A step without any data would take no time, and the clock would stand still.
    private static readonly TimeSpan LeastStep = TimeSpan.FromMicroseconds(1);

    private readonly WorkerSession _session = new(join, clock, server);
    private TrainingLoop? _loop;
    private long _startedAt;
    private bool _isBusy;
    private bool _isEvaluating;
    private long _steps;
    private bool _isWaiting;
    private long _waitingSince;
    private long _wakeAt = long.MaxValue;
    private bool _hasLeft;

    public WorkerSession Session => _session;

    /// <summary>Something may have changed: goes on until time has to pass or a message has to arrive.</summary>
    public void Act()
    {
        if (_loop is null)
        {
            if (_session.Started is not { } started)
                return;
            worker.Task.Start(started);
            _startedAt = clock.Now;
            _loop = new TrainingLoop(_session, worker.Task, clock);
        }

        if (_isEvaluating)
            return;
        if (_isBusy)
        {
            if (!_session.Interrupt.IsCancellationRequested)
                return;
            CompleteStep();
        }

        CountWaiting();
        _isWaiting = false;
        while (TakeAction(_loop))
        {
        }
    }

    /// <summary>Tells the server where the time went, now and then.</summary>
    public void Tick()
    {
        if (_loop is null || _hasLeft)
            return;
        CountWaiting();
        _session.Tick(_loop.Progress);
    }

    public void Dispose()
    {
        _loop?.Dispose();
        _session.Dispose();
    }

    /// <summary>True if the next action can follow at once.</summary>
    private bool TakeAction(TrainingLoop loop)
    {
        switch (loop.Next(out TimeSpan wait))
        {
            case NextAction.Step:
                BeginStep(loop);
                return false;
            case NextAction.Evaluate when worker.EvaluationTime > TimeSpan.Zero:
                BeginEvaluation(loop);
                return false;
            case NextAction.Evaluate:
                loop.Evaluate();
                return true;
            case NextAction.Leave:
                if (!_hasLeft)
                    _session.Leave("done", loop.Progress);
                _hasLeft = true;
                return false;
            default:
                _isWaiting = true;
                _waitingSince = clock.Now;
                WakeAfter(wait);
                return false;
        }
    }

    private void BeginStep(TrainingLoop loop)
    {
        bool isSecond = worker.Task.IsHalf;
        loop.Compute();
        double passes = loop.StepPasses, gradient = isSecond || passes < 1 ? 0 : 1 - worker.GradientPass;
        _isBusy = true;
        long step = ++_steps;
        Spend(worker.PassTime, passes - gradient, worker.Slowness.Draw(), _ =>
        {
            if (!_isBusy || step != _steps)
                return; // it was interrupted
            CompleteStep();
            Act();
        });
    }

    private void BeginEvaluation(TrainingLoop loop)
    {
        _isEvaluating = true;
        Spend(worker.EvaluationTime, 1, 1, took =>
        {
            _isEvaluating = false;
            if (loop.Next(out _) == NextAction.Evaluate)
                loop.Evaluate(); // else it was dropped meanwhile
            loop.Evaluated(took);
            Act();
        });
    }

    private TimeSpan Since() => TimeSpan.FromTicks((clock.Now - _startedAt) / VirtualClock.NanosecondsPerTick);

    /// <summary>Lets the time of computing pass, once the thread is done with sending. On shared cores a slow worker sleeps, as in a process.</summary>
    /// <param name="unit">A time at full speed.</param>
    /// <param name="count">How often.</param>
    /// <param name="drawn">How many times longer it takes at random.</param>
    /// <param name="done">What follows, and how long it took.</param>
    private void Spend(TimeSpan unit, double count, double drawn, Action<TimeSpan> done)
    {
        if (core is null)
            Compute();
        else
            core.AfterSending(Compute);

        void Compute()
        {
            TimeSpan begin = Since();
            if (core is not { IsShared: true })
            {
                TimeSpan alone = Longer(LeastStep, worker.Slowness.Stretch(begin, unit, count * drawn));
                events.Add(clock.After(alone), () => done(alone));
                return;
            }

            long from = clock.Now;
            core.Run((long)Math.Max(LeastStep.TotalNanoseconds, unit.TotalNanoseconds * count), () =>
            {
                TimeSpan busy = clock.GetElapsedTime(from), all = Longer(busy, worker.Slowness.Stretch(begin, busy, drawn));
                events.Add(clock.After(all - busy), () => done(all));
            });
        }
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private void CompleteStep()
    {
        _isBusy = false;
        _loop!.Complete();
    }

    private void WakeAfter(TimeSpan wait)
    {
        if (wait <= TimeSpan.Zero || clock.After(wait) >= _wakeAt)
            return; // infinite, or it will wake before and look again
        _wakeAt = clock.After(wait);
        events.Add(_wakeAt, () =>
        {
            _wakeAt = long.MaxValue;
            if (!_isBusy)
                Act();
        });
    }

    private void CountWaiting()
    {
        if (!_isWaiting)
            return;
        _loop!.Waited(clock.GetElapsedTime(_waitingSince));
        _waitingSince = clock.Now;
    }
}
