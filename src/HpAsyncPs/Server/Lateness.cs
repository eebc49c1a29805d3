using System;

namespace HpAsyncPs.Server;

/// <summary>
/// How long a round waits beyond what its workers were expected to take. Times of late are kept as shares of what was expected; with F their distribution, n workers and the deadline d, a
/// round takes E[min(largest of n, d)], and a part 1 - F(d) of the work comes a round later. The d of the largest gain a second is taken (<see cref="QuorumChoice"/>). No clock.
/// </summary>
internal sealed class Lateness
{
    private const int Kept = 256;
    private const int LeastKnown = 32;
    private const double Unknown = 10; // until there are so many
    private const double MostTimes = 20; // an outage is no delay
    private const double Margin = 3; // on the largest that was seen

    private static readonly Comparison<double> Ascending = static (a, b) => a.CompareTo(b); // without one, native code makes a comparer each time

    private const int LeastOfDeadline = 2; // one alone goes elsewhere

    private readonly double[] _times = new double[Kept];
    private readonly double[] _sorted = new double[Kept];
    private int _seen;
    private int _thoughtAt;
    private (int Workers, bool Contracts) _thoughtOf;
    private double _deadline = Unknown;

    /// <summary>A worker took so many times what was expected.</summary>
    public void Add(double times) => _times[_seen++ % Kept] = Math.Min(times, MostTimes);

    /// <summary>
    /// Is a barrier, under which a round takes E[max_i m_i r] seconds, m_i those of a worker's pass and r one of the times, worth more than going on without, sum_i w_i / m_i passes a second
    /// of which a share counts?
    /// </summary>
    /// <param name="seconds">m_i; 0: not known.</param>
    /// <param name="shares">w_i.</param>
    /// <param name="worth">What a pass counts for where nobody waits, beside one under a barrier.</param>
    public (double Round, bool IsWorth) Barrier(ReadOnlySpan<double> seconds, ReadOnlySpan<double> shares, double worth)
    {
        double slowest = 0, rate = 0;
        for (int j = 0; j < seconds.Length; j++)
        {
            slowest = Math.Max(slowest, seconds[j]);
            rate += seconds[j] > 0 ? shares[j] / seconds[j] : 0;
        }

        int known = Math.Min(_seen, Kept);
        double round = known < LeastKnown ? slowest : 0, before = 0;
        Span<double> sorted = Sorted(known < LeastKnown ? 0 : known);
        foreach (double times in sorted)
        {
            double at = slowest * times, all = 1; // that all have pushed by then
            for (int j = 0; j < seconds.Length && all > 0; j++)
            {
                int place = seconds[j] > 0 ? sorted.BinarySearch(before / seconds[j]) : known;
                all *= (double)(place < 0 ? ~place : place) / known;
            }

            round += (at - before) * (1 - all);
            before = at;
        }

        return (round, round * rate * worth < 1);
    }

    private Span<double> Sorted(int known)
    {
        Span<double> sorted = _sorted.AsSpan(0, known);
        _times.AsSpan(0, known).CopyTo(sorted);
        sorted.Sort(Ascending);
        return sorted;
    }

    /// <summary>The deadline, in times of what was expected.</summary>
    /// <param name="workers">That are waited for.</param>
    /// <param name="contracts">Rounds are of two exchanges; else there is no deadline but beyond all that was seen.</param>
    public double Of(int workers, bool contracts)
    {
        int known = Math.Min(_seen, Kept);
        if (known < LeastKnown || (_seen - _thoughtAt < LeastKnown / 2 && _thoughtOf == (workers, contracts)))
            return _deadline;
        (_thoughtAt, _thoughtOf) = (_seen, (workers, contracts));
        Span<double> sorted = Sorted(known);
        double seconds = 0, before = 0, best = 0;
        for (int j = 0; j < known; j++)
        {
            seconds += (sorted[j] - before) * (1 - Math.Pow((double)j / known, workers));
            before = sorted[j];
            double late = 1 - ((j + 1.0) / known), rate = Gain(late) / Math.Max(1e-9, seconds);
            if (rate >= best && late < QuorumChoice.MostLate && ((contracts && workers > LeastOfDeadline) || j == known - 1))
                (best, _deadline) = (rate, j == known - 1 ? Margin * sorted[j] : sorted[j]);
        }

        return _deadline;
    }

    /// <summary>Of a round in which a part comes one round later: lambda = rho (1 - w + w / lambda).</summary>
    private static double Gain(double late)
    {
        double half = QuorumChoice.Contraction * (1 - late) / 2;
        return -Math.Log(Math.Min(1 - 1e-12, half + Math.Sqrt((half * half) + (QuorumChoice.Contraction * late))));
    }
}
