using System;
using System.Numerics;
using HdrHistogram;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>
/// Version lags of all applied pushes of a run: how many pushes the shard had applied since the snapshot that a push was computed
/// from. No I/O; recording allocates nothing.
/// </summary>
public sealed class LagHistogram
{
    private const long LargestLag = 10_000_000;
    private const int SignificantDigits = 2;

    // Lags up to 3 have a bin each; from there on every power of two is halved: 4-5, 6-7, 8-11, 12-15, ...
    private const int ExactBins = 4;
    private const int BinsOfPower = 2;
    private const int MostBins = ExactBins + (BinsOfPower * 61);

    private readonly LongHistogram _lags = new(1, LargestLag, SignificantDigits);
    private readonly long[] _bins = new long[MostBins];

    /// <summary>Largest lag seen, exact.</summary>
    public long Max { get; private set; }

    /// <summary>Records one applied push.</summary>
    /// <param name="lag">In versions; larger ones than 10^7 count as that in the percentiles.</param>
    public void Record(long lag)
    {
        Max = Math.Max(Max, lag);
        _lags.RecordValue(Math.Min(lag, LargestLag));
        _bins[BinOf(lag)]++;
    }

    /// <summary>The lag that this share of the pushes does not exceed, within 1 %.</summary>
    /// <param name="percent">0 to 100.</param>
    public long Percentile(double percent) => _lags.TotalCount == 0 ? 0 : Math.Min(Max, _lags.GetValueAtPercentile(percent));

    /// <summary>All pushes by their lag, from 0 to the bin of the largest that was seen. Empty before the first push.</summary>
    public StalenessBin[] Bins()
    {
        if (_lags.TotalCount == 0)
            return [];
        var bins = new StalenessBin[BinOf(Max) + 1];
        for (int bin = 0; bin < bins.Length; bin++)
            bins[bin] = new StalenessBin(LeastOf(bin), LeastOf(bin + 1) - 1, _bins[bin]);
        return bins;
    }

    private static int BinOf(long lag)
    {
        if (lag < ExactBins)
            return (int)lag;
        int power = BitOperations.Log2((ulong)lag);
        return ExactBins + (BinsOfPower * (power - 2)) + (int)((lag >> (power - 1)) & 1);
    }

    private static long LeastOf(int bin)
    {
        if (bin < ExactBins)
            return bin;
        int power = 2 + ((bin - ExactBins) / BinsOfPower);
        return (1L << power) + ((bin - ExactBins) % BinsOfPower * (1L << (power - 1)));
    }
}
