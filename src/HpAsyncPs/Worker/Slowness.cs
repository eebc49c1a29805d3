using System;
using System.Collections.Generic;
using System.Globalization;

namespace HpAsyncPs.Worker;

/// <summary>
/// How many times slower than it is a worker acts, and when: FACTOR for all the time, FACTOR@FROM-TO for a time since the start of
/// training, several separated by commas, as in 2,8@10s-20s. Where several hold, the largest counts; where none does, 1.
/// And at random, if asked for: each step takes exp(sigma N(0, 1)) times as long.
/// </summary>
public sealed class Slowness
{
    private const double Most = 1e6;

    private readonly List<Piece> _pieces;
    private readonly double _sigma;
    private readonly Func<double>? _normal;

    private Slowness(List<Piece> pieces, double sigma, Func<double>? normal)
    {
        _pieces = pieces;
        _sigma = sigma;
        _normal = normal;
    }

    private readonly record struct Piece(double Factor, TimeSpan From, TimeSpan To);

    /// <summary>As fast as it is.</summary>
    public static Slowness None { get; } = new([], 0, null);

    /// <summary>Always as fast as it is.</summary>
    public bool IsNone => _pieces.Count == 0 && _sigma == 0;

    /// <summary>As slow by this factor, at least 1, all the time.</summary>
    public static Slowness Always(double factor) => new([new Piece(factor, TimeSpan.Zero, TimeSpan.MaxValue)], 0, null);

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">The text.</param>
    /// <param name="pattern">What it says.</param>
    /// <param name="error">What is wrong with it, to follow its name; empty if nothing is.</param>
    public static bool TryParse(string text, out Slowness pattern, out string error)
    {
        var pieces = new List<Piece>();
        pattern = None;
        error = "";
        bool hasAlways = false;
        foreach (string one in text.Split(','))
        {
            if (!TryParsePiece(one, out Piece piece, out error))
                return false;
            if (piece.To == TimeSpan.MaxValue && hasAlways)
            {
                error = $"'{text}' has two factors for all the time: give one of them a time, as in 8@10s-20s";
                return false;
            }

            hasAlways |= piece.To == TimeSpan.MaxValue;
            pieces.Add(piece);
        }

        pattern = new Slowness(pieces, 0, null);
        return true;
    }

    /// <summary>The same, and at random.</summary>
    /// <param name="sigma">Standard deviation of the logarithm; 0: never.</param>
    /// <param name="normal">Gives standard normal numbers.</param>
    public Slowness WithRandom(double sigma, Func<double> normal) => new(_pieces, sigma, normal);

    /// <summary>The factor at a time since the start of training, without what is drawn.</summary>
    public double FactorAt(TimeSpan time)
    {
        double factor = 1;
        foreach (Piece piece in _pieces)
        {
            if (piece.From <= time && time < piece.To)
                factor = Math.Max(factor, piece.Factor);
        }

        return factor;
    }

    /// <summary>Draws what the next step's time is multiplied with; may be below 1. 1 where nothing is random.</summary>
    public double Draw() => _sigma > 0 ? Math.Exp(_sigma * _normal!()) : 1;

    /// <summary>How long something takes that would take <paramref name="unit"/> times <paramref name="count"/> at full speed.</summary>
    /// <param name="begin">When it begins, since the start of training.</param>
    /// <param name="unit">A time at full speed.</param>
    /// <param name="count">How often.</param>
    public TimeSpan Stretch(TimeSpan begin, TimeSpan unit, double count)
    {
        double left = unit.Ticks * count; // at full speed
        TimeSpan at = begin;
        while (true)
        {
            double factor = FactorAt(at);
            TimeSpan next = NextChange(at);
            if (next == TimeSpan.MaxValue || left * factor <= (next - at).Ticks)
                return at - begin + TimeSpan.FromTicks((long)Math.Min((TimeSpan.MaxValue - at).Ticks / 2, Math.Round(left * factor)));
            left -= (next - at).Ticks / factor;
            at = next;
        }
    }

    private TimeSpan NextChange(TimeSpan after)
    {
        TimeSpan next = TimeSpan.MaxValue;
        foreach (Piece piece in _pieces)
        {
            if (piece.From > after && piece.From < next)
                next = piece.From;
            if (piece.To > after && piece.To < next)
                next = piece.To;
        }

        return next;
    }

    private static bool TryParsePiece(string text, out Piece piece, out string error)
    {
        (TimeSpan from, TimeSpan to) = (TimeSpan.Zero, TimeSpan.MaxValue);
        int at = text.IndexOf('@', StringComparison.Ordinal);
        ReadOnlySpan<char> number = at < 0 ? text : text.AsSpan(0, at);
        bool good = double.TryParse(number, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double factor)
            && factor is >= 1 and <= Most;
        error = good ? "" : $"FACTOR must be 1 to {Most:0}, as in 8 or 8@10s-20s; it is '{number}'";
        if (good && at >= 0)
        {
            ReadOnlySpan<char> times = text.AsSpan(at + 1);
            int dash = times.IndexOf('-');
            good = dash > 0 && Durations.TryParse(times[..dash], out from) && Durations.TryParse(times[(dash + 1)..], out to) && from < to;
            error = good ? "" : $"the time after @ must be FROM-TO, each a number and {Durations.Units}, as in 8@10s-20s, and FROM before TO; it is '{times}'";
        }

        piece = new Piece(factor, from, to);
        return good;
    }
}
