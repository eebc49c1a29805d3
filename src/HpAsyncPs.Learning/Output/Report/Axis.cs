using System;
using System.Collections.Generic;
using System.Globalization;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>One mark of an axis.</summary>
/// <param name="Place">0 at the low end, 1 at the high one.</param>
/// <param name="Label">Its number.</param>
internal readonly record struct Tick(double Place, string Label);

/// <summary>From numbers to places between 0 and 1, with marks at round numbers.</summary>
internal sealed class Axis
{
    private const int WantedTicks = 5;
    private const int MostDecades = 7;
    private const double BelowTarget = 100;

    private readonly double _low;
    private readonly double _high;

    private Axis(Axis other) : this(other._low, other._high, other.IsLogarithmic, other.Ticks)
    {
    }

    private Axis(double low, double high, bool isLogarithmic, IReadOnlyList<Tick> ticks)
    {
        (_low, _high, IsLogarithmic, Ticks) = (low, high, isLogarithmic, ticks);
    }

    /// <summary>It ends above the least of its numbers; what is below lies at its low end.</summary>
    public bool IsCut { get; private init; }

    public bool IsLogarithmic { get; }

    public IReadOnlyList<Tick> Ticks { get; }

    /// <summary>Numbers from low to high, both finite. Ends are rounded to a mark, but 0 as the low end, and the high end on request, stay.</summary>
    public static Axis Linear(double low, double high, bool endsAtMark = true)
    {
        if (!(high > low))
        {
            double around = low == 0 ? 1 : Math.Abs(low) * 0.1;
            (low, high) = (low == 0 ? 0 : low - around, high + around);
        }

        double step = RoundStep((high / WantedTicks) - (low / WantedTicks)); // apart, so that a huge range does not overflow
        double first = Math.Floor(low / step), last = endsAtMark ? Math.Ceiling((high / step) - 1e-9) : high / step;
        var ticks = new List<Tick>();
        for (double at = first; at <= last + 1e-9 && ticks.Count < 3 * WantedTicks; at++)
            ticks.Add(new Tick((at - first) / (last - first), Label(at * step, step)));
        return new Axis(first * step, last * step, false, ticks);
    }

    /// <summary>The same for curves that are to reach a target: two decades below it nothing matters any more, and the axis ends there. Null: there is none.</summary>
    public static Axis Logarithmic(double low, double high, double? target) =>
        target / BelowTarget is { } least && least > low && least < high ? new Axis(Logarithmic(least, high)) { IsCut = true } : Logarithmic(low, high);

    /// <summary>Numbers from low to high, both above 0 and finite. The ends are 1, 2 or 5 times a power of ten.</summary>
    public static Axis Logarithmic(double low, double high)
    {
        double first = RoundDown(Math.Log10(low)), last = -RoundDown(-Math.Log10(high));
        if (!(last > first))
            (first, last) = (Math.Floor(first), Math.Floor(first) + 1);
        int from = (int)Math.Floor(first), to = (int)Math.Ceiling(last);
        int every = ((to - from) / MostDecades) + 1;
        bool isPlain = from >= -4 && to <= 5;
        var ticks = new List<Tick>();
        for (int decade = from; decade <= to; decade++)
        {
            foreach (int digit in to - from <= 2 ? (ReadOnlySpan<int>)[1, 2, 5] : [1])
            {
                double place = (decade + Math.Log10(digit) - first) / (last - first);
                if (place is >= -1e-9 and <= 1 + 1e-9 && (decade - to) % every == 0)
                    ticks.Add(new Tick(place, isPlain ? Plain(digit, decade) : Power(digit, decade)));
            }
        }

        return new Axis(first, last, true, ticks);
    }

    /// <summary>Where a number lies; NaN for one that the axis cannot show.</summary>
    public double Place(double value)
    {
        if (IsLogarithmic)
            value = value > 0 ? Math.Log10(value) : double.NaN;
        double place = (value - _low) / (_high - _low);
        return !double.IsFinite(place) ? double.NaN : IsCut ? Math.Max(place, 0) : place;
    }

    /// <summary>1, 2 or 5 times a power of ten, at least what is given.</summary>
    private static double RoundStep(double least)
    {
        least = Math.Max(least, 1e-300);
        double power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        foreach (int digit in (ReadOnlySpan<int>)[1, 2, 5])
        {
            if (digit * power >= least * (1 - 1e-9))
                return digit * power;
        }

        return 10 * power;
    }

    /// <summary>The largest logarithm of 1, 2 or 5 times a power of ten that is not above.</summary>
    private static double RoundDown(double logarithm)
    {
        double decade = Math.Floor(logarithm + 1e-9), digits = logarithm - decade + 1e-9;
        return decade + (digits >= Math.Log10(5) ? Math.Log10(5) : digits >= Math.Log10(2) ? Math.Log10(2) : 0);
    }

    private static string Label(double value, double step)
    {
        if (value == 0)
            return "0";
        int decimals = (int)Math.Max(0, -Math.Floor(Math.Log10(step) + 1e-9));
        if (decimals > 7 || Math.Abs(value) >= 1e6)
            return value.ToString("0.###e+0", CultureInfo.InvariantCulture);
        return value.ToString($"#,0.{new string('0', decimals)}", CultureInfo.InvariantCulture);
    }

    private static string Plain(int digit, int exponent) =>
        (digit * Math.Pow(10, exponent)).ToString("#,0.####", CultureInfo.InvariantCulture);

    private static string Power(int digit, int exponent)
    {
        var power = new System.Text.StringBuilder(digit == 1 ? "10" : $"{digit}·10");
        foreach (char c in exponent.ToString(CultureInfo.InvariantCulture))
            power.Append(c == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c - '0']);
        return power.ToString();
    }
}
