using System;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>Quantiles of a number lately, and the largest.</summary>
/// <param name="P50">Half of them are no larger; NaN: there were none.</param>
/// <param name="P90">90 % are no larger.</param>
/// <param name="P99">99 % are no larger.</param>
/// <param name="Max">The largest.</param>
public readonly record struct Quantiles(double P50, double P90, double P99, double Max)
{
    /// <summary>Of nothing.</summary>
    public static Quantiles None { get; } = new(double.NaN, double.NaN, double.NaN, double.NaN);
}

/// <summary>
/// Quantiles over about the last minute, and over at least the last <see cref="LeastKept"/> numbers: two histograms, of which the older is emptied and becomes the newer when the
/// newer has got <see cref="HalfSeconds"/> old and has as many numbers. Bins are 16 for each power of two, so whole numbers up to 31 are exact and others within 3 %. Memory is that of the
/// bins; recording takes the same few instructions whatever was recorded, and allocates nothing. No clock, no I/O.
/// </summary>
internal sealed class WindowedQuantiles
{
    /// <summary>Seconds after which a histogram begins to be the older one.</summary>
    public const double HalfSeconds = 40;

    /// <summary>Numbers, of those that there were, that are always in the window.</summary>
    public const int LeastKept = 64;

    private const int FractionBits = 52;
    private const int BinBits = 4;
    private const int Below = 1; // one bin for what is less than the least

    private readonly uint[] _counts; // two histograms, one behind the other
    private readonly long _first;
    private readonly int _bins;
    private Half _newer = new(0);
    private Half _older;
    private double _since;

    /// <param name="leastPower">Numbers below 2 to this power are one bin.</param>
    /// <param name="mostPower">Numbers from 2 to this power on are one bin.</param>
    public WindowedQuantiles(int leastPower, int mostPower)
    {
        _first = IndexOf(Math.ScaleB(1, leastPower));
        _bins = Below + ((mostPower - leastPower) << BinBits) + 1;
        _counts = new uint[2 * _bins];
        _older = new Half(_bins);
    }

    /// <summary>Bytes of its bins.</summary>
    public int Bytes => _counts.Length * sizeof(uint);

    /// <summary>Numbers in the window.</summary>
    public long Count => (long)_newer.Total + _older.Total;

    /// <summary>Takes a number, which is not negative.</summary>
    /// <param name="value">What was measured.</param>
    /// <param name="now">Seconds; never less than before.</param>
    public void Record(double value, double now)
    {
        if (now - _since >= HalfSeconds && _newer.Total >= LeastKept)
            Turn(now);
        int bin = (int)Math.Clamp(IndexOf(value) - _first + Below, 0, _bins - 1);
        ref Half newer = ref _newer;
        _counts[newer.Begin + bin]++;
        newer.Total++;
        newer.Max = Math.Max(newer.Max, value);
        newer.Lowest = Math.Min(newer.Lowest, bin);
        newer.Highest = Math.Max(newer.Highest, bin);
    }

    /// <summary>The quantiles now.</summary>
    public Quantiles Read()
    {
        if (Count == 0)
            return Quantiles.None;
        int bin = Math.Min(_newer.Lowest, _older.Lowest), highest = Math.Max(_newer.Highest, _older.Highest);
        long seen = 0;
        double max = Math.Max(_newer.Max, _older.Max);
        return new Quantiles(Next(0.5), Next(0.9), Next(0.99), max);

        // The number that this share does not exceed, from where the one before was found.
        double Next(double share)
        {
            for (long wanted = (long)Math.Ceiling(share * Count); ; bin++)
            {
                long more = (long)_counts[bin] + _counts[_bins + bin];
                if (seen + more >= wanted || bin == highest)
                    return Math.Min(max, MiddleOf(bin));
                seen += more;
            }
        }
    }

    private void Turn(double now)
    {
        (_older, _newer, _since) = (_newer, new Half(_older.Begin), now);
        _counts.AsSpan(_newer.Begin, _bins).Clear();
    }

    // The exponent and the first bits of the fraction: no logarithm is taken.
    private static long IndexOf(double value) => BitConverter.DoubleToInt64Bits(value) >> (FractionBits - BinBits);

    private double MiddleOf(int bin)
    {
        if (bin < Below)
            return 0;
        double low = BitConverter.Int64BitsToDouble((_first + bin - Below) << (FractionBits - BinBits));
        double high = BitConverter.Int64BitsToDouble((_first + bin) << (FractionBits - BinBits));
        double middle = (low + high) / 2;
        return low >= 1 && high - low <= 1 ? Math.Floor(middle) : middle; // where a whole number has bins of its own, it is meant
    }

    /// <summary>One histogram: where its bins begin, and what is known of all that is in them.</summary>
    private struct Half(int begin)
    {
        public readonly int Begin = begin;

        public uint Total;

        public double Max;

        public int Lowest = int.MaxValue; // bin that has any

        public int Highest = -1;
    }
}
