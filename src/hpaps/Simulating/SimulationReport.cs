using System.Collections.Generic;
using System.Globalization;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Server;
using HpAsyncPs.Simulation;

namespace HpAsyncPs.Cli.Simulating;

/// <summary>What came of a simulation; what --json prints.</summary>
internal sealed record SimulationReport
{
    public string Task { get; init; } = "";

    public string Policy { get; init; } = "";

    public int Workers { get; init; }

    public ulong Seed { get; init; }

    /// <summary>Why it ended.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Of the virtual clock, from the moment all had joined to the end of training.</summary>
    public double VirtualSeconds { get; init; }

    /// <summary>What the simulation took, reading included.</summary>
    public double WallSeconds { get; init; }

    public double Passes { get; init; }

    public double? Objective { get; init; }

    public double? RelativeGap { get; init; }

    public double? TestRmse { get; init; }

    public double? TestAccuracy { get; init; }

    /// <summary>Of all workers.</summary>
    public ulong Pushes { get; init; }

    /// <summary>Rank of the worker with the fewest pushes.</summary>
    public int SlowestWorker { get; init; }

    public ulong SlowestWorkerPushes { get; init; }

    public long MessagesUp { get; init; }

    public long MessagesDown { get; init; }

    /// <summary>Frame headers included.</summary>
    public long UplinkBytes { get; init; }

    /// <summary>Frame headers included.</summary>
    public long DownlinkBytes { get; init; }

    public string Codec { get; init; } = "";

    /// <summary>With codec auto: what was used from when on, and why.</summary>
    public IReadOnlyList<CodecDecision> CodecDecisions { get; init; } = [];

    /// <summary>What policy auto decided, and when; the first 200.</summary>
    public IReadOnlyList<PolicyDecision> PolicyDecisions { get; init; } = [];

    /// <summary>Payloads of pushes alone.</summary>
    public long UplinkPayloadBytes { get; init; }

    /// <summary>Payloads of snapshots alone.</summary>
    public long DownlinkPayloadBytes { get; init; }

    public long StalenessP50 { get; init; }

    public long StalenessP99 { get; init; }

    public long StalenessMax { get; init; }

    public IReadOnlyList<ulong> WorkerPushes { get; init; } = [];

    public IReadOnlyList<double> WorkerBusyFraction { get; init; } = [];

    public IReadOnlyList<double> WorkerIdleFraction { get; init; } = [];

    /// <summary>Of the parameters: equal for runs that are equal bit for bit.</summary>
    public string Checksum { get; init; } = "";

    public static SimulationReport Of(SimulatedCluster cluster, string policy, double wallSeconds)
    {
        RunResult result = cluster.Result();
        RunSummary summary = RunSummary.Of(result, policy, wallSeconds);
        var idle = new List<double>();
        int slowest = 0;
        foreach (WorkerRecord worker in result.Status.Workers)
        {
            double all = worker.BusySeconds + worker.IdleSeconds + worker.EvaluatingSeconds;
            idle.Add(all > 0 ? worker.IdleSeconds / all : 0);
            if (worker.Pushes < result.Status.Workers[slowest].Pushes)
                slowest = worker.Rank;
        }

        return new SimulationReport
        {
            Task = summary.Task,
            Policy = policy,
            Workers = summary.Workers,
            Seed = summary.Seed,
            Reason = result.Reason,
            VirtualSeconds = summary.TrainSeconds,
            WallSeconds = wallSeconds,
            Passes = summary.Passes,
            Objective = summary.Objective,
            RelativeGap = summary.RelativeGap,
            TestRmse = summary.TestRmse,
            Pushes = summary.Pushes,
            SlowestWorker = slowest,
            SlowestWorkerPushes = result.Status.Workers[slowest].Pushes,
            MessagesUp = cluster.MessagesUp,
            MessagesDown = cluster.MessagesDown,
            UplinkBytes = cluster.BytesUp,
            DownlinkBytes = cluster.BytesDown,
            Codec = summary.Codec,
            CodecDecisions = summary.CodecDecisions,
            PolicyDecisions = summary.PolicyDecisions,
            UplinkPayloadBytes = summary.UplinkPayloadBytes,
            DownlinkPayloadBytes = summary.DownlinkPayloadBytes,
            StalenessP50 = summary.StalenessP50,
            StalenessP99 = summary.StalenessP99,
            StalenessMax = summary.StalenessMax,
            WorkerPushes = summary.WorkerPushes,
            WorkerBusyFraction = summary.WorkerBusyFraction,
            WorkerIdleFraction = idle,
            Checksum = result.Model is { } model ? RunFolder.ModelOf(result, model).Description.Checksum : "",
        };
    }

    /// <summary>The same for people.</summary>
    /// <param name="folder">Where results are, or null.</param>
    public string Table(string? folder)
    {
        var lines = new ResultLines();
        lines.Add("ended", Show.Reason(Reason));
        lines.Add("virtual time", $"{Show.Duration(VirtualSeconds)}, simulated in {Show.Duration(WallSeconds)}");
        lines.Add("objective", Show.Objective(Objective));
        if (RelativeGap is { } gap)
            lines.Add("relative gap", Show.Gap(gap));
        if (TestRmse is { } rmse)
            lines.Add("test RMSE", rmse.ToString("0.0000", CultureInfo.InvariantCulture));
        if (TestAccuracy is { } accuracy)
            lines.Add("test accuracy", accuracy.ToString("0.000000", CultureInfo.InvariantCulture));
        lines.Add("passes", string.Create(CultureInfo.InvariantCulture, $"{Passes:0.0}"));
        lines.Add("pushes", $"{Show.Count(Pushes)}; {Show.Count(SlowestWorkerPushes)} of worker {SlowestWorker}, the slowest");
        lines.Add("messages", $"{Show.Count(MessagesUp)} up, {Show.Count(MessagesDown)} down");
        lines.Add("sent", $"{Show.Bytes(UplinkBytes)} up, {Show.Bytes(DownlinkBytes)} down");
        lines.Add("policy", ResultTable.PolicyOf(Policy, PolicyDecisions));
        lines.Add("staleness", $"median {StalenessP50}, percentile 99 {StalenessP99}, at most {StalenessMax}");
        lines.Add("workers idle", ResultTable.Shares(WorkerIdleFraction));
        if (folder is not null)
            lines.Add("results", folder);
        return lines.ToString();
    }
}
