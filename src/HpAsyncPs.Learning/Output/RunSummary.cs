using System;
using System.Collections.Generic;
using System.Text.Json.Serialization;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output;

/// <summary>summary.json: one object a run; keys in snake_case, units in the name.</summary>
public sealed record RunSummary
{
    /// <summary>Task.</summary>
    public string Task { get; init; } = "";

    /// <summary>Policy.</summary>
    public string Policy { get; init; } = "";

    /// <summary>Codec of the deltas.</summary>
    public string Codec { get; init; } = "fp32";

    /// <summary>With codec auto: what was used from when on, and why.</summary>
    public IReadOnlyList<CodecDecision> CodecDecisions { get; init; } = [];

    /// <summary>What policy auto decided, and when; the first 200.</summary>
    public IReadOnlyList<PolicyDecision> PolicyDecisions { get; init; } = [];

    /// <summary>Number of workers.</summary>
    public int Workers { get; init; }

    /// <summary>Number of servers.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>Seed.</summary>
    public ulong Seed { get; init; }

    /// <summary>Settings of the task.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Why it ended: passes, target, plateau, time limit, stopped, all workers left, failed.</summary>
    public string Reason { get; init; } = "";

    /// <summary>What failed, or null.</summary>
    public string? Failure { get; init; }

    /// <summary>Parameters of the model.</summary>
    public int Parameters { get; init; }

    /// <summary>Sum of the workers' weights: the examples.</summary>
    public double Examples { get; init; }

    /// <summary>Passes over all data.</summary>
    public double Passes { get; init; }

    /// <summary>From the start of the program, loading and launching included.</summary>
    public double WallSeconds { get; init; }

    /// <summary>From the moment all workers had joined to the end of training.</summary>
    public double TrainSeconds { get; init; }

    /// <summary><see cref="TrainSeconds"/> and the times of the trace are those of a virtual clock.</summary>
    public bool VirtualTime { get; init; }

    /// <summary>Objective of the model that was saved; null when it could not be evaluated.</summary>
    public double? Objective { get; init; }

    /// <summary>(objective - reference) / |reference|; null without a reference.</summary>
    public double? RelativeGap { get; init; }

    /// <summary>Root mean squared error of the held-out ratings; null where there are none.</summary>
    public double? TestRmse { get; init; }

    /// <summary>Share of the test rows that are predicted; null without a test file.</summary>
    public double? TestAccuracy { get; init; }

    /// <summary>Pushes applied.</summary>
    public ulong Pushes { get; init; }

    /// <summary>From workers to the server, frame headers included.</summary>
    public long UplinkBytes { get; init; }

    /// <summary>From the server to workers, frame headers included.</summary>
    public long DownlinkBytes { get; init; }

    /// <summary>Payloads of pushes alone.</summary>
    public long UplinkPayloadBytes { get; init; }

    /// <summary>Payloads of snapshots alone, those that were evaluated included.</summary>
    public long DownlinkPayloadBytes { get; init; }

    /// <summary>Checks that found a worker and the server to have different vectors; both had the same again each time.</summary>
    public long Disagreements { get; init; }

    /// <summary>Version lag of applied pushes, median.</summary>
    [JsonPropertyName("staleness_p50")]
    public long StalenessP50 { get; init; }

    /// <summary>Version lag of applied pushes, percentile 99.</summary>
    [JsonPropertyName("staleness_p99")]
    public long StalenessP99 { get; init; }

    /// <summary>Version lag of applied pushes, largest.</summary>
    public long StalenessMax { get; init; }

    /// <summary>How many of the applied pushes had a version lag within each range, from 0 on.</summary>
    public IReadOnlyList<StalenessBin> StalenessBins { get; init; } = [];

    /// <summary>Share of each worker's time that it spent computing steps; the rest is waiting and evaluating.</summary>
    public IReadOnlyList<double> WorkerBusyFraction { get; init; } = [];

    /// <summary>Seconds that each worker spent computing steps, and coding and sending what came of them.</summary>
    public IReadOnlyList<double> WorkerBusySeconds { get; init; } = [];

    /// <summary>Seconds that each worker spent evaluating.</summary>
    public IReadOnlyList<double> WorkerEvaluatingSeconds { get; init; } = [];

    /// <summary>Passes of each worker over its own data.</summary>
    public IReadOnlyList<double> WorkerPasses { get; init; } = [];

    /// <summary>Weights of the workers: their examples.</summary>
    public IReadOnlyList<double> WorkerExamples { get; init; } = [];

    /// <summary>Snapshots that were evaluated.</summary>
    public int Evaluations { get; init; }

    /// <summary>Processors of the server's host.</summary>
    public int Processors { get; init; }

    /// <summary>Pushes of each worker.</summary>
    public IReadOnlyList<ulong> WorkerPushes { get; init; } = [];

    /// <summary>Frames of workers that were not accepted, by what was wrong with them.</summary>
    public RefusedFrames RefusedFrames { get; init; } = new();

    /// <summary>How often the launcher started a worker again that had died.</summary>
    public int WorkerRestarts { get; init; }

    /// <summary>How often the launcher started the server again; pushes, bytes, staleness and times are those of its last life.</summary>
    public int ServerRestarts { get; init; }

    /// <summary>Ranks of the workers that were lost and did not return, in order: those whose process the launcher did not start again, those that were evicted, and those that the server had given up.</summary>
    public IReadOnlyList<int> LostWorkers { get; init; } = [];

    /// <summary>Version of the program.</summary>
    public string Version { get; init; } = "";

    /// <summary>The command line that made it, as a shell takes it: the launcher's, or that of a server started by hand.</summary>
    public string? Command { get; init; }

    /// <summary>When the server had the result.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The objective is further below the reference than rounding takes it: that is no optimum of the data.</summary>
    /// <param name="gap">Relative gap; null: there is none.</param>
    public static bool IsBeyondOptimum(double? gap) => gap < -1e-5;

    /// <summary>Makes the summary of a run.</summary>
    public static RunSummary Of(RunResult result, string policy, double wallSeconds)
    {
        RunStatus status = result.Status;
        var settings = new SortedDictionary<string, string>();
        foreach ((string key, string value) in result.Settings)
            settings[key] = value;
        double examples = 0;
        var busy = new List<double>();
        var pushes = new List<ulong>();
        (var busySeconds, var evaluating, var passes, var weights) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        var lost = new List<int>();
        var gone = new HashSet<int>(status.Lost);
        foreach (WorkerRecord worker in status.Workers)
        {
            if (worker is { Weight: 0, Pushes: > 0 } || gone.Contains(worker.Rank))
                lost.Add(worker.Rank);
            examples += worker.Weight;
            double all = worker.BusySeconds + worker.IdleSeconds + worker.EvaluatingSeconds;
            busy.Add(all > 0 ? worker.BusySeconds / all : 0);
            pushes.Add(worker.Pushes);
            busySeconds.Add(worker.BusySeconds);
            evaluating.Add(worker.EvaluatingSeconds);
            passes.Add(worker.Passes);
            weights.Add(worker.Weight);
        }

        return new RunSummary
        {
            Task = settings.GetValueOrDefault("task", ""),
            Policy = policy,
            Workers = status.Workers.Count,
            Servers = result.Servers,
            Seed = ulong.TryParse(settings.GetValueOrDefault("seed"), out ulong seed) ? seed : 0,
            Settings = settings,
            Reason = result.Reason,
            Failure = result.Failure,
            Parameters = result.Model?.Length ?? 0,
            Examples = examples,
            Passes = status.Passes,
            WallSeconds = wallSeconds,
            TrainSeconds = status.Seconds,
            Objective = result.Objective,
            RelativeGap = result.Objective is null ? null : status.RelativeGap,
            TestRmse = result.Objective is null ? null : status.TestRmse,
            Pushes = status.Pushes,
            UplinkBytes = status.UplinkBytes,
            DownlinkBytes = status.DownlinkBytes,
            UplinkPayloadBytes = status.UplinkPayloadBytes,
            DownlinkPayloadBytes = status.DownlinkPayloadBytes,
            Codec = status.Codec,
            CodecDecisions = status.CodecDecisions,
            PolicyDecisions = status.PolicyDecisions,
            Disagreements = status.Disagreements,
            StalenessP50 = status.StalenessP50,
            StalenessP99 = status.StalenessP99,
            StalenessMax = status.StalenessMax,
            StalenessBins = result.Staleness,
            WorkerBusyFraction = busy,
            WorkerBusySeconds = busySeconds,
            WorkerEvaluatingSeconds = evaluating,
            WorkerPasses = passes,
            WorkerExamples = weights,
            Evaluations = result.Trace.Count,
            Processors = Environment.ProcessorCount,
            WorkerPushes = pushes,
            LostWorkers = lost,
            RefusedFrames = status.RefusedFrames,
            Version = typeof(RunSummary).Assembly.GetName().Version?.ToString(3) ?? "",
        };
    }
}

/// <summary>The JSON of files and events, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ModelDescription))]
[JsonSerializable(typeof(RunSummary))]
[JsonSerializable(typeof(Comparing.Comparison))]
[JsonSerializable(typeof(UserPartDescription))]
public sealed partial class OutputJson : JsonSerializerContext;

/// <summary>JSON on one line, for streams of events.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ServerEvent))]
public sealed partial class EventJson : JsonSerializerContext;
