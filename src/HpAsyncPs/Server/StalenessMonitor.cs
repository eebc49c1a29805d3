using System;
using HdrHistogram;

namespace HpAsyncPs.Server;

/// <summary>
/// Version lags of applied pushes: how many pushes the shard had applied since the snapshot that a push was computed
/// from. No I/O; recording allocates nothing.
/// </summary>
public sealed class StalenessMonitor
{
    private const long LargestLag = 10_000_000;
    private const int SignificantDigits = 2;

    private readonly LongHistogram _lags = new(1, LargestLag, SignificantDigits);

    /// <summary>Largest lag seen, exact.</summary>
    public long Max { get; private set; }

    /// <summary>Records one applied push.</summary>
    /// <param name="lag">In versions; larger ones than 10^7 count as that in the percentiles.</param>
    public void Record(long lag)
    {
        Max = Math.Max(Max, lag);
        _lags.RecordValue(Math.Min(lag, LargestLag));
    }

    /// <summary>The lag that this share of the pushes does not exceed, within 1 %.</summary>
    /// <param name="percent">0 to 100.</param>
    public long Percentile(double percent) => _lags.TotalCount == 0 ? 0 : Math.Min(Max, _lags.GetValueAtPercentile(percent));
}
