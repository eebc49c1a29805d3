using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>What a worker does at a moment.</summary>
public enum Activity
{
    /// <summary>Computing steps.</summary>
    Busy,

    /// <summary>Evaluating snapshots.</summary>
    Evaluating,

    /// <summary>Waiting for snapshots.</summary>
    Idle,
}

/// <summary>
/// When each worker computed, evaluated and waited, in bins over the whole run. When the run outgrows its bins, neighbours
/// are merged pairwise: memory is bounded, no second is lost, and recording allocates nothing. No I/O.
/// </summary>
public sealed class Timeline
{
    /// <summary>Bins over the run; a run that has merged once fills at least half of them.</summary>
    public const int MostBins = 240;

    /// <summary>Length of a bin in a run that has not merged yet.</summary>
    public const double ShortestBin = 0.005;

    private const double LongestRun = 1e12;
    private const int Activities = 3;

    private readonly double[] _seconds;
    private readonly Told[] _told;

    /// <param name="workers">Their number.</param>
    public Timeline(int workers)
    {
        _seconds = new double[workers * Activities * MostBins];
        _told = new Told[workers];
    }

    /// <summary>Number of workers.</summary>
    public int Workers => _told.Length;

    /// <summary>Length of a bin.</summary>
    public double BinSeconds { get; private set; } = ShortestBin;

    /// <summary>The last moment that a worker told of, in seconds since the start.</summary>
    public double Seconds { get; private set; }

    /// <summary>Bins that reach up to <see cref="Seconds"/>.</summary>
    public int Bins => Math.Min(MostBins, (int)Math.Ceiling(Seconds / BinSeconds));

    /// <summary>Seconds in each bin that a worker spent so.</summary>
    public ReadOnlySpan<double> Of(int rank, Activity activity) => Lane(rank, activity)[..Bins];

    /// <summary>
    /// A worker told where its time went. What is new is spread evenly from the last news on: an activity is told when it
    /// ends, so a message in the middle of a long step brings nothing new, and the step is not squeezed into the last of them.
    /// </summary>
    /// <param name="rank">Whose.</param>
    /// <param name="now">Seconds since the start.</param>
    /// <param name="total">Since it started. Whatever went down counts as unchanged.</param>
    public void Record(int rank, double now, in ProgressMessage total)
    {
        ref Told told = ref _told[rank];
        double busy = Math.Max(0, total.BusySeconds - told.Total.BusySeconds);
        double idle = Math.Max(0, total.IdleSeconds - told.Total.IdleSeconds);
        double evaluating = Math.Max(0, total.EvaluatingSeconds - told.Total.EvaluatingSeconds);
        if (!(busy + idle + evaluating > 0))
            return;
        now = now > 0 ? Math.Min(now, LongestRun) : 0;
        now = Math.Max(now, told.Until);
        while (now > BinSeconds * MostBins)
            Merge();
        Seconds = Math.Max(Seconds, now);
        Spread(Lane(rank, Activity.Busy), busy, told.Until, now);
        Spread(Lane(rank, Activity.Evaluating), evaluating, told.Until, now);
        Spread(Lane(rank, Activity.Idle), idle, told.Until, now);
        told.Total = new ProgressMessage(told.Total.BusySeconds + busy, told.Total.IdleSeconds + idle, told.Total.EvaluatingSeconds + evaluating);
        told.Until = now;
    }

    private Span<double> Lane(int rank, Activity activity) => _seconds.AsSpan(((rank * Activities) + (int)activity) * MostBins, MostBins);

    private void Spread(Span<double> lane, double amount, double from, double to)
    {
        int first = Math.Min(MostBins - 1, (int)(from / BinSeconds)), last = Math.Clamp((int)(to / BinSeconds), first, MostBins - 1);
        double left = amount, perSecond = to > from ? amount / (to - from) : 0;
        for (int bin = first; bin < last; bin++)
        {
            double part = Math.Clamp(perSecond * (((bin + 1) * BinSeconds) - Math.Max(from, bin * BinSeconds)), 0, left);
            lane[bin] += part;
            left -= part;
        }

        lane[last] += left;
    }

    private void Merge()
    {
        for (int begin = 0; begin < _seconds.Length; begin += MostBins)
        {
            Span<double> lane = _seconds.AsSpan(begin, MostBins);
            for (int bin = 0; bin < MostBins / 2; bin++)
                lane[bin] = lane[2 * bin] + lane[(2 * bin) + 1];
            lane[(MostBins / 2)..].Clear();
        }

        BinSeconds *= 2;
    }

    private struct Told
    {
        public ProgressMessage Total;

        public double Until;
    }
}
