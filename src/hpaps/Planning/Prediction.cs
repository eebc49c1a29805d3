using System;
using System.Collections.Generic;

namespace HpAsyncPs.Cli.Planning;

/// <summary>A cluster and how it trains: one line of a plan.</summary>
/// <param name="Workers">How many.</param>
/// <param name="Servers">That share the keys.</param>
/// <param name="Bandwidth">Of each worker's link, as given.</param>
/// <param name="Policy">Which.</param>
/// <param name="Codec">Which.</param>
internal sealed record PlannedCase(int Workers, int Servers, string Bandwidth, string Policy, string Codec)
{
    public override string ToString() => $"{PlanTable.Amount(Workers, "worker")}, {PlanTable.Amount(Servers, "server")}, {Bandwidth}, {Policy}, {Codec}";
}

/// <summary>What a run on a cluster is predicted to take.</summary>
internal sealed record Prediction
{
    // From this share of the time on nothing more goes through.
    private const double Full = 0.9;

    public int Workers { get; init; }

    public int Servers { get; init; }

    /// <summary>Of each worker's link, as given.</summary>
    public string Bandwidth { get; init; } = "";

    public string Policy { get; init; } = "";

    public string Codec { get; init; } = "";

    /// <summary>From the moment all have joined to the end of training.</summary>
    public double Seconds { get; init; }

    /// <summary>Why it ended.</summary>
    public string Reason { get; init; } = "";

    /// <summary>It got to where it was to stop; null where that is no target.</summary>
    public bool? MetTarget { get; init; }

    public double Passes { get; init; }

    public ulong Pushes { get; init; }

    /// <summary>Frame headers included.</summary>
    public long UplinkBytes { get; init; }

    /// <summary>Frame headers included.</summary>
    public long DownlinkBytes { get; init; }

    public double? Objective { get; init; }

    public double? RelativeGap { get; init; }

    public double? TestRmse { get; init; }

    /// <summary>Null without prices.</summary>
    public Cost? Cost { get; init; }

    /// <summary>Share of the time in which the core of a server is in use.</summary>
    public double ServerBusy { get; init; }

    /// <summary>Share of the time in which a server's link is in use, in one direction or both.</summary>
    public double ServerLinkBusy { get; init; }

    /// <summary>The same of the worker's link that is used most.</summary>
    public double LinkBusy { get; init; }

    /// <summary>Share of the time in which workers compute, of the worker that does so most.</summary>
    public double WorkerBusy { get; init; }

    /// <summary>
    /// What would have to be faster first: server or server link where one is full, which all workers wait for; else what takes most of a worker's time: link,
    /// workers (computing), or waiting, as for others at a barrier, or with a long latency.
    /// </summary>
    public string Limit { get; init; } = "";

    /// <summary>Seconds of this machine.</summary>
    public double SimulatedInSeconds { get; init; }

    /// <summary>The same, and what limits it.</summary>
    public Prediction WithLimit()
    {
        double waiting = 1 - LinkBusy - WorkerBusy;
        string limit = ServerBusy >= Full && ServerBusy >= ServerLinkBusy ? "server"
            : ServerLinkBusy >= Full && ServerLinkBusy > LinkBusy ? "server link"
            : LinkBusy > WorkerBusy && LinkBusy > waiting ? "link"
            : WorkerBusy > waiting ? "workers" : "waiting";
        return this with { Limit = limit };
    }

    public string Name() => new PlannedCase(Workers, Servers, Bandwidth, Policy, Codec).ToString();
}

/// <summary>Predictions of a run on other clusters; what --json prints.</summary>
internal sealed record PlanReport
{
    /// <summary>Folder of the run that was measured.</summary>
    public string Run { get; init; } = "";

    public string Task { get; init; } = "";

    /// <summary>Where each run stops.</summary>
    public string Stop { get; init; } = "";

    /// <summary>Seconds of a core that one example takes in one pass, computing alone: as measured, less what coding and sending is thought to take.</summary>
    public double SecondsOfExample { get; init; }

    /// <summary>The same with coding and sending, as measured.</summary>
    public double SecondsOfExampleMeasured { get; init; }

    /// <summary>How many times as long as measured alone coding and sending are taken to be, so that the measured run is predicted as long as it was.</summary>
    public double CostScale { get; init; }

    /// <summary>Seconds that evaluating one example takes, as measured.</summary>
    public double SecondsOfEvaluation { get; init; }

    /// <summary>How many times longer measured steps took than on cores of their own; they count as shorter by that.</summary>
    public double Crowding { get; init; }

    /// <summary>Cores of the one host that all processes share; null: each has a core of its own.</summary>
    public int? OneHost { get; init; }

    /// <summary>From the last byte of a message to its arrival.</summary>
    public string Latency { get; init; } = "";

    /// <summary>Of each server's link, as given.</summary>
    public string ServerBandwidth { get; init; } = "";

    /// <summary>Null without --prices.</summary>
    public Prices? Prices { get; init; }

    /// <summary>What is assumed, and what to know of it.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public IReadOnlyList<Prediction> Predictions { get; init; } = [];

    /// <summary>Index of the one that takes the least time; null where none ends as it should.</summary>
    public int? Fastest { get; init; }

    /// <summary>Index of the one that costs least; null without prices.</summary>
    public int? Cheapest { get; init; }
}
