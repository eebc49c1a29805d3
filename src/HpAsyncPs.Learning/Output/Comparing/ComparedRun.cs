using System.Collections.Generic;
using System.Text.Json.Serialization;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>One run of a comparison: an object of "runs" in comparison.json, a row of comparison.csv.</summary>
public sealed record ComparedRun
{
    /// <summary><see cref="Outcome"/> of a run that ended by itself.</summary>
    public const string Done = "done";

    /// <summary><see cref="Outcome"/> of a run that failed.</summary>
    public const string Failed = "failed";

    /// <summary><see cref="Outcome"/> of a run that the user stopped: it does not count.</summary>
    public const string Stopped = "stopped";

    /// <summary>Policy.</summary>
    public string Policy { get; init; } = "";

    /// <summary>Codec, as it was asked for.</summary>
    public string Codec { get; init; } = "";

    /// <summary>Number of workers.</summary>
    public int Workers { get; init; }

    /// <summary>What a worker does between two pushes; batch:N for gradients of N rows; empty where the task has one way only.</summary>
    public string Solver { get; init; } = "";

    /// <summary>Which of the runs of its configuration, from 1 on.</summary>
    public int Run { get; init; }

    /// <summary>done, failed or stopped.</summary>
    public string Outcome { get; init; } = "";

    /// <summary>Why it ended, as in summary.json.</summary>
    public string? Reason { get; init; }

    /// <summary>What failed, or null.</summary>
    public string? Failure { get; init; }

    /// <summary>Its folder, from that of the comparison on; null where it left none.</summary>
    public string? Folder { get; init; }

    /// <summary>From the moment all workers had joined to the end of training; null on the virtual clock.</summary>
    public double? TrainSeconds { get; init; }

    /// <summary>The same on the virtual clock; null in processes.</summary>
    public double? VirtualSeconds { get; init; }

    /// <summary>When it was first seen at the target, and not above it again; null: it was not there at its end.</summary>
    public double? SecondsToTarget { get; init; }

    /// <summary>The last sample above the target before that: the truth is between the two.</summary>
    public double? SecondsBeforeTarget { get; init; }

    /// <summary>Seconds to the target of the baseline's run of the same number, over those of this run; null where one of them was not there.</summary>
    public double? TimesSooner { get; init; }

    /// <summary>Passes over all data.</summary>
    public double? Passes { get; init; }

    /// <summary>Pushes applied.</summary>
    public ulong? Pushes { get; init; }

    /// <summary>From workers; known on the virtual clock only.</summary>
    public long? MessagesUp { get; init; }

    /// <summary>To workers; known on the virtual clock only.</summary>
    public long? MessagesDown { get; init; }

    /// <summary>From workers, frame headers included.</summary>
    public long? UplinkBytes { get; init; }

    /// <summary>To workers, frame headers included.</summary>
    public long? DownlinkBytes { get; init; }

    /// <summary>Payloads of pushes alone.</summary>
    public long? UplinkPayloadBytes { get; init; }

    /// <summary>Payloads of snapshots alone.</summary>
    public long? DownlinkPayloadBytes { get; init; }

    /// <summary>Of the model at the end.</summary>
    public double? Objective { get; init; }

    /// <summary>(objective - reference) / |reference|; null without a reference.</summary>
    public double? RelativeGap { get; init; }

    /// <summary>(objective - best) / |best|, of the best objective that was seen in the comparison.</summary>
    public double? GapToBest { get; init; }

    /// <summary>Share of the test rows that are predicted.</summary>
    public double? TestAccuracy { get; init; }

    /// <summary>Root mean squared error of the held-out ratings.</summary>
    public double? TestRmse { get; init; }

    /// <summary>Version lag of applied pushes, median.</summary>
    [JsonPropertyName("staleness_p50")]
    public long? StalenessP50 { get; init; }

    /// <summary>Version lag of applied pushes, percentile 99.</summary>
    [JsonPropertyName("staleness_p99")]
    public long? StalenessP99 { get; init; }

    /// <summary>Version lag of applied pushes, largest.</summary>
    public long? StalenessMax { get; init; }

    /// <summary>Workers that were lost and did not return.</summary>
    public IReadOnlyList<int> LostWorkers { get; init; } = [];

    /// <summary>How often its server was started again: the time before the last start is in no figure of it.</summary>
    public int ServerRestarts { get; init; }

    /// <summary>Its samples; in its own trace.csv, not here.</summary>
    [JsonIgnore]
    public IReadOnlyList<TraceRow> Trace { get; init; } = [];

    /// <summary>Version lags; in its own summary.json, not here.</summary>
    [JsonIgnore]
    public IReadOnlyList<StalenessBin> StalenessBins { get; init; } = [];

    /// <summary>What it has in common with the other runs of its configuration.</summary>
    [JsonIgnore]
    public ComparedSetting Setting => new(Policy, Codec, Workers, Solver);

    /// <summary>On whichever clock.</summary>
    [JsonIgnore]
    public double? Seconds => TrainSeconds ?? VirtualSeconds;

    /// <summary>It ended by itself.</summary>
    [JsonIgnore]
    public bool IsDone => Outcome == Done;

    /// <summary>It is done, with the same workers and server from beginning to end: its times and objectives are those of the whole job.</summary>
    [JsonIgnore]
    public bool IsWhole => IsDone && LostWorkers.Count == 0 && ServerRestarts == 0;

    /// <summary>A run that left a summary.</summary>
    public static ComparedRun Of(ComparedSetting setting, int run, RunSummary summary, IReadOnlyList<TraceRow> trace, string folder) => new()
    {
        Policy = setting.Policy,
        Codec = setting.Codec,
        Workers = setting.Workers,
        Solver = setting.Solver,
        Run = run,
        Outcome = summary.Failure is not null ? Failed : summary.Reason == Stopped ? Stopped : Done,
        Reason = summary.Reason,
        Failure = summary.Failure,
        Folder = folder,
        TrainSeconds = summary.VirtualTime ? null : summary.TrainSeconds,
        VirtualSeconds = summary.VirtualTime ? summary.TrainSeconds : null,
        Passes = summary.Passes,
        Pushes = summary.Pushes,
        UplinkBytes = summary.UplinkBytes,
        DownlinkBytes = summary.DownlinkBytes,
        UplinkPayloadBytes = summary.UplinkPayloadBytes,
        DownlinkPayloadBytes = summary.DownlinkPayloadBytes,
        Objective = summary.Objective,
        RelativeGap = summary.RelativeGap,
        TestAccuracy = summary.TestAccuracy,
        TestRmse = summary.TestRmse,
        StalenessP50 = summary.StalenessP50,
        StalenessP99 = summary.StalenessP99,
        StalenessMax = summary.StalenessMax,
        LostWorkers = summary.LostWorkers,
        ServerRestarts = summary.ServerRestarts,
        Trace = trace,
        StalenessBins = summary.StalenessBins,
    };

    /// <summary>A run that came to nothing.</summary>
    public static ComparedRun Without(ComparedSetting setting, int run, string outcome, string failure, string? folder) => new()
    {
        Policy = setting.Policy,
        Codec = setting.Codec,
        Workers = setting.Workers,
        Solver = setting.Solver,
        Run = run,
        Outcome = outcome,
        Failure = failure,
        Folder = folder,
    };
}
