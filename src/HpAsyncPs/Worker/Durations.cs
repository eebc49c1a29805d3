using System;
using System.Globalization;

namespace HpAsyncPs.Worker;

/// <summary>Durations as people write them: a number and its unit, without a blank, as in 100us, 1.5s or 2min.</summary>
public static class Durations
{
    /// <summary>The units, for messages.</summary>
    public const string Units = "us, ms, s, min or h";

    // Ten years: sums and products of what is below fit into a TimeSpan.
    private const double MostSeconds = 10 * 365 * 86400.0;

    /// <summary>Reads one; at least 0 and at most ten years, in whole units of 100 ns.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        int digits = text.Length;
        while (digits > 0 && char.IsAsciiLetter(text[digits - 1]))
            digits--;
        double unit = text[digits..] switch
        {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1,
            "min" => 60,
            "h" => 3600,
            _ => double.NaN,
        };
        duration = TimeSpan.Zero;
        if (!double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            || !(number * unit <= MostSeconds))
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)Math.Round(number * unit * TimeSpan.TicksPerSecond));
        return true;
    }
}
