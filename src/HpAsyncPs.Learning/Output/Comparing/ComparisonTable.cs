using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>A comparison as rows of text, a configuration each: for terminals and for the page.</summary>
public static class ComparisonTable
{
    private const string None = "–";
    private const int MostNamed = 6;

    /// <summary>What one column says.</summary>
    /// <param name="Name">Its heading.</param>
    /// <param name="Of">The cell of a configuration.</param>
    public sealed record Column(string Name, Func<ComparedConfiguration, string> Of);

    /// <summary>The columns that a comparison has something to say in.</summary>
    public static IReadOnlyList<Column> ColumnsOf(Comparison comparison)
    {
        bool hasGap = false, hasRmse = false, hasAccuracy = false, hasMessages = false, hasSolver = false;
        foreach (ComparedConfiguration one in comparison.Configurations)
        {
            hasGap |= one.RelativeGap is not null;
            hasRmse |= one.TestRmse is not null;
            hasAccuracy |= one.TestAccuracy is not null;
            hasMessages |= one.Messages is not null;
            hasSolver |= one.Solver.Length > 0;
        }

        var columns = new List<Column> { new("policy", static one => one.Policy), new("codec", static one => one.Codec), new("workers", static one => $"{one.Workers}") };
        if (hasSolver)
            columns.Add(new("solver", static one => one.Solver));
        columns.Add(new("above at, s", static one => Seconds(one.SecondsBeforeTarget)));
        columns.Add(new("at target, s", one => ToTarget(one, comparison.Target is not null)));
        columns.Add(new("times sooner", TimesSooner));
        columns.Add(new("seconds", static one => Seconds(one.Seconds)));
        columns.Add(new("passes", static one => Number(one.Passes, "0.0")));
        if (!hasGap && !hasRmse)
            columns.Add(new("objective", static one => Number(one.Objective, "0.000000")));
        if (hasGap)
            columns.Add(new("gap", static one => one.RelativeGap is { } gap ? Show.Gap(gap) : None));
        if (hasRmse)
            columns.Add(new("test RMSE", static one => Number(one.TestRmse, "0.0000")));
        if (hasAccuracy)
            columns.Add(new("accuracy", static one => Number(one.TestAccuracy, "0.0000")));
        columns.Add(new("pushes", static one => Number(one.Pushes, "0")));
        if (hasMessages)
            columns.Add(new("messages", static one => Number(one.Messages, "0")));
        columns.Add(new("MB up", static one => Number(one.UplinkPayloadBytes / 1e6, "0.0##")));
        columns.Add(new("MB down", static one => Number(one.DownlinkPayloadBytes / 1e6, "0.0##")));
        columns.Add(new("lag p50", static one => Number(one.StalenessP50, "0.#")));
        columns.Add(new("p99", static one => Number(one.StalenessP99, "0.#")));
        return columns;
    }

    /// <summary>All of it for a terminal, with what it is measured to and what is missing.</summary>
    public static string Text(Comparison comparison)
    {
        IReadOnlyList<Column> columns = ColumnsOf(comparison);
        var rows = new List<string[]> { Row(columns, static column => column.Name) };
        foreach (ComparedConfiguration one in comparison.Configurations)
            rows.Add(Row(columns, column => column.Of(one)));
        int[] widths = new int[columns.Count];
        foreach (string[] row in rows)
        {
            for (int j = 0; j < row.Length; j++)
                widths[j] = Math.Max(widths[j], row[j].Length);
        }

        var text = new StringBuilder();
        foreach (string[] row in rows)
        {
            var line = new StringBuilder();
            for (int j = 0; j < row.Length; j++)
                line.Append(j == 0 ? "" : "  ").Append(j < 2 ? row[j].PadRight(widths[j]) : row[j].PadLeft(widths[j]));
            text.Append(line.ToString().TrimEnd()).Append('\n');
        }

        text.Append(ComparisonOutcome.Of(comparison)).Append('\n');
        foreach (string note in NotesOf(comparison))
            text.Append(note).Append('\n');
        return text.ToString();
    }

    /// <summary>What must be known to read the table, a line each.</summary>
    public static IReadOnlyList<string> NotesOf(Comparison comparison)
    {
        var notes = new List<string>();
        notes.Add(comparison.Target is { } target
            ? $"target: {target.Text}, {target.Words}; a run is there at the first sample at it with none after that above it, and may have been since the sample before, which was above"
            : $"target: none, for no run of the baseline {comparison.Baseline} is done, so nothing is timed");
        notes.Add($"times sooner: than {comparison.Baseline} with the same workers" + (comparison.Baseline.Contains('/', StringComparison.Ordinal) ? "" : " and codec")
            + (comparison.PlannedRuns > comparison.Configurations.Count ? ", run by run; medians, in brackets quartiles" : ""));
        if (Exists(comparison, static one => one.TimesSoonerDecided == false))
            notes.Add("undecided: not every run of the one was at the target before any run of the other, or their samples are too far apart to tell; "
                + $"a target that is harder to reach ({((comparison.Plan?.TargetGap ?? comparison.Plan?.TargetRmse) is null ? "a smaller --within" : "--target")}) takes them further apart"
                + (comparison.VirtualTime ? "" : ", and a quieter machine brings the runs of each together"));
        if (!comparison.VirtualTime && comparison.PlannedRuns == comparison.Configurations.Count && comparison.Configurations.Count > 1)
            notes.Add("one run of each does not show how much times vary on this machine: --runs 5 does");
        bool isBeyond = false;
        foreach (ComparedRun run in comparison.Runs)
        {
            if (run.Outcome == ComparedRun.Failed)
                notes.Add($"failed: {run.Setting}, run {run.Run}: {run.Failure?.Split('\n')[0]}");
            if (run.LostWorkers.Count > 0)
                notes.Add($"lost: {run.Setting}, run {run.Run}, did without {(run.LostWorkers.Count == 1 ? "worker" : "workers")} {string.Join(", ", run.LostWorkers)} of {run.Workers} from some time on, so it is not compared: its page says what that means for its figures");
            if (RunSummary.IsBeyondOptimum(run.RelativeGap) && !isBeyond)
            {
                isBeyond = true;
                notes.Add($"the objective of {run.Setting} is below the reference, {comparison.Reference:R}: that is no optimum of this data, and gaps to it say little");
            }

            if (run.ServerRestarts > 0)
                notes.Add($"restarted: {run.Setting}, run {run.Run}: its server was started again, and times before that are not known, so it is not compared");
        }

        if (comparison.Missing() is { Count: > 0 } missing)
            notes.Add($"missing: {Names(missing)}");
        return notes;
    }

    private static string[] Row(IReadOnlyList<Column> columns, Func<Column, string> of)
    {
        string[] row = new string[columns.Count];
        for (int j = 0; j < row.Length; j++)
            row[j] = of(columns[j]);
        return row;
    }

    /// <summary>The first of some, and how many others there are.</summary>
    /// <param name="all">What they are called.</param>
    public static string Names(IReadOnlyList<string> all)
    {
        string first = string.Join("; ", new List<string>(all).GetRange(0, Math.Min(all.Count, MostNamed)));
        return all.Count > MostNamed ? $"{first}; and {all.Count - MostNamed} others" : first;
    }

    private static bool Exists(Comparison comparison, Predicate<ComparedConfiguration> which) => new List<ComparedConfiguration>(comparison.Configurations).Exists(which);

    private static string TimesSooner(ComparedConfiguration one) =>
        one.Baseline == $"{one.Setting}" ? "baseline"
        : one.TimesSooner is not { } sooner ? None
        : one.TimesSoonerDecided == true ? sooner.Text(static value => Number(value, "0.00")) : "undecided";

    private static string ToTarget(ComparedConfiguration one, bool hasTarget)
    {
        if (one.DoneRuns == 0)
            return one.FailedRuns > 0 ? "failed" : "not run";
        if (!hasTarget)
            return None;
        if (one.SecondsToTarget is not { } seconds)
            return "not reached";
        string text = seconds.Text(static value => Seconds(value));
        return one.ReachedRuns < one.DoneRuns ? $"{text}, {one.ReachedRuns} of {one.DoneRuns} runs" : text;
    }

    private static string Seconds(double? value) => Number(value, value < 10 ? "0.000" : "0.0");

    private static string Number(double? value, string format) => value is { } number ? number.ToString(format, CultureInfo.InvariantCulture) : None;
}
