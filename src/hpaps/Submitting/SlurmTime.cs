using System;
using System.Globalization;

namespace HpAsyncPs.Cli.Submitting;

/// <summary>A limit of time as Slurm writes it: MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, DAYS-HOURS, DAYS-HOURS:MINUTES or DAYS-HOURS:MINUTES:SECONDS.</summary>
internal static class SlurmTime
{
    private const double Most = 1e9;

    // Seconds of a part, by how many parts there are; behind days, hours come first.
    private static readonly int[][] s_units = [[60], [60, 1], [3600, 60, 1]];
    private static readonly int[] s_afterDays = [3600, 60, 1];

    /// <summary>Reads one.</summary>
    /// <param name="text">It.</param>
    /// <param name="seconds">How long that is.</param>
    public static bool TryParse(string text, out double seconds)
    {
        seconds = 0;
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        string[] parts = text[(dash + 1)..].Split(':');
        if (parts.Length > s_units.Length)
            return false;
        int[] units = dash < 0 ? s_units[parts.Length - 1] : s_afterDays;
        if (dash >= 0)
        {
            if (!TryNumber(text[..dash], out int days))
                return false;
            seconds = days * 86400.0;
        }

        for (int j = 0; j < parts.Length; j++)
        {
            if (!TryNumber(parts[j], out int number))
                return false;
            seconds += number * (double)units[j];
        }

        return seconds is > 0 and <= Most;
    }

    private static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
