using System;

namespace HpAsyncPs.Server;

/// <summary>
/// Counts what the shard's thread allocates, and the collections of the process, from 0.2 s after training began until somebody leaves. A
/// status that is asked for meanwhile is counted too.
/// </summary>
public sealed class SteadyMeter
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.2);

    private readonly TimeProvider _time;
    private long _startedAt;
    private bool _measures;
    private long _bytesBefore;
    private int _collectionsBefore;

    internal SteadyMeter(TimeProvider time) => _time = time;

    /// <summary>Bytes; null when training ended before the first 0.2 s had passed. Once the server has ended.</summary>
    public long? AllocatedBytes { get; private set; }

    /// <summary>Collections of any generation; null like the bytes.</summary>
    public int? Collections { get; private set; }

    /// <summary>On the shard's thread, every few milliseconds while all train.</summary>
    internal void Observe()
    {
        long now = _time.GetTimestamp();
        if (_startedAt == 0)
            _startedAt = now;
        if (_time.GetElapsedTime(_startedAt, now) < WarmUp)
            return;
        if (!_measures)
        {
            _measures = true;
            _collectionsBefore = GC.CollectionCount(0);
            _bytesBefore = GC.GetAllocatedBytesForCurrentThread();
        }

        AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - _bytesBefore;
        Collections = GC.CollectionCount(0) - _collectionsBefore;
    }
}
