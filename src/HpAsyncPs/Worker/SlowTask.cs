using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <summary>
/// A task on a machine that is slower: sleeps for what each step and each evaluation would take longer there. Short sleeps are saved
/// up, because the system cannot sleep for less than about a tenth of a millisecond. A step cannot be faster than it is: a
/// draw that would make it so counts as no slowness at all.
/// </summary>
public sealed class SlowTask(ITask task, Slowness slowness, TimeProvider time) : ITask
{
    private static readonly TimeSpan LeastSleep = TimeSpan.FromMilliseconds(1);

    private CancellationToken _interrupt;
    private TimeSpan _owed;
    private long _trainingAt = time.GetTimestamp();

    /// <inheritdoc/>
    public int Parameters => task.Parameters;

    /// <inheritdoc/>
    public int RowLength => task.RowLength;

    /// <inheritdoc/>
    public Aggregate Aggregate => task.Aggregate;

    /// <inheritdoc/>
    public double Weight => task.Weight;

    /// <inheritdoc/>
    public double[] Agreed => task.Agreed;

    /// <inheritdoc/>
    public double[] Loads => task.Loads;

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, string>> Settings => task.Settings;

    /// <inheritdoc/>
    public int Values => task.Values;

    /// <inheritdoc/>
    public bool IsHalf => task.IsHalf;

    /// <inheritdoc/>
    public void Start(StartMessage agreed)
    {
        task.Start(agreed);
        _trainingAt = time.GetTimestamp();
    }

    /// <inheritdoc/>
    public double Step(in StepInput input, Span<float> x)
    {
        _interrupt = input.Interrupt;
        long start = time.GetTimestamp();
        double passes = task.Step(input, x);
        Sleep(start, slowness.Draw());
        return passes;
    }

    /// <inheritdoc/>
    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
    {
        long start = time.GetTimestamp();
        task.Evaluate(z, values, isLast);
        Sleep(start, 1);
    }

    private void Sleep(long begin, double drawn)
    {
        TimeSpan took = time.GetElapsedTime(begin);
        TimeSpan slow = slowness.Stretch(time.GetElapsedTime(_trainingAt, begin), took, drawn);
        if (slow > took)
            _owed += slow - took;
        if (_owed < LeastSleep || _interrupt.IsCancellationRequested)
            return;
        long start = time.GetTimestamp();
        if (_interrupt.CanBeCanceled)
            _interrupt.WaitHandle.WaitOne(_owed);
        else
            Thread.Sleep(_owed);
        _owed -= time.GetElapsedTime(start);
    }
}
