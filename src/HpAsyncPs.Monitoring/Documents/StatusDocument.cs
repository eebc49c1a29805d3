using System;
using System.Collections.Generic;

namespace HpAsyncPs.Monitoring.Documents;

/// <summary>What GET /status answers: how a job stands, with everything that is known of each worker. Null: not known.</summary>
public sealed record StatusDocument
{
    /// <summary>Of the second that it is of: one more each second that the server lives.</summary>
    public required long Number { get; init; }

    /// <summary>When it was so, by the server's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Of the program.</summary>
    public required string Version { get; init; }

    /// <summary>The job.</summary>
    public required RunDocument Run { get; init; }

    /// <summary>One for each rank, in their order.</summary>
    public required IReadOnlyList<WorkerDocument> Workers { get; init; }
}

/// <summary>How a job stands.</summary>
public sealed record RunDocument
{
    /// <summary>joining, training, finishing, leaving, ended or failed.</summary>
    public required string Phase { get; init; }

    /// <summary>Which shard this is.</summary>
    public required int Shard { get; init; }

    /// <summary>Workers of the job.</summary>
    public required int Workers { get; init; }

    /// <summary>Of them, those that have joined.</summary>
    public required int Joined { get; init; }

    /// <summary>How many workers are in each state; all states are there.</summary>
    public required IReadOnlyDictionary<string, int> States { get; init; }

    /// <summary>Since training began.</summary>
    public required double Seconds { get; init; }

    /// <summary>Passes over all data.</summary>
    public required double Passes { get; init; }

    /// <summary>Pushes that were applied whole.</summary>
    public required ulong Pushes { get; init; }

    /// <summary>Over the last second.</summary>
    public double? PushesPerSecond { get; init; }

    /// <summary>At the last evaluated snapshot.</summary>
    public double? Objective { get; init; }

    /// <summary>Its relative gap, with a reference.</summary>
    public double? RelativeGap { get; init; }

    /// <summary>Of held-out examples at the last evaluated snapshot.</summary>
    public double? TestRmse { get; init; }

    /// <summary>Received, headers included.</summary>
    public required long UplinkBytes { get; init; }

    /// <summary>Sent, headers included.</summary>
    public required long DownlinkBytes { get; init; }

    /// <summary>Of what was received, payloads of pushes.</summary>
    public required long UplinkPayloadBytes { get; init; }

    /// <summary>Of what was sent, payloads of snapshots.</summary>
    public required long DownlinkPayloadBytes { get; init; }

    /// <summary>Received over the last second.</summary>
    public double? UplinkBytesPerSecond { get; init; }

    /// <summary>Sent over the last second.</summary>
    public double? DownlinkBytesPerSecond { get; init; }

    /// <summary>Its policy.</summary>
    public required string Policy { get; init; }

    /// <summary>How deltas are coded now.</summary>
    public required string Codec { get; init; }

    /// <summary>With several servers, at the first: for each the share of the workers' time, over the last ten seconds or so, in which they had all parts but its.</summary>
    public IReadOnlyList<double>? LateShares { get; init; }

    /// <summary>Version lag of pushes lately.</summary>
    public QuantilesDocument? LagVersions { get; init; }

    /// <summary>Version lag of all pushes of the run.</summary>
    public QuantilesDocument? RunLagVersions { get; init; }

    /// <summary>Whether anything is kept on disk.</summary>
    public required bool HasJournal { get; init; }

    /// <summary>Ever appended to the journal.</summary>
    public required long JournalBytes { get; init; }

    /// <summary>Of these, not on disk yet.</summary>
    public required long JournalBehindBytes { get; init; }

    /// <summary>Number of the newest checkpoint.</summary>
    public required ulong Checkpoint { get; init; }

    /// <summary>Memory that snapshots take now.</summary>
    public required long SnapshotBytes { get; init; }

    /// <summary>Memory that connections take now.</summary>
    public required long ConnectionBytes { get; init; }

    /// <summary>The most that connections can take.</summary>
    public required long ConnectionLimitBytes { get; init; }

    /// <summary>Connections, those that are not admitted included.</summary>
    public required int Connections { get; init; }

    /// <summary>Connections that are not admitted.</summary>
    public required int HalfOpenConnections { get; init; }

    /// <summary>Handshakes that have failed, by what was wrong; all kinds are there.</summary>
    public required IReadOnlyDictionary<string, long> FailedHandshakes { get; init; }

    /// <summary>Frames of admitted workers that were refused, by what was wrong; all kinds are there.</summary>
    public required IReadOnlyDictionary<string, long> RefusedFrames { get; init; }

    /// <summary>Checks that found two ends to have different vectors.</summary>
    public required long Disagreements { get; init; }

    /// <summary>Number of the newest event.</summary>
    public required long LastEvent { get; init; }
}

/// <summary>How a worker stands.</summary>
public sealed record WorkerDocument
{
    /// <summary>Its rank.</summary>
    public required int Rank { get; init; }

    /// <summary>Its address; empty before it has joined.</summary>
    public required string Address { get; init; }

    /// <summary>joining, computing, idle, evaluating, slow, stalled, gone or left.</summary>
    public required string State { get; init; }

    /// <summary>Since when, in seconds since training began.</summary>
    public required double StateSinceSeconds { get; init; }

    /// <summary>Why its state last changed to or from slow, stalled, gone or left; empty: it never did.</summary>
    public required string Reason { get; init; }

    /// <summary>Pushes that were applied whole.</summary>
    public required ulong Pushes { get; init; }

    /// <summary>Passes over its data.</summary>
    public required double Passes { get; init; }

    /// <summary>Version lag of its pushes lately.</summary>
    public QuantilesDocument? LagVersions { get; init; }

    /// <summary>Its own seconds of a push lately.</summary>
    public QuantilesDocument? PushSeconds { get; init; }

    /// <summary>Its own seconds of a pass lately.</summary>
    public QuantilesDocument? PassSeconds { get; init; }

    /// <summary>Since its last push.</summary>
    public double? SecondsSincePush { get; init; }

    /// <summary>Since it was heard of.</summary>
    public double? SecondsSinceHeard { get; init; }

    /// <summary>What the times between its pushes are like; null: too few are known.</summary>
    public TimesDocument? PushTimes { get; init; }

    /// <summary>Until its next push, by the median; negative: it is late.</summary>
    public double? NextPushSeconds { get; init; }

    /// <summary>Until its next push, with 99 %.</summary>
    public double? NextPushP99Seconds { get; init; }

    /// <summary>Until it counts as stalled, if it does not push; null: too little is known.</summary>
    public double? StalledInSeconds { get; init; }

    /// <summary>Share of the last half minute or so that it computed in.</summary>
    public double? ComputingShare { get; init; }

    /// <summary>That it waited in.</summary>
    public double? IdleShare { get; init; }

    /// <summary>That it evaluated in.</summary>
    public double? EvaluatingShare { get; init; }

    /// <summary>In which it was seen to communicate.</summary>
    public double? CommunicatingShare { get; init; }

    /// <summary>Received from it, headers included.</summary>
    public required long UplinkBytes { get; init; }

    /// <summary>Sent to it, headers included.</summary>
    public required long DownlinkBytes { get; init; }

    /// <summary>Of what was received, payloads of pushes.</summary>
    public required long UplinkPayloadBytes { get; init; }

    /// <summary>Of what was sent, payloads of snapshots.</summary>
    public required long DownlinkPayloadBytes { get; init; }

    /// <summary>TCP segments that the server has sent it again.</summary>
    public required long RetransmittedSegments { get; init; }

    /// <summary>How its last push was coded.</summary>
    public required string Codec { get; init; }
}

/// <summary>Quantiles of a number.</summary>
/// <param name="P50">Half of them are no larger.</param>
/// <param name="P90">90 % are no larger.</param>
/// <param name="P99">99 % are no larger.</param>
/// <param name="Max">The largest.</param>
public sealed record QuantilesDocument(double P50, double P90, double P99, double Max);

/// <summary>A distribution of times.</summary>
/// <param name="Family">shifted_exponential, log_normal or weibull.</param>
/// <param name="First">Shifted exponential: the least time; lognormal: mean of the logarithm; Weibull: shape.</param>
/// <param name="Second">Shifted exponential: mean beyond the least; lognormal: standard deviation of the logarithm; Weibull: scale.</param>
/// <param name="Distance">Of Kolmogorov and Smirnov, 0 to 1.</param>
/// <param name="Samples">Times that it was fitted to.</param>
/// <param name="MedianSeconds">Half of the times are shorter.</param>
public sealed record TimesDocument(string Family, double First, double Second, double Distance, int Samples, double MedianSeconds);
