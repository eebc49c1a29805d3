using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>What the monitor is told and shows: docs/monitoring.md.</content>
public sealed partial class ParameterServer
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    private static readonly string[] PhaseNames = Enum.GetNames<Phase>();
    private const string FailedName = "Failed";

    private readonly StalenessMonitor _monitor;
    private readonly LateShards? _lateShards; // null: there is one server, or this is not the first
    private long _lookedAt;
    private long _tickedAt;
    private long _awakeSince; // the server stood still before: what came meanwhile is not seen yet

    /// <summary>The last events of the job. Any thread may read them.</summary>
    public EventRing Events => _monitor.Events;

    /// <summary>A view that <see cref="Fill"/> fills.</summary>
    public MonitorView NewView() => new(_options.Workers, _options.Shard.Count);

    /// <summary>Something happened outside that is an event of the job.</summary>
    /// <param name="kind">What it is about.</param>
    /// <param name="what">In words.</param>
    internal void Note(MonitorEventKind kind, string what) => _monitor.Tell(kind, null, what, Elapsed());

    /// <summary>Shows how the job stands. Allocates nothing.</summary>
    public void Fill(MonitorView view)
    {
        double now = Elapsed();
        Span<WorkerView> workers = view.WorkersToFill;
        for (int rank = 0; rank < workers.Length; rank++)
            workers[rank] = rank < _members.Length ? View(_members[rank], now) : WorkerView.Unknown(rank);
        _refusedFrames.CopyTo(view.RefusedFrames);
        _lateShards?.Shares.CopyTo(view.LateSharesToFill);
        (long up, long down) = PayloadBytes();
        TraceRow? last = _trace.Count > 0 ? _trace[^1] : null;
        (long Uplink, long Downlink) bytes = Bytes();
        view.Run = new RunView
        {
            Phase = _failure is not null ? FailedName : PhaseNames[(int)_phase],
            Shard = _options.Shard.Index,
            Seconds = TrainedSeconds(),
            Passes = AllPasses(),
            Pushes = _shard?.Version ?? 0,
            Objective = _objective ?? last?.Objective,
            RelativeGap = Gap(_objective ?? last?.Objective),
            TestRmse = last?.TestRmse,
            UplinkBytes = bytes.Uplink,
            DownlinkBytes = bytes.Downlink,
            UplinkPayloadBytes = up,
            DownlinkPayloadBytes = down,
            Policy = _policy.Name,
            Codec = _codec.Name,
            LagVersions = _monitor.Lags(),
            RunLagVersions = _shard is null ? Quantiles.None : RunLags(_monitor.AllLags),
            Joined = _admission.Joined,
            HasJournal = _state is not null && _phase != Phase.Joining,
            JournalBytes = _state is not null && _phase != Phase.Joining ? _state.Journal.End : 0,
            JournalBehindBytes = _state is not null && _phase != Phase.Joining ? _state.Journal.End - _state.Journal.Durable : 0,
            Checkpoint = _checkpoints,
            SnapshotBytes = _shard is null ? 0 : (long)_shard.LeasedPublications * _shard.Parameters * sizeof(float),
            Disagreements = Disagreements,
            LastEvent = _monitor.Events.Last,
        };
    }

    private static Quantiles RunLags(LagHistogram lags) => new(lags.Percentile(50), lags.Percentile(90), lags.Percentile(99), lags.Max);

    private WorkerView View(Session member, double now)
    {
        double turn = IsItsTurn(member) ? now - _speeds.SentAt(member.Rank) : double.NaN;
        return _monitor.View(member.Rank, turn, now) with
        {
            Address = member.Address,
            Pushes = _shard?.ClockOf(member.Rank) ?? 0,
            Passes = member.Passes,
            SecondsSinceHeard = _time.GetElapsedTime(member.HeardAt).TotalSeconds,
            UplinkBytes = member.UplinkBytes,
            DownlinkBytes = member.DownlinkBytes,
            UplinkPayloadBytes = member.PayloadBytes.Uplink,
            DownlinkPayloadBytes = member.PayloadBytes.Downlink,
            RetransmittedSegments = member.RetransmittedSegments,
            Codec = member.PushedCodec,
        };
    }

    /// <summary>
    /// Is nothing awaited but its push? Not while it waits for a snapshot, whatever for: that may be for the server's memory, for others behind a barrier, or for a worker that is lost.
    /// </summary>
    private bool IsItsTurn(Session member) =>
        _phase == Phase.Training && _returning == 0 && member is { PullVersion: null, IsSending: false, WelcomeDue: false, OwnDue: false, EvaluationOpen: false, IsAbsent: false, Peer: not null };

    private void TickMonitor(long now)
    {
        if (_tickedAt == 0 || _time.GetElapsedTime(_tickedAt, now) > HeartbeatInterval)
            _awakeSince = now;
        _tickedAt = now;
        if (_phase is not (Phase.Training or Phase.Finishing or Phase.Leaving) || _members.Length == 0)
            return;
        double seconds = Elapsed(now);
        Session studied = _members[_monitor.Study(seconds)];
        if (studied.Peer is { } peer && _time.GetElapsedTime(studied.PolledAt, now) >= PollInterval)
            (studied.PolledAt, studied.Retransmitted) = (now, peer.RetransmittedSegments);
        if (_time.GetElapsedTime(_lookedAt, now) < LookInterval)
            return;
        _lookedAt = now;
        double awake = _time.GetElapsedTime(_awakeSince, now).TotalSeconds;
        foreach (Session member in _members)
        {
            double unheard = _time.GetElapsedTime(member.HeardAt, now).TotalSeconds, silent = Math.Min(awake, unheard), turn = Math.Min(awake, seconds - _speeds.SentAt(member.Rank));
            var sight = new Sight(member.Peer is not null, member is { IsAbsent: true, LostAt: null }, silent / HeartbeatInterval.TotalSeconds, IsItsTurn(member), member.EvaluationOpen, turn, member.GoneBecause)
            {
                UnheardSeconds = unheard / HeartbeatInterval.TotalSeconds,
            };
            _monitor.Look(member.Rank, sight, seconds);
        }

        for (int server; _lateShards is not null && (server = _lateShards.Change(out bool isLate)) >= 0;)
            TellLate(server, isLate, _lateShards.Shares[server]);
    }

    private void TellLate(int server, bool isLate, double share) => Tell(MonitorEventKind.Shard, isLate
        ? LogLine.Warning($"server {server}/{_options.Shard.Count} is late: for {share:p0} of their time workers had all parts of a snapshot but its, lately; look at its load, its host and its link")
        : $"server {server}/{_options.Shard.Count} is in time again");

    /// <summary>Says it in the log, and as an event.</summary>
    private void Tell(MonitorEventKind kind, LogLine line)
    {
        Log?.Invoke(line);
        _monitor.Tell(kind, line.Rank, line.Text, Elapsed());
    }

    private double Elapsed() => Elapsed(_time.GetTimestamp());

    /// <summary>Seconds since training began; 0 before.</summary>
    private double Elapsed(long now) => _phase == Phase.Joining ? 0 : _time.GetElapsedTime(_startedAt, now).TotalSeconds;
}
