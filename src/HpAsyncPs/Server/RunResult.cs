using System;
using System.Collections.Generic;

namespace HpAsyncPs.Server;

/// <summary>One sample of a run: the state when a snapshot was frozen, and the objective at that snapshot, exact.</summary>
/// <param name="Seconds">Since all had joined.</param>
/// <param name="Passes">Over all data.</param>
/// <param name="Objective">Weighted mean of the workers' first value.</param>
/// <param name="RelativeGap">(objective - reference) / |reference|, or null without a reference.</param>
/// <param name="Pushes">Applied whole.</param>
/// <param name="UplinkBytes">Received from workers, headers included.</param>
/// <param name="DownlinkBytes">Sent to workers, headers included.</param>
/// <param name="StalenessP50">Median version lag so far.</param>
/// <param name="StalenessMax">Largest version lag so far.</param>
/// <param name="Values">Weighted mean of each of the workers' values: see <see cref="Worker.ITask.Values"/>.</param>
public sealed record TraceRow(
    double Seconds, double Passes, double Objective, double? RelativeGap, ulong Pushes, long UplinkBytes, long DownlinkBytes,
    long StalenessP50, long StalenessMax, IReadOnlyList<double> Values)
{
    /// <summary>Root mean squared error of the held-out examples; null where the task has none.</summary>
    public double? TestRmse => Values is [_, var squares, > 0 and var count, ..] ? Math.Sqrt(squares / count) : null;
}

/// <summary>How many pushes had a version lag within a range.</summary>
/// <param name="Least">Smallest lag of the range.</param>
/// <param name="Most">Largest lag of the range.</param>
/// <param name="Pushes">How many.</param>
public readonly record struct StalenessBin(long Least, long Most, long Pushes);

/// <summary>What one worker did.</summary>
/// <param name="Rank">Its rank.</param>
/// <param name="Peer">Its address.</param>
/// <param name="Weight">Its examples.</param>
/// <param name="Passes">Over its data.</param>
/// <param name="Pushes">Applied whole.</param>
/// <param name="BusySeconds">Computing steps.</param>
/// <param name="IdleSeconds">Waiting for snapshots.</param>
/// <param name="EvaluatingSeconds">Evaluating snapshots.</param>
public sealed record WorkerRecord(
    int Rank, string Peer, double Weight, double Passes, ulong Pushes, double BusySeconds, double IdleSeconds,
    double EvaluatingSeconds);

/// <summary>Frames of admitted workers that were not accepted, by what was wrong with them: see <see cref="Protocol.FrameFault"/>. Nothing of them was applied.</summary>
public sealed record RefusedFrames
{
    /// <summary>Values that are NaN or infinite.</summary>
    public long NotFinite { get; init; }

    /// <summary>Values beyond the largest magnitude, or that would take a parameter there.</summary>
    public long TooLarge { get; init; }

    /// <summary>Payloads, or chunks, of a wrong length.</summary>
    public long WrongLength { get; init; }

    /// <summary>Keys that do not exist.</summary>
    public long OutOfRange { get; init; }

    /// <summary>Frames that did not come next.</summary>
    public long OutOfTurn { get; init; }

    /// <summary>Payloads that contradict their codec.</summary>
    public long Codec { get; init; }

    /// <summary>Frames whose checksum does not agree; the session may have gone on.</summary>
    public long Unreadable { get; init; }

    /// <summary>All others.</summary>
    public long Other { get; init; }
}

/// <summary>With codec auto: what was used from when on, and why.</summary>
/// <param name="Seconds">Since all had joined.</param>
/// <param name="Codec">Which.</param>
/// <param name="Reason">In words.</param>
public sealed record CodecDecision(double Seconds, string Codec, string Reason);

/// <summary>Whom policy auto waits for from then on, and why.</summary>
/// <param name="Seconds">Since the start of training.</param>
/// <param name="Reason">In words.</param>
public sealed record PolicyDecision(double Seconds, string Reason);

/// <summary>How a run stands, or how it ended.</summary>
public sealed record RunStatus
{
    /// <summary>Joining, Training, Finishing, Leaving, Ended or Failed.</summary>
    public required string Phase { get; init; }

    /// <summary>Workers that have joined.</summary>
    public int Joined { get; init; }

    /// <summary>Seconds since all had joined.</summary>
    public double Seconds { get; init; }

    /// <summary>Passes over all data.</summary>
    public double Passes { get; init; }

    /// <summary>Pushes applied whole.</summary>
    public ulong Pushes { get; init; }

    /// <summary>The objective at the last evaluated snapshot; null before the first.</summary>
    public double? Objective { get; init; }

    /// <summary>Its relative gap, with a reference.</summary>
    public double? RelativeGap { get; init; }

    /// <summary>Root mean squared error of the held-out examples at the last evaluated snapshot; null where the task has none.</summary>
    public double? TestRmse { get; init; }

    /// <summary>Received, headers included.</summary>
    public long UplinkBytes { get; init; }

    /// <summary>Sent, headers included.</summary>
    public long DownlinkBytes { get; init; }

    /// <summary>Of what was received, payloads of pushes.</summary>
    public long UplinkPayloadBytes { get; init; }

    /// <summary>Of what was sent, payloads of snapshots.</summary>
    public long DownlinkPayloadBytes { get; init; }

    /// <summary>How deltas are coded.</summary>
    public string Codec { get; init; } = "fp32";

    /// <summary>With codec auto: what was used, in order.</summary>
    public IReadOnlyList<CodecDecision> CodecDecisions { get; init; } = [];

    /// <summary>What policy auto decided, and when; the first 200.</summary>
    public IReadOnlyList<PolicyDecision> PolicyDecisions { get; init; } = [];

    /// <summary>Checks that found the two ends of a session to have different vectors; it was resynchronised each time.</summary>
    public long Disagreements { get; init; }

    /// <summary>Version lag, percentile 50.</summary>
    public long StalenessP50 { get; init; }

    /// <summary>Version lag, percentile 99.</summary>
    public long StalenessP99 { get; init; }

    /// <summary>Largest version lag.</summary>
    public long StalenessMax { get; init; }

    /// <summary>What workers sent and was not accepted.</summary>
    public RefusedFrames RefusedFrames { get; init; } = new();

    /// <summary>Ranks of workers that were lost and have not returned.</summary>
    public IReadOnlyList<int> Lost { get; init; } = [];

    /// <summary>One for each rank.</summary>
    public IReadOnlyList<WorkerRecord> Workers { get; init; } = [];
}

/// <summary>A run that has ended.</summary>
public sealed record RunResult
{
    /// <summary>Counters at the end.</summary>
    public required RunStatus Status { get; init; }

    /// <summary>Servers of the job, of which this was one.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>Why it ended: passes, target, plateau, time limit, stopped, all workers left.</summary>
    public required string Reason { get; init; }

    /// <summary>What failed, or null.</summary>
    public string? Failure { get; init; }

    /// <summary>Parameters: the aggregate at the end; with reason target, the snapshot that met it. Null if it never started.</summary>
    public float[]? Model { get; init; }

    /// <summary>The objective of <see cref="Model"/>; null when it could not be evaluated.</summary>
    public double? Objective { get; init; }

    /// <summary>Weighted mean of each of the workers' values at <see cref="Model"/>; the first is the objective.</summary>
    public IReadOnlyList<double> Values { get; init; } = [];

    /// <summary>What the workers agreed on: the largest of all, element by element.</summary>
    public IReadOnlyList<double> Agreed { get; init; } = [];

    /// <summary>Settings of the task.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>Samples in order of time.</summary>
    public IReadOnlyList<TraceRow> Trace { get; init; } = [];

    /// <summary>When each worker did what; null if training never started.</summary>
    public Timeline? Timeline { get; init; }

    /// <summary>Version lags of applied pushes.</summary>
    public IReadOnlyList<StalenessBin> Staleness { get; init; } = [];

    /// <summary>The relative gap at which it was to stop, or null.</summary>
    public double? Target { get; init; }
}
