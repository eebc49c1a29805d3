using System;
using System.Collections.Generic;
using System.Globalization;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>What the server tells of itself.</summary>
public sealed partial class ParameterServer
{
    /// <summary>Training has begun and not ended, and nobody has left.</summary>
    internal bool AllTrain => _phase == Phase.Training && _left == 0;

    /// <summary>Bytes of the largest payload of a push or a snapshot; 0 before the start.</summary>
    internal int LargestPayload => _shard is null ? 0 : Math.Min(_shard.ChunkKeys, _shard.Parameters) * sizeof(float);

    /// <summary>The session of a rank and its generation, for tests.</summary>
    internal (ulong Session, ulong Generation) LifeOf(int rank) => _members.Length == 0 ? default : (_members[rank].Id, _members[rank].Generation);

    /// <summary>What a rank's worker has of the aggregate, for tests.</summary>
    internal Downlink? DownlinkOf(int rank) => _members[rank].Downlink;

    /// <summary>Where a rank stands, for tests: its last whole push, the first key of the next that is not applied, its factor in the sum.</summary>
    internal (ulong Sequence, int NextKey, double Factor) StandOf(int rank) =>
        _shard is null ? default : (_shard.ClockOf(rank), _shard.NextKeyOf(rank), _shard.WeightOf(rank));

    /// <summary>The counters now.</summary>
    public RunStatus Status()
    {
        var workers = new WorkerRecord[_members.Length];
        for (int rank = 0; rank < workers.Length; rank++)
        {
            Session of = _members[rank];
            workers[rank] = new WorkerRecord(rank, of.Address, _weights[rank], of.Passes, _shard?.ClockOf(rank) ?? 0,
                of.Progress.BusySeconds, of.Progress.IdleSeconds, of.Progress.EvaluatingSeconds);
        }

        (long up, long down) = PayloadBytes();
        TraceRow? last = _trace.Count > 0 ? _trace[^1] : null;
        TraceRow now = Sample();
        return new RunStatus
        {
            Phase = _failure is not null ? "Failed" : _phase.ToString(),
            Joined = _admission.Joined,
            Seconds = now.Seconds,
            Passes = now.Passes,
            Pushes = now.Pushes,
            Objective = _objective ?? last?.Objective,
            RelativeGap = Gap(_objective ?? last?.Objective),
            TestRmse = last?.TestRmse,
            UplinkBytes = now.UplinkBytes,
            DownlinkBytes = now.DownlinkBytes,
            UplinkPayloadBytes = up,
            DownlinkPayloadBytes = down,
            Codec = _options.Codec.Name,
            CodecDecisions = _decisions.ToArray(),
            PolicyDecisions = _policyDecisions.ToArray(),
            Disagreements = Disagreements,
            StalenessP50 = now.StalenessP50,
            StalenessP99 = _monitor.AllLags.Percentile(99),
            StalenessMax = now.StalenessMax,
            Workers = workers,
            RefusedFrames = RefusedFrames,
            Lost = Lost(),
        };
    }

    private int[] Lost()
    {
        var lost = new List<int>();
        foreach (Session member in _members)
        {
            if (member.LostAt is not null || member.IsDismissed)
                lost.Add(member.Rank);
        }

        return lost.ToArray();
    }

    /// <summary>What came of it.</summary>
    public RunResult Result() => new()
    {
        Status = Status(),
        Servers = _options.Shard.Count,
        Reason = _reason,
        Failure = _failure,
        Model = _model,
        Objective = _objective,
        Values = _values,
        Agreed = _admission.Agreed,
        Settings = Settings(),
        Trace = _trace,
        Timeline = _timeline,
        Staleness = _monitor.AllLags.Bins(),
        Target = _options.Target,
    };

    private List<KeyValuePair<string, string>> Settings()
    {
        var settings = new List<KeyValuePair<string, string>>();
        foreach (KeyValuePair<string, string> one in _admission.Settings)
        {
            if (one.Key != ShardIndex.Setting)
                settings.Add(one);
        }

        if (_rate > 0)
            settings.Add(new("rate", _rate.ToString("R", CultureInfo.InvariantCulture)));
        return settings;
    }

    private TraceRow Sample()
    {
        (long up, long down) = Bytes();
        return new TraceRow(TrainedSeconds(), AllPasses(), double.NaN, null, _shard?.Version ?? 0,
            up, down, _monitor.AllLags.Percentile(50), _monitor.AllLags.Max, []);
    }

    /// <summary>Of all workers, headers included.</summary>
    private (long Uplink, long Downlink) Bytes()
    {
        long up = 0, down = 0;
        foreach (Session member in _members)
            (up, down) = (up + member.UplinkBytes, down + member.DownlinkBytes);
        return (up, down);
    }

    private (long Uplink, long Downlink) PayloadBytes()
    {
        (long up, long down) = (0, 0);
        foreach (Session member in _members)
            (up, down) = (up + member.PayloadBytes.Uplink, down + member.PayloadBytes.Downlink);
        return (up, down);
    }

    private double AllPasses() => _totalWeight == 0 ? 0 : _weightedPasses / _totalWeight;

    private double TrainedSeconds() => _phase is Phase.Joining or Phase.Training ? Elapsed() : _trained.TotalSeconds;

    private double? Gap(double? objective) => _options.Reference is { } reference && objective is { } value
        ? Math.Clamp((value - reference) / Math.Abs(reference), double.MinValue, double.MaxValue)
        : null;
}
