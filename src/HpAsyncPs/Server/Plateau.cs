using System;
using System.Globalization;

namespace HpAsyncPs.Server;

/// <summary>When training has stopped to get better: N:TOLERANCE, as in 20:1e-4.</summary>
/// <param name="Passes">For so many passes over all data, more than 0, ...</param>
/// <param name="Tolerance">... nothing was better than before by more than this share, from 0 to below 1.</param>
public readonly record struct PlateauRule(double Passes, double Tolerance)
{
    /// <summary>The tolerance where only the passes are given.</summary>
    public const double DefaultTolerance = 1e-4;

    /// <summary>Reads N or N:TOLERANCE.</summary>
    public static bool TryParse(string text, out PlateauRule rule)
    {
        rule = default;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        double tolerance = DefaultTolerance;
        bool read = Number(text.AsSpan(0, colon < 0 ? text.Length : colon), out double passes)
            && (colon < 0 || Number(text.AsSpan(colon + 1), out tolerance));
        if (!read || !(passes > 0 && passes <= Protocol.Limits.Passes) || !(tolerance >= 0 && tolerance < 1))
            return false;
        rule = new PlateauRule(passes, tolerance);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Passes:R}:{Tolerance:R}");

    private static bool Number(ReadOnlySpan<char> text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
}

/// <summary>
/// Watches what evaluations say. It keeps a mark, and a value that is below the mark by more than the tolerance becomes the new one;
/// without a new mark for the rule's passes, and for <see cref="LeastSamples"/> evaluations, it is a plateau. So a slow fall counts when its
/// steps add up to the tolerance within the passes, and a value that is worse by noise changes nothing.
/// </summary>
/// <param name="rule">When to say so.</param>
public sealed class Plateau(PlateauRule rule)
{
    /// <summary>Evaluations without a new mark that it takes at least: one or two can be noise.</summary>
    public const int LeastSamples = 3;

    private double _mark = double.NaN;
    private double _markedAt;
    private int _since;

    /// <summary>Takes the next evaluation; true on a plateau.</summary>
    /// <param name="passes">Of the whole job.</param>
    /// <param name="value">Finite; less is better.</param>
    public bool Observe(double passes, double value)
    {
        if (double.IsNaN(_mark) || _mark - value > rule.Tolerance * Math.Abs(_mark))
        {
            (_mark, _markedAt, _since) = (value, passes, 0);
            return false;
        }

        _since++;
        return _since >= LeastSamples && passes - _markedAt >= rule.Passes;
    }
}
