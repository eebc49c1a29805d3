using System;
using System.Collections.Generic;
using System.Text.Json.Serialization;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>comparison.json: what came of the runs of a comparison; keys in snake_case, units in the name.</summary>
public sealed record Comparison
{
    // Who is there at the first sample took no time; a ratio needs some.
    private const double LeastSeconds = 1e-6;

    /// <summary>Task.</summary>
    public string Task { get; init; } = "";

    /// <summary>Times are those of a virtual clock.</summary>
    public bool VirtualTime { get; init; }

    /// <summary>Seed of all runs.</summary>
    public ulong Seed { get; init; }

    /// <summary>What runs are timed to; null where there is none, as the baseline did not end.</summary>
    public ComparisonTarget? Target { get; init; }

    /// <summary>The optimum that relative_gap is measured against, as it was given; or null.</summary>
    public double? Reference { get; init; }

    /// <summary>The lowest objective in any sample or end of a run that is done and did without nobody; what gap_to_best is measured against.</summary>
    public double? BestObjective { get; init; }

    /// <summary>What the others are measured against: POLICY or POLICY/CODEC.</summary>
    public string Baseline { get; init; } = "";

    /// <summary>Runs that were asked for.</summary>
    public int PlannedRuns { get; init; }

    /// <summary>Runs that are done.</summary>
    public int DoneRuns { get; init; }

    /// <summary>Runs that failed.</summary>
    public int FailedRuns { get; init; }

    /// <summary>Version of the program.</summary>
    public string Version { get; init; } = "";

    /// <summary>The command line that made it, as a shell takes it.</summary>
    public string? Command { get; init; }

    /// <summary>When this was written.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Runs of the same kind together, in the order of the plan.</summary>
    public IReadOnlyList<ComparedConfiguration> Configurations { get; init; } = [];

    /// <summary>All runs that were begun, in the order in which they were made.</summary>
    public IReadOnlyList<ComparedRun> Runs { get; init; } = [];

    /// <summary>What was to be done.</summary>
    [JsonIgnore]
    public ComparisonPlan? Plan { get; init; }

    /// <summary>Judges runs: times to the target, ratios, medians.</summary>
    public static Comparison Of(ComparisonPlan plan, IReadOnlyList<ComparedRun> runs)
    {
        ComparisonTarget? target = TargetOf(plan, runs);
        double? best = Best(runs);
        var timed = new List<ComparedRun>();
        int done = 0, failed = 0;
        foreach (ComparedRun run in runs)
        {
            done += run.IsDone ? 1 : 0;
            failed += run.Outcome == ComparedRun.Failed ? 1 : 0;
            timed.Add(run with
            {
                SecondsToTarget = run.IsWhole ? target?.SecondsTo(run.Trace) : null,
                SecondsBeforeTarget = run.IsWhole ? target?.SecondsBefore(run.Trace) : null,
                GapToBest = run.IsWhole && best is { } lowest && lowest != 0 ? (run.Objective - lowest) / Math.Abs(lowest) : null,
            });
        }

        for (int j = 0; j < timed.Count; j++)
            timed[j] = timed[j] with { TimesSooner = TimesSooner(timed[j], plan.BaselineOf(timed[j].Setting), timed) };
        var configurations = new List<ComparedConfiguration>();
        foreach (ComparedSetting setting in plan.Settings)
            configurations.Add(ComparedConfiguration.Of(setting, timed, plan.BaselineOf(setting)));
        ComparedConfiguration? start = Fewest(plan, configurations);
        for (int j = 0; j < configurations.Count; j++)
        {
            ComparedConfiguration one = configurations[j];
            ComparedConfiguration? baseline = configurations.Find(other => other.Setting == plan.BaselineOf(one.Setting));
            configurations[j] = one with
            {
                Gain = start is not null && (one.Setting == start.Setting || IsDecided(one, start)) ? start.SecondsToTarget!.Median / Math.Max(one.SecondsToTarget!.Median, LeastSeconds) : null,
                TimesSoonerDecided = one.TimesSooner is null || baseline is null || one.Baseline == $"{one.Setting}" ? null : IsDecided(one, baseline),
            };
        }

        return new Comparison
        {
            Task = plan.Task,
            VirtualTime = plan.VirtualTime,
            Seed = plan.Seed,
            Target = target,
            Reference = plan.Reference,
            BestObjective = best,
            Baseline = plan.BaselinePolicy + (plan.BaselineCodec is { } codec ? $"/{codec}" : ""),
            PlannedRuns = plan.Runs,
            DoneRuns = done,
            FailedRuns = failed,
            Version = typeof(Comparison).Assembly.GetName().Version?.ToString(3) ?? "",
            Configurations = configurations,
            Runs = timed,
            Plan = plan,
        };
    }

    /// <summary>Runs that were not made, or do not count because the user stopped them.</summary>
    public IReadOnlyList<string> Missing()
    {
        var missing = new List<string>();
        for (int run = 1; run <= Plan?.RunsEach; run++)
        {
            foreach (ComparedSetting setting in Plan.Settings)
            {
                bool isThere = false;
                foreach (ComparedRun made in Runs)
                    isThere |= made.Run == run && made.Setting == setting && made.Outcome != ComparedRun.Stopped;
                if (!isThere)
                    missing.Add(Plan.RunsEach == 1 ? $"{setting}" : $"{setting}, run {run}");
            }
        }

        return missing;
    }

    private static ComparisonTarget? TargetOf(ComparisonPlan plan, IReadOnlyList<ComparedRun> all)
    {
        var runs = new List<ComparedRun>();
        foreach (ComparedRun run in all)
        {
            if (run.IsWhole)
                runs.Add(run);
        }

        if (plan.TargetGap is { } gap)
            return new ComparisonTarget(ComparisonTarget.Gap, gap, "as asked for");
        if (plan.TargetRmse is { } rmse)
            return new ComparisonTarget(ComparisonTarget.Rmse, rmse, "as asked for");
        ComparedSetting? lowest = null;
        double end = double.PositiveInfinity;
        bool hasErrors = false;
        foreach (ComparedSetting setting in plan.Settings)
        {
            if (!plan.IsBaseline(setting))
                continue;
            ComparedConfiguration one = ComparedConfiguration.Of(setting, runs, null);
            hasErrors |= one.TestRmse is not null;
            if ((one.TestRmse ?? one.Objective) is not { } its || !(its < end))
                continue;
            lowest = setting;
            end = its;
        }

        if (lowest is null)
            return null;
        return hasErrors
            ? new ComparisonTarget(ComparisonTarget.Rmse, end + plan.Within, $"within {plan.Within:R} of where {lowest} ended, {end:0.0000}")
            : new ComparisonTarget(ComparisonTarget.Objective, end + (plan.Within * Math.Abs(end)), $"within the share {plan.Within:R} of where {lowest} ended, {end:0.000000}");
    }

    private static double? Best(IReadOnlyList<ComparedRun> runs)
    {
        double best = double.PositiveInfinity;
        foreach (ComparedRun run in runs)
        {
            if (!run.IsWhole)
                continue;
            best = Math.Min(best, run.Objective is { } end && double.IsFinite(end) ? end : best);
            foreach (TraceRow row in run.Trace)
                best = double.IsFinite(row.Objective) ? Math.Min(best, row.Objective) : best;
        }

        return double.IsFinite(best) ? best : null;
    }

    private static double? TimesSooner(ComparedRun run, ComparedSetting? baseline, List<ComparedRun> all)
    {
        foreach (ComparedRun other in all)
        {
            if (other.Run == run.Run && other.Setting == baseline && other.SecondsToTarget is { } theirs && run.SecondsToTarget is { } own)
                return Math.Max(theirs, LeastSeconds) / Math.Max(own, LeastSeconds);
        }

        return null;
    }

    /// <summary>Runs and samples show which was at the target first.</summary>
    private static bool IsDecided(ComparedConfiguration one, ComparedConfiguration other) => one.IsSoonerThan(other) || other.IsSoonerThan(one);

    /// <summary>The baseline with the fewest workers whose runs all got there; of several, the one that was there first.</summary>
    private static ComparedConfiguration? Fewest(ComparisonPlan plan, List<ComparedConfiguration> all)
    {
        ComparedConfiguration? fewest = null;
        foreach (ComparedConfiguration one in all)
        {
            if (!plan.IsBaseline(one.Setting) || !one.ReachedInAll || one.SecondsToTarget is not { } seconds)
                continue;
            if (fewest is null || one.Workers < fewest.Workers || (one.Workers == fewest.Workers && seconds.Median < fewest.SecondsToTarget!.Median))
                fewest = one;
        }

        return fewest;
    }
}
