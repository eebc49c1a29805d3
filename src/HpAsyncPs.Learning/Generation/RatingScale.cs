using System;

namespace HpAsyncPs.Learning.Generation;

/// <summary>
/// The scale 0.5, 1, ... 5, and what rounding to it does to the noise: away from the ends it adds 0.5^2 / 12 to the noise's
/// variance (0.7 becomes 0.715); at the ends clamping takes some away.
/// </summary>
internal sealed class RatingScale
{
    private const int Most = 10;

    // Means are tabulated; hardly any planted value is beyond the table, and is taken for its end.
    private const double First = -8;
    private const double Last = 14;
    private const int CellsPerUnit = 1000;

    private static readonly byte[][] Texts =
    [
        [], "0.5\n"u8.ToArray(), "1.0\n"u8.ToArray(), "1.5\n"u8.ToArray(), "2.0\n"u8.ToArray(), "2.5\n"u8.ToArray(), "3.0\n"u8.ToArray(),
        "3.5\n"u8.ToArray(), "4.0\n"u8.ToArray(), "4.5\n"u8.ToArray(), "5.0\n"u8.ToArray(),
    ];

    // With less noise than two cells the table is too coarse, and rounding the planted value is right.
    private const double LeastNoise = 2.0 / CellsPerUnit;

    private readonly bool _exact;
    private readonly double[] _means = new double[(int)((Last - First) * CellsPerUnit) + 2];

    public RatingScale(double noise)
    {
        _exact = noise < LeastNoise;
        if (_exact)
            return;
        for (int cell = 0; cell < _means.Length; cell++)
        {
            // Each half that the rating reaches counts a half, with the probability that it is reached.
            double planted = First + ((double)cell / CellsPerUnit), mean = 0.5;
            for (int half = 2; half <= Most; half++)
                mean += 0.5 * Reaches((planted - ((half - 0.5) / 2)) / noise);
            _means[cell] = mean;
        }
    }

    /// <summary>A value as a number of halves.</summary>
    public static int Halves(double value) => (int)Math.Clamp(Math.Floor((2 * value) + 0.5), 1, Most);

    /// <summary>A rating and a line feed.</summary>
    public static ReadOnlySpan<byte> Text(int halves) => Texts[halves];

    /// <summary>Mean rating of what has this planted value.</summary>
    public double Mean(double planted)
    {
        if (_exact)
            return 0.5 * Halves(planted);
        double at = (Math.Clamp(planted, First, Last) - First) * CellsPerUnit;
        int cell = (int)at;
        return _means[cell] + ((at - cell) * (_means[cell + 1] - _means[cell]));
    }

    /// <summary>The normal distribution function, to 1e-7 (Abramowitz and Stegun 26.2.17). Only facts depend on it, no bytes.</summary>
    private static double Reaches(double x)
    {
        double t = 1 / (1 + (0.2316419 * Math.Abs(x)));
        double tail = t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        tail *= Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        return x < 0 ? tail : 1 - tail;
    }
}
