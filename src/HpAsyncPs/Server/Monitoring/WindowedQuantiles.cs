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
    private readonly uint[] _total = new uint[2];
    private readonly double[] _max = new double[2];
    private readonly int[] _lowest = [int.MaxValue, int.MaxValue]; // bins that have any
    private readonly int[] _highest = [-1, -1];
    private int _newer;
    private double _since;

    /// <param name="leastPower">Numbers below 2 to this power are one bin.</param>
    /// <param name="mostPower">Numbers from 2 to this power on are one bin.</param>
    public WindowedQuantiles(int leastPower, int mostPower)
    {
        _first = IndexOf(Math.ScaleB(1, leastPower));
        _bins = Below + ((mostPower - leastPower) << BinBits) + 1;
        _counts = new uint[2 * _bins];
    }

    /// <summary>Bytes of its bins.</summary>
    public int Bytes => _counts.Length * sizeof(uint);

    /// <summary>Numbers in the window.</summary>
    public long Count => (long)_total[0] + _total[1];

    /// <summary>Takes a number, which is not negative.</summary>
    /// <param name="value">What was measured.</param>
    /// <param name="now">Seconds; never less than before.</param>
    public void Record(double value, double now)
    {
        if (now - _since >= HalfSeconds && _total[_newer] >= LeastKept)
            Turn(now);
        int newer = _newer, bin = (int)Math.Clamp(IndexOf(value) - _first + Below, 0, _bins - 1);
        _counts[(newer * _bins) + bin]++;
        _total[newer]++;
        _max[newer] = Math.Max(_max[newer], value);
        _lowest[newer] = Math.Min(_lowest[newer], bin);
        _highest[newer] = Math.Max(_highest[newer], bin);
    }

    /// <summary>The quantiles now.</summary>
    public Quantiles Read()
    {
        if (Count == 0)
            return Quantiles.None;
        int bin = Math.Min(_lowest[0], _lowest[1]), highest = Math.Max(_highest[0], _highest[1]);
        long seen = 0;
        double max = Math.Max(_max[0], _max[1]);
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
        _newer = 1 - _newer;
        _counts.AsSpan(_newer * _bins, _bins).Clear();
        (_total[_newer], _max[_newer], _lowest[_newer], _highest[_newer], _since) = (0, 0, int.MaxValue, -1, now);
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
}
