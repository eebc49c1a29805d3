using System;
using System.Collections.Generic;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Transport;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Monitoring.Documents;

/// <summary>Rates over the last second; NaN: not known.</summary>
/// <param name="Pushes">A second.</param>
/// <param name="UplinkBytes">A second.</param>
/// <param name="DownlinkBytes">A second.</param>
internal readonly record struct Rates(double Pushes, double UplinkBytes, double DownlinkBytes);

/// <summary>Makes documents of a view.</summary>
internal static class DocumentBuilder
{
    private const int Digits = 3;

    public static StatusDocument Status(MonitorView view, long number, DateTimeOffset time, string version, Rates rates)
    {
        var workers = new WorkerDocument[view.Workers.Length];
        for (int rank = 0; rank < workers.Length; rank++)
            workers[rank] = Worker(view.Workers[rank]);
        return new StatusDocument { Number = number, Time = time, Version = version, Run = Run(view, rates), Workers = workers };
    }

    public static TickDocument Tick(MonitorView view, long number, string server, DateTimeOffset time, Rates rates)
    {
        int count = view.Workers.Length;
        char[] states = new char[count];
        double?[] lags = new double?[count], times = new double?[count], heard = new double?[count];
        ulong[] pushes = new ulong[count];
        for (int rank = 0; rank < count; rank++)
        {
            WorkerView worker = view.Workers[rank];
            states[rank] = Naming.StateLetters[(int)worker.State];
            lags[rank] = Short(worker.LagVersions.P50);
            pushes[rank] = worker.Pushes;
            times[rank] = Short(worker.PushSeconds.P50);
            heard[rank] = Short(worker.SecondsSinceHeard);
        }

        return new TickDocument
        {
            Number = number,
            Server = server,
            Time = time,
            Run = Run(view, rates),
            States = new string(states),
            LagVersionsP50 = lags,
            Pushes = pushes,
            PushSecondsP50 = times,
            SecondsSinceHeard = heard,
        };
    }

    public static EventDocument Event(MonitorEvent one) => new(
        one.Number, one.Time, one.Seconds, Naming.Kinds[(int)one.Kind], one.Rank, one.From is { } from ? Naming.States[(int)from] : null, one.To is { } to ? Naming.States[(int)to] : null, one.Reason);

    /// <summary>A number that JSON has, or null.</summary>
    public static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static RunDocument Run(MonitorView view, Rates rates)
    {
        RunView run = view.Run;
        return new RunDocument
        {
            Phase = Naming.Snake(run.Phase),
            Shard = run.Shard,
            Workers = view.Workers.Length,
            Joined = run.Joined,
            States = StatesOf(view),
            Seconds = run.Seconds,
            Passes = run.Passes,
            Pushes = run.Pushes,
            PushesPerSecond = Finite(rates.Pushes),
            Objective = Finite(run.Objective ?? double.NaN),
            RelativeGap = Finite(run.RelativeGap ?? double.NaN),
            TestRmse = Finite(run.TestRmse ?? double.NaN),
            UplinkBytes = run.UplinkBytes,
            DownlinkBytes = run.DownlinkBytes,
            UplinkPayloadBytes = run.UplinkPayloadBytes,
            DownlinkPayloadBytes = run.DownlinkPayloadBytes,
            UplinkBytesPerSecond = Finite(rates.UplinkBytes),
            DownlinkBytesPerSecond = Finite(rates.DownlinkBytes),
            Policy = run.Policy,
            Codec = run.Codec,
            LateShares = view.LateShares.Length > 1 && run.Shard == 0 ? Array.ConvertAll(view.LateShares.ToArray(), static share => Short(share)!.Value) : null,
            LagVersions = Of(run.LagVersions),
            RunLagVersions = Of(run.RunLagVersions),
            HasJournal = run.HasJournal,
            JournalBytes = run.JournalBytes,
            JournalBehindBytes = run.JournalBehindBytes,
            Checkpoint = run.Checkpoint,
            SnapshotBytes = run.SnapshotBytes,
            ConnectionBytes = run.ConnectionBytes,
            ConnectionLimitBytes = run.ConnectionLimitBytes,
            Connections = run.Connections,
            HalfOpenConnections = run.HalfOpen,
            FailedHandshakes = Counts(Naming.Handshakes, kind => view.Failed((HandshakeFailure)kind)),
            RefusedFrames = Counts(Naming.Faults, fault => view.Refused((FrameFault)fault)),
            Disagreements = run.Disagreements,
            LastEvent = run.LastEvent,
        };
    }

    private static WorkerDocument Worker(in WorkerView worker) => new()
    {
        Rank = worker.Rank,
        Address = worker.Address,
        State = Naming.States[(int)worker.State],
        StateSinceSeconds = worker.StateSinceSeconds,
        Reason = worker.Reason,
        Pushes = worker.Pushes,
        Passes = worker.Passes,
        LagVersions = Of(worker.LagVersions),
        PushSeconds = Of(worker.PushSeconds),
        PassSeconds = Of(worker.PassSeconds),
        SecondsSincePush = Finite(worker.SecondsSincePush),
        SecondsSinceHeard = Finite(worker.SecondsSinceHeard),
        PushTimes = worker.Times is { Family: not TimeFamily.Unknown } times
            ? new TimesDocument(Naming.Families[(int)times.Family], times.First, times.Second, times.Distance, times.Samples, times.Median) : null,
        NextPushSeconds = Finite(worker.NextPushSeconds),
        NextPushP99Seconds = Finite(worker.NextPushP99Seconds),
        StalledInSeconds = Finite(worker.StalledInSeconds),
        ComputingShare = Finite(worker.ComputingShare),
        IdleShare = Finite(worker.IdleShare),
        EvaluatingShare = Finite(worker.EvaluatingShare),
        CommunicatingShare = Finite(worker.CommunicatingShare),
        UplinkBytes = worker.UplinkBytes,
        DownlinkBytes = worker.DownlinkBytes,
        UplinkPayloadBytes = worker.UplinkPayloadBytes,
        DownlinkPayloadBytes = worker.DownlinkPayloadBytes,
        RetransmittedSegments = worker.RetransmittedSegments,
        Codec = Naming.Codecs[(int)worker.Codec],
    };

    private static Dictionary<string, int> StatesOf(MonitorView view)
    {
        int[] counts = new int[Naming.States.Length];
        foreach (ref readonly WorkerView worker in view.Workers)
            counts[(int)worker.State]++;
        var states = new Dictionary<string, int>();
        for (int state = 0; state < counts.Length; state++)
            states[Naming.States[state]] = counts[state];
        return states;
    }

    private static Dictionary<string, long> Counts(string[] names, Func<int, long> count)
    {
        var counts = new Dictionary<string, long>();
        for (int kind = 0; kind < names.Length; kind++)
            counts[names[kind]] = count(kind);
        return counts;
    }

    private static QuantilesDocument? Of(Quantiles quantiles) =>
        double.IsFinite(quantiles.P50) && double.IsFinite(quantiles.Max) ? new QuantilesDocument(quantiles.P50, quantiles.P90, quantiles.P99, quantiles.Max) : null;

    /// <summary>With three digits.</summary>
    private static double? Short(double value)
    {
        if (!double.IsFinite(value))
            return null;
        if (value == 0)
            return 0;
        double unit = Math.Pow(10, Math.Floor(Math.Log10(Math.Abs(value))) - Digits + 1);
        return unit >= 1 ? Math.Round(value / unit) * unit : Math.Round(value * Math.Round(1 / unit)) / Math.Round(1 / unit);
    }
}
