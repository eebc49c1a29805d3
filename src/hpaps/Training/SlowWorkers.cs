using System;
using System.Collections.Generic;
using System.CommandLine.Parsing;
using System.Globalization;

namespace HpAsyncPs.Cli.Training;

/// <summary>What --slow says: RANK:FACTOR for each worker that acts as a slow machine.</summary>
internal static class SlowWorkers
{
    private const double MostSlow = 1e6;

    /// <summary>Tells of each wrong one.</summary>
    public static void Check(OptionResult given, int workers, Action<string> error)
    {
        var seen = new HashSet<int>();
        foreach (Token token in given.Tokens)
        {
            if (!TryParse(token.Value, out int rank, out _))
                error($"--slow must be RANK:FACTOR with a FACTOR of 1 to {MostSlow:0}, as in 0:8; it is '{token.Value}'.");
            else if (rank >= workers)
                error($"--slow {token.Value}: there is no worker {rank}; the ranks of {workers} workers are 0 to {workers - 1}.");
            else if (!seen.Add(rank))
                error($"--slow {token.Value}: worker {rank} was given twice.");
        }
    }

    /// <summary>Factor by rank.</summary>
    public static Dictionary<int, double> Parse(string[] given)
    {
        var slow = new Dictionary<int, double>();
        foreach (string text in given)
        {
            if (TryParse(text, out int rank, out double factor))
                slow[rank] = factor;
        }

        return slow;
    }

    private static bool TryParse(string text, out int rank, out double factor)
    {
        factor = 0;
        rank = 0;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            && int.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out rank)
            && double.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out factor)
            && factor is >= 1 and <= MostSlow;
    }
}
