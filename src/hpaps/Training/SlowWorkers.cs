using System;
using System.Collections.Generic;
using System.CommandLine.Parsing;
using System.Globalization;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Cli.Training;

/// <summary>
/// What --slow says: RANK:FACTOR or RANK:FACTOR@FROM-TO for each worker that acts as a slow machine, several separated by commas; without a
/// rank, the one before is meant.
/// </summary>
internal static class SlowWorkers
{
    private const string Form = "it must be RANK:FACTOR, or RANK:FACTOR@FROM-TO for a time since the start of training, as in 0:8 or 0:8@10s-20s";

    /// <summary>Tells of each wrong one.</summary>
    public static void Check(OptionResult given, int workers, Action<string> error)
    {
        var seen = new Dictionary<int, string>();
        foreach (Token token in given.Tokens)
        {
            if (Add(token.Value, seen) is { } wrong)
                error($"--slow {token.Value}: {wrong}.");
        }

        foreach ((int rank, string pattern) in seen)
        {
            if (rank >= workers)
                error($"--slow {rank}:{pattern}: there is no worker {rank}; the ranks of {workers} workers are 0 to {workers - 1}.");
            else if (!Slowness.TryParse(pattern, out _, out string wrong))
                error($"--slow {rank}:{pattern}: {wrong}{(pattern.Contains(',') && !pattern.Contains('@') ? $"; worker {rank} has several factors (as in {rank}:8,{rank}:4): give one, or with each from when to when it holds" : "")}.");
        }
    }

    /// <summary>By rank, what a worker's own --slow says.</summary>
    public static Dictionary<int, string> Parse(string[] given)
    {
        var slow = new Dictionary<int, string>();
        foreach (string text in given)
            Add(text, slow);
        return slow;
    }

    /// <summary>Adds what one --slow says; returns what is wrong with its ranks, or null.</summary>
    private static string? Add(string text, Dictionary<int, string> slow)
    {
        int rank = -1;
        foreach (string piece in text.Split(','))
        {
            int colon = piece.IndexOf(':', StringComparison.Ordinal);
            if (colon >= 0 && !int.TryParse(piece.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out rank))
                return Form;
            if (rank < 0)
                return Form;
            string pattern = piece[(colon + 1)..];
            slow[rank] = slow.TryGetValue(rank, out string? before) ? $"{before},{pattern}" : pattern;
        }

        return null;
    }
}
