using System;
using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>The runs of one configuration together: an object of "configurations" in comparison.json. Numbers are medians over its runs that are done.</summary>
public sealed record ComparedConfiguration
{
    /// <summary>Policy.</summary>
    public string Policy { get; init; } = "";

    /// <summary>Codec.</summary>
    public string Codec { get; init; } = "";

    /// <summary>Number of workers.</summary>
    public int Workers { get; init; }

    /// <summary>What a worker does between two pushes.</summary>
    public string Solver { get; init; } = "";

    /// <summary>Runs that are done.</summary>
    public int DoneRuns { get; init; }

    /// <summary>Runs that failed.</summary>
    public int FailedRuns { get; init; }

    /// <summary>Runs that were at the target at their end.</summary>
    public int ReachedRuns { get; init; }

    /// <summary>Of those that were at the target; null of none.</summary>
    public Spread? SecondsToTarget { get; init; }

    /// <summary>The last samples above the target before that.</summary>
    public double? SecondsBeforeTarget { get; init; }

    /// <summary>What <see cref="TimesSooner"/> is measured against, or null.</summary>
    public string? Baseline { get; init; }

    /// <summary>Seconds to the target of the baseline over those of this one, run by run.</summary>
    public Spread? TimesSooner { get; init; }

    /// <summary>The runs and their samples show which of the two was there first; false: they do not, whatever <see cref="TimesSooner"/> is. Null where there is no such ratio.</summary>
    public bool? TimesSoonerDecided { get; init; }

    /// <summary>Median seconds to the target of the baseline with the fewest workers whose runs all got there over those of this one; null where some run of this one did not, or it cannot be decided.</summary>
    public double? Gain { get; init; }

    /// <summary>Of training, on whichever clock.</summary>
    public double? Seconds { get; init; }

    /// <summary>Passes over all data.</summary>
    public double? Passes { get; init; }

    /// <summary>Pushes of all workers.</summary>
    public double? Pushes { get; init; }

    /// <summary>How often workers communicate: pushes of a worker for each pass over its own data, the mean of all.</summary>
    public double? PushesPerWorkerPass { get; init; }

    /// <summary>Both ways; known on the virtual clock only.</summary>
    public double? Messages { get; init; }

    /// <summary>Payloads of pushes alone.</summary>
    public double? UplinkPayloadBytes { get; init; }

    /// <summary>Payloads of snapshots alone.</summary>
    public double? DownlinkPayloadBytes { get; init; }

    /// <summary>At the end.</summary>
    public double? Objective { get; init; }

    /// <summary>At the end; null without a reference.</summary>
    public double? RelativeGap { get; init; }

    /// <summary>At the end, to the best objective that was seen in the comparison.</summary>
    public double? GapToBest { get; init; }

    /// <summary>Share of the test rows that are predicted.</summary>
    public double? TestAccuracy { get; init; }

    /// <summary>Root mean squared error of the held-out ratings.</summary>
    public double? TestRmse { get; init; }

    /// <summary>Version lag of applied pushes, median.</summary>
    [JsonPropertyName("staleness_p50")]
    public double? StalenessP50 { get; init; }

    /// <summary>Version lag of applied pushes, percentile 99.</summary>
    [JsonPropertyName("staleness_p99")]
    public double? StalenessP99 { get; init; }

    /// <summary>Which.</summary>
    [JsonIgnore]
    public ComparedSetting Setting => new(Policy, Codec, Workers, Solver);

    /// <summary>Its run in the middle by seconds to the target, or by seconds: what stands for it in plots. Null where none is done.</summary>
    [JsonIgnore]
    public ComparedRun? Shown { get; init; }

    /// <summary>Before this none of its runs was at the target: the earliest sample of any that was the last above it.</summary>
    [JsonIgnore]
    public double Earliest { get; init; }

    /// <summary>From then on all of its runs were at the target; infinity where one of them was not at its end, failed, or none is done.</summary>
    [JsonIgnore]
    public double Latest { get; init; } = double.PositiveInfinity;

    /// <summary>All runs that were made were at the target at their end.</summary>
    [JsonIgnore]
    public bool ReachedInAll => double.IsFinite(Latest);

    /// <summary>Every run of this one was at the target before any run of the other one was, as far as their samples can tell. Only of two whose runs all reached it.</summary>
    /// <param name="other">The other.</param>
    public bool IsSoonerThan(ComparedConfiguration other) =>
        ReachedInAll && other.ReachedInAll && (Latest < other.Earliest || (Latest == other.Earliest && Latest > 0)); // at 0 is no sample that was above

    /// <summary>Brings the runs of a configuration together.</summary>
    /// <param name="setting">Which.</param>
    /// <param name="runs">Of all configurations.</param>
    /// <param name="baseline">What it is measured against.</param>
    public static ComparedConfiguration Of(ComparedSetting setting, IReadOnlyList<ComparedRun> runs, ComparedSetting? baseline)
    {
        var done = new List<ComparedRun>();
        int failed = 0, reached = 0;
        double earliest = double.PositiveInfinity, latest = 0;
        foreach (ComparedRun run in runs)
        {
            if (run.Setting != setting)
                continue;
            failed += run.Outcome == ComparedRun.Failed ? 1 : 0;
            if (!run.IsDone)
                continue;
            done.Add(run);
            reached += run.SecondsToTarget is null ? 0 : 1;
            earliest = Math.Min(earliest, run.SecondsBeforeTarget ?? double.PositiveInfinity);
            latest = Math.Max(latest, run.SecondsToTarget ?? double.PositiveInfinity);
        }

        double? Median(Func<ComparedRun, double?> of) => Over(done, of)?.Median;
        return new ComparedConfiguration
        {
            Policy = setting.Policy,
            Codec = setting.Codec,
            Workers = setting.Workers,
            Solver = setting.Solver,
            DoneRuns = done.Count,
            FailedRuns = failed,
            ReachedRuns = reached,
            Earliest = earliest,
            Latest = failed > 0 || done.Count == 0 ? double.PositiveInfinity : latest,
            SecondsToTarget = Over(done, static run => run.SecondsToTarget),
            SecondsBeforeTarget = Median(static run => run.SecondsBeforeTarget),
            Baseline = baseline?.ToString(),
            TimesSooner = Over(done, static run => run.TimesSooner),
            Seconds = Median(static run => run.Seconds),
            Passes = Median(static run => run.Passes),
            Pushes = Median(static run => run.Pushes),
            PushesPerWorkerPass = Median(static run => run.Passes > 0 ? run.Pushes / (run.Passes * run.Workers) : null),
            Messages = Median(static run => run.MessagesUp + run.MessagesDown),
            UplinkPayloadBytes = Median(static run => run.UplinkPayloadBytes),
            DownlinkPayloadBytes = Median(static run => run.DownlinkPayloadBytes),
            Objective = Median(static run => run.Objective),
            RelativeGap = Median(static run => run.RelativeGap),
            GapToBest = Median(static run => run.GapToBest),
            TestAccuracy = Median(static run => run.TestAccuracy),
            TestRmse = Median(static run => run.TestRmse),
            StalenessP50 = Median(static run => run.StalenessP50),
            StalenessP99 = Median(static run => run.StalenessP99),
            Shown = Middle(done),
        };
    }

    private static Spread? Over(List<ComparedRun> runs, Func<ComparedRun, double?> of)
    {
        var numbers = new List<double>();
        foreach (ComparedRun run in runs)
        {
            if (of(run) is { } number && double.IsFinite(number))
                numbers.Add(number);
        }

        return Spread.Of(numbers);
    }

    private static ComparedRun? Middle(List<ComparedRun> done)
    {
        var sorted = new List<ComparedRun>(done);
        sorted.Sort(static (a, b) =>
        {
            int order = (a.SecondsToTarget ?? double.PositiveInfinity).CompareTo(b.SecondsToTarget ?? double.PositiveInfinity);
            order = order != 0 ? order : (a.Seconds ?? 0).CompareTo(b.Seconds ?? 0);
            return order != 0 ? order : a.Run.CompareTo(b.Run);
        });
        return sorted.Count > 0 ? sorted[(sorted.Count - 1) / 2] : null;
    }
}
