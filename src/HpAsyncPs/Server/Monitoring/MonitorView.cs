using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>What is known of a worker. Times are seconds; NaN: not known.</summary>
public readonly record struct WorkerView
{
    /// <summary>Of a worker that has not joined.</summary>
    /// <param name="rank">Its rank.</param>
    public static WorkerView Unknown(int rank) => new()
    {
        Rank = rank,
        Address = "",
        Reason = "",
        LagVersions = Quantiles.None,
        PushSeconds = Quantiles.None,
        PassSeconds = Quantiles.None,
        SecondsSincePush = double.NaN,
        SecondsSinceHeard = double.NaN,
        NextPushSeconds = double.NaN,
        NextPushP99Seconds = double.NaN,
        StalledInSeconds = double.PositiveInfinity,
        ComputingShare = double.NaN,
        IdleShare = double.NaN,
        EvaluatingShare = double.NaN,
        CommunicatingShare = double.NaN,
    };

    /// <summary>Its rank.</summary>
    public int Rank { get; init; }

    /// <summary>Its address.</summary>
    public string Address { get; init; }

    /// <summary>How it stands.</summary>
    public WorkerState State { get; init; }

    /// <summary>Since when, in seconds since training began; within a tenth.</summary>
    public double StateSinceSeconds { get; init; }

    /// <summary>Why its state last changed to or from slow, stalled, gone or left; empty: it never did.</summary>
    public string Reason { get; init; }

    /// <summary>Pushes that were applied whole.</summary>
    public ulong Pushes { get; init; }

    /// <summary>Passes over its data.</summary>
    public double Passes { get; init; }

    /// <summary>Version lag of its pushes lately.</summary>
    public Quantiles LagVersions { get; init; }

    /// <summary>Seconds of its own from a snapshot, or the push before, to a push lately.</summary>
    public Quantiles PushSeconds { get; init; }

    /// <summary>The same for a pass.</summary>
    public Quantiles PassSeconds { get; init; }

    /// <summary>Since its last push.</summary>
    public double SecondsSincePush { get; init; }

    /// <summary>Since it was heard of.</summary>
    public double SecondsSinceHeard { get; init; }

    /// <summary>What the times between its pushes are like.</summary>
    public FittedTimes Times { get; init; }

    /// <summary>Until its next push, by the median; negative: it is late.</summary>
    public double NextPushSeconds { get; init; }

    /// <summary>Until its next push, with 99 %.</summary>
    public double NextPushP99Seconds { get; init; }

    /// <summary>Until it counts as stalled, if it does not push; infinite: too little is known.</summary>
    public double StalledInSeconds { get; init; }

    /// <summary>Share of the last half minute or so that it computed in, as it says.</summary>
    public double ComputingShare { get; init; }

    /// <summary>That it waited in.</summary>
    public double IdleShare { get; init; }

    /// <summary>That it evaluated in.</summary>
    public double EvaluatingShare { get; init; }

    /// <summary>In which one of its pushes was seen to come in, or a snapshot to go out to it. It may have computed or waited meanwhile.</summary>
    public double CommunicatingShare { get; init; }

    /// <summary>Received from it, headers included.</summary>
    public long UplinkBytes { get; init; }

    /// <summary>Sent to it, headers included.</summary>
    public long DownlinkBytes { get; init; }

    /// <summary>Of what was received, payloads of pushes.</summary>
    public long UplinkPayloadBytes { get; init; }

    /// <summary>Of what was sent, payloads of snapshots.</summary>
    public long DownlinkPayloadBytes { get; init; }

    /// <summary>TCP segments that the server has sent it again; 0 where there is no TCP.</summary>
    public long RetransmittedSegments { get; init; }

    /// <summary>How its last push was coded.</summary>
    public CodecId Codec { get; init; }
}

/// <summary>What is known of a job. Times are seconds; NaN: not known.</summary>
public readonly record struct RunView
{
    /// <summary>Joining, Training, Finishing, Leaving, Ended or Failed.</summary>
    public string Phase { get; init; }

    /// <summary>Which shard this is.</summary>
    public int Shard { get; init; }

    /// <summary>Since training began.</summary>
    public double Seconds { get; init; }

    /// <summary>Passes over all data.</summary>
    public double Passes { get; init; }

    /// <summary>Pushes that were applied whole.</summary>
    public ulong Pushes { get; init; }

    /// <summary>At the last evaluated snapshot.</summary>
    public double? Objective { get; init; }

    /// <summary>Its relative gap, with a reference.</summary>
    public double? RelativeGap { get; init; }

    /// <summary>Of held-out examples at the last evaluated snapshot.</summary>
    public double? TestRmse { get; init; }

    /// <summary>Received, headers included.</summary>
    public long UplinkBytes { get; init; }

    /// <summary>Sent, headers included.</summary>
    public long DownlinkBytes { get; init; }

    /// <summary>Of what was received, payloads of pushes.</summary>
    public long UplinkPayloadBytes { get; init; }

    /// <summary>Of what was sent, payloads of snapshots.</summary>
    public long DownlinkPayloadBytes { get; init; }

    /// <summary>Its policy.</summary>
    public string Policy { get; init; }

    /// <summary>How deltas are coded now.</summary>
    public string Codec { get; init; }

    /// <summary>Version lag of pushes lately.</summary>
    public Quantiles LagVersions { get; init; }

    /// <summary>Version lag of all pushes of the run.</summary>
    public Quantiles RunLagVersions { get; init; }

    /// <summary>Workers that have joined.</summary>
    public int Joined { get; init; }

    /// <summary>Whether anything is kept on disk.</summary>
    public bool HasJournal { get; init; }

    /// <summary>Ever appended to the journal.</summary>
    public long JournalBytes { get; init; }

    /// <summary>Of these, not on disk yet.</summary>
    public long JournalBehindBytes { get; init; }

    /// <summary>Number of the newest checkpoint.</summary>
    public ulong Checkpoint { get; init; }

    /// <summary>Memory that snapshots take now.</summary>
    public long SnapshotBytes { get; init; }

    /// <summary>Memory that connections take now.</summary>
    public long ConnectionBytes { get; init; }

    /// <summary>The most that connections can take.</summary>
    public long ConnectionLimitBytes { get; init; }

    /// <summary>Connections, those that are not admitted included.</summary>
    public int Connections { get; init; }

    /// <summary>Connections that are not admitted.</summary>
    public int HalfOpen { get; init; }

    /// <summary>Checks that found two ends to have different vectors.</summary>
    public long Disagreements { get; init; }

    /// <summary>Number of the newest event.</summary>
    public long LastEvent { get; init; }
}

/// <summary>
/// How a job stands, in memory that is used again and again. The thread that owns the shard fills one of these, and readers copy it to theirs: <see cref="ServerHost.ReadMonitor"/>.
/// </summary>
public sealed class MonitorView
{
    private readonly WorkerView[] _workers;
    private readonly double[] _lateShares;
    private readonly long[] _failedHandshakes = new long[Enum.GetValues<HandshakeFailure>().Length];
    private readonly long[] _refusedFrames = new long[Enum.GetValues<FrameFault>().Length];

    /// <param name="workers">Of the job.</param>
    /// <param name="servers">Of the job.</param>
    public MonitorView(int workers, int servers = 1) => (_workers, _lateShares) = (new WorkerView[workers], new double[servers]);

    /// <summary>The job.</summary>
    public RunView Run { get; internal set; }

    /// <summary>One for each rank.</summary>
    public ReadOnlySpan<WorkerView> Workers => _workers;

    /// <summary>At the first server, for each server the share of the workers' time in which they had all parts but its, over the last ten seconds or so; 0 elsewhere.</summary>
    public ReadOnlySpan<double> LateShares => _lateShares;

    /// <summary>How many handshakes have failed in this way.</summary>
    public long Failed(HandshakeFailure failure) => _failedHandshakes[(int)failure];

    /// <summary>How many frames of admitted workers were refused because of this.</summary>
    public long Refused(FrameFault fault) => _refusedFrames[(int)fault];

    internal Span<WorkerView> WorkersToFill => _workers;

    internal Span<double> LateSharesToFill => _lateShares;

    internal Span<long> FailedHandshakes => _failedHandshakes;

    internal Span<long> RefusedFrames => _refusedFrames;

    /// <summary>Becomes the same as another one for as many workers.</summary>
    /// <param name="other">Of the same job.</param>
    public void CopyFrom(MonitorView other)
    {
        if (other._workers.Length != _workers.Length || other._lateShares.Length != _lateShares.Length)
            throw new ArgumentException($"The view is one for {_workers.Length} workers, the job has {other._workers.Length}: make it with ServerHost.NewView.", nameof(other));
        Run = other.Run;
        other._workers.CopyTo(_workers, 0);
        other._lateShares.CopyTo(_lateShares, 0);
        other._failedHandshakes.CopyTo(_failedHandshakes, 0);
        other._refusedFrames.CopyTo(_refusedFrames, 0);
    }
}
