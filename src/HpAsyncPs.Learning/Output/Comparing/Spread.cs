using System;
using System.Collections.Generic;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>The middle of some numbers, and how far they are apart.</summary>
/// <param name="Median">Half are not above it.</param>
/// <param name="LowerQuartile">A quarter is not above it; null of fewer than three numbers, which have no quartiles worth the name.</param>
/// <param name="UpperQuartile">Three quarters are not above it; null like the other.</param>
/// <param name="Runs">How many numbers.</param>
public sealed record Spread(double Median, double? LowerQuartile, double? UpperQuartile, int Runs)
{
    private const int LeastForQuartiles = 3;

    /// <summary>Of some numbers, in any order; null of none. Between two numbers it is interpolated.</summary>
    public static Spread? Of(IEnumerable<double> numbers)
    {
        var sorted = new List<double>(numbers);
        if (sorted.Count == 0)
            return null;
        sorted.Sort();
        bool hasQuartiles = sorted.Count >= LeastForQuartiles;
        return new Spread(At(sorted, 0.5), hasQuartiles ? At(sorted, 0.25) : null, hasQuartiles ? At(sorted, 0.75) : null, sorted.Count);
    }

    /// <summary>The same for people: the median, and the quartiles where there are any.</summary>
    /// <param name="show">A number for people.</param>
    public string Text(Func<double, string> show) =>
        LowerQuartile is { } lower && UpperQuartile is { } upper ? $"{show(Median)} ({show(lower)} to {show(upper)})" : show(Median);

    private static double At(List<double> sorted, double share)
    {
        double place = share * (sorted.Count - 1);
        int below = (int)place, above = Math.Min(below + 1, sorted.Count - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
