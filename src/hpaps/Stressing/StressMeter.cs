using System;
using System.Collections.Generic;
using System.Threading;
using HdrHistogram;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>
/// Counts what is completed between two completions: the first one after the warm-up, and the first one after the measured time. On the
/// loop's thread, but for what says otherwise; nothing is allocated while it measures.
/// </summary>
internal sealed class StressMeter(TimeProvider time, double seconds, EventWaitHandle wake)
{
    private const long MostNanoseconds = 100_000_000_000;
    private const int SignificantDigits = 3;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.2);

    private readonly LongHistogram _latencies = new(1, MostNanoseconds, SignificantDigits);
    private long _startedAt;
    private long _beganAt;
    private long _allocatedBefore;
    private int _collectionsBefore;
    private TimeSpan _processorBefore;
    private long _messages;
    private int _state;

    private enum State
    {
        WarmingUp,
        Measuring,
        Over,
    }

    /// <summary>On any thread.</summary>
    public bool IsMeasuring => Volatile.Read(ref _state) >= (int)State.Measuring;

    /// <summary>The measured time is over. On any thread.</summary>
    public bool IsOver => Volatile.Read(ref _state) == (int)State.Over;

    /// <summary>Messages that were completed while it measured. On any thread.</summary>
    public long Messages => Volatile.Read(ref _messages);

    /// <summary>From the first completion to the last.</summary>
    public double Seconds { get; private set; }

    public long AllocatedBytes { get; private set; }

    public int Collections { get; private set; }

    public double ProcessorSeconds { get; private set; }

    public void Start()
    {
        // What the histogram takes at its first use is not to be counted.
        _latencies.RecordValue(1);
        _latencies.Reset();
        _startedAt = time.GetTimestamp();
    }

    /// <summary>One is complete.</summary>
    /// <param name="begunAt">When its first byte was sent.</param>
    /// <param name="now">Now.</param>
    public void Complete(long begunAt, long now)
    {
        if (_state == (int)State.WarmingUp)
        {
            if (time.GetElapsedTime(_startedAt, now) >= WarmUp)
                Begin(now);
            return;
        }

        if (_state == (int)State.Over)
            return;
        Volatile.Write(ref _messages, _messages + 1);
        long nanoseconds = (long)(time.GetElapsedTime(begunAt, now).TotalMilliseconds * 1e6);
        _latencies.RecordValue(Math.Clamp(nanoseconds, 1, MostNanoseconds));
        if (time.GetElapsedTime(_beganAt, now).TotalSeconds >= seconds)
            End(now);
    }

    /// <summary>The latencies: nanoseconds, count, nanoseconds, count, ... When it is over, on any thread.</summary>
    public long[] Latencies()
    {
        var list = new List<long>();
        foreach (HdrHistogram.Iteration.HistogramIterationValue value in _latencies.RecordedValues())
        {
            list.Add(value.ValueIteratedTo);
            list.Add(value.CountAtValueIteratedTo);
        }

        return [.. list];
    }

    /// <summary>A histogram to add latencies of several workers to.</summary>
    public static LongHistogram Empty() => new(1, MostNanoseconds, SignificantDigits);

    private void Begin(long now)
    {
        _beganAt = now;
        Volatile.Write(ref _state, (int)State.Measuring);
        wake.Set();
        _processorBefore = Environment.CpuUsage.TotalTime;
        _collectionsBefore = GC.CollectionCount(0);
        _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
    }

    private void End(long now)
    {
        AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore;
        Collections = GC.CollectionCount(0) - _collectionsBefore;
        ProcessorSeconds = (Environment.CpuUsage.TotalTime - _processorBefore).TotalSeconds;
        Seconds = time.GetElapsedTime(_beganAt, now).TotalSeconds;
        Volatile.Write(ref _state, (int)State.Over);
        wake.Set();
    }
}
