using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Transport;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace HpAsyncPs.Monitoring.Metrics;

/// <summary>The instruments of a job, which read the view of the scrape that is under way. Names and units are those of OpenTelemetry; a number that is not known is not reported.</summary>
internal static class JobMetrics
{
    /// <summary>Phases of a job.</summary>
    private static readonly string[] Phases = ["joining", "training", "finishing", "leaving", "ended", "failed"];

    private static readonly string[] Quantiles = ["0.5", "0.9", "0.99", "1"];

    /// <summary>Makes the instruments.</summary>
    /// <param name="meter">Of what.</param>
    /// <param name="read">The view.</param>
    public static void AddTo(Meter meter, Func<MonitorView> read)
    {
        Tag shard = new("shard", read().Run.Shard);
        RunView Run() => read().Run;
        void Gauge(string name, string unit, string what, Func<double> value) => meter.CreateObservableGauge(name, () => Known(value(), shard), unit, what);
        void Counter(string name, string unit, string what, Func<double> value) => meter.CreateObservableCounter(name, () => Known(value(), shard), unit, what);

        Gauge("hpaps.run.time", "s", "Seconds since training began.", () => Run().Seconds);
        Gauge("hpaps.passes", "{pass}", "Passes over all data; fewer when a worker that has made more than the others is lost.", () => Run().Passes);
        Counter("hpaps.pushes", "{push}", "Pushes that were applied whole.", () => Run().Pushes);
        Gauge("hpaps.objective", "", "Objective at the last evaluated snapshot.", () => Run().Objective ?? double.NaN);
        Gauge("hpaps.relative_gap", "", "Relative gap of the objective from the reference.", () => Run().RelativeGap ?? double.NaN);
        Gauge("hpaps.test_rmse", "", "Root mean squared error of held-out examples at the last evaluated snapshot.", () => Run().TestRmse ?? double.NaN);
        Counter("hpaps.uplink", "By", "Received from workers, headers included.", () => Run().UplinkBytes);
        Counter("hpaps.downlink", "By", "Sent to workers, headers included.", () => Run().DownlinkBytes);
        Counter("hpaps.uplink.payload", "By", "Of what was received, payloads of pushes.", () => Run().UplinkPayloadBytes);
        Counter("hpaps.downlink.payload", "By", "Of what was sent, payloads of snapshots.", () => Run().DownlinkPayloadBytes);
        Gauge("hpaps.workers.expected", "{worker}", "Workers of the job.", () => read().Workers.Length);
        Gauge("hpaps.workers.joined", "{worker}", "Workers that have joined.", () => Run().Joined);
        Gauge("hpaps.journal.enabled", "", "1 where anything is kept on disk.", () => Run().HasJournal ? 1 : 0);
        Counter("hpaps.journal.written", "By", "Appended to the journal.", () => Run().JournalBytes);
        Gauge("hpaps.journal.behind", "By", "Appended to the journal and not on disk yet.", () => Run().JournalBehindBytes);
        Counter("hpaps.checkpoints", "{checkpoint}", "Number of the newest checkpoint.", () => Run().Checkpoint);
        Gauge("hpaps.snapshot.memory", "By", "Memory that snapshots take.", () => Run().SnapshotBytes);
        Gauge("hpaps.connection.memory", "By", "Memory that connections take.", () => Run().ConnectionBytes);
        Gauge("hpaps.connection.memory.limit", "By", "The most that connections can take.", () => Run().ConnectionLimitBytes);
        Gauge("hpaps.connections", "{connection}", "Connections, those that are not admitted included.", () => Run().Connections);
        Gauge("hpaps.connections.half_open", "{connection}", "Connections that are not admitted.", () => Run().HalfOpen);
        Counter("hpaps.disagreements", "{check}", "Checks that found two ends to have different vectors.", () => Run().Disagreements);
        Counter("hpaps.events", "{event}", "Events of the job.", () => Run().LastEvent);

        meter.CreateObservableGauge("hpaps.phase", () => Each(Phases, shard, "phase", one => Phases[one] == Naming.Snake(Run().Phase) ? 1 : 0), "", "1 for the phase that the job is in.");
        meter.CreateObservableGauge("hpaps.workers", () => Each(Naming.States, shard, "state", one => Count(read(), (WorkerState)one)), "{worker}", "Workers in each state.");
        meter.CreateObservableCounter("hpaps.handshakes.failed", () => Each(Naming.Handshakes, shard, "kind", one => read().Failed((HandshakeFailure)one)), "{handshake}", "Handshakes that have failed, by what was wrong.");
        meter.CreateObservableCounter("hpaps.frames.refused", () => Each(Naming.Faults, shard, "kind", one => read().Refused((FrameFault)one)), "{frame}", "Frames of admitted workers that were refused, by what was wrong.");
        meter.CreateObservableGauge("hpaps.late.share", () => Late(read(), shard), "", "At the first server: share of the workers' time in which they had all parts of a snapshot but that of one server; 0 with one server.");
        meter.CreateObservableGauge("hpaps.lag.versions", () => Of(Run().LagVersions, shard), "", "Version lag of pushes lately; q is the quantile, 1 is the largest.");
        meter.CreateObservableGauge("hpaps.run.lag.versions", () => Of(Run().RunLagVersions, shard), "", "Version lag of all pushes of the run; q is the quantile, 1 is the largest.");
    }

    /// <summary>Quantiles, as far as they are known.</summary>
    /// <param name="quantiles">They.</param>
    /// <param name="tags">Of what.</param>
    public static IEnumerable<Measurement<double>> Of(Quantiles quantiles, params Tag[] tags)
    {
        for (int j = 0; j < Quantiles.Length; j++)
        {
            double value = j switch { 0 => quantiles.P50, 1 => quantiles.P90, 2 => quantiles.P99, _ => quantiles.Max };
            if (double.IsFinite(value))
                yield return new Measurement<double>(value, [.. tags, new Tag("q", Quantiles[j])]);
        }
    }

    private static IEnumerable<Measurement<double>> Known(double value, Tag tag)
    {
        if (double.IsFinite(value))
            yield return new Measurement<double>(value, tag);
    }

    private static IEnumerable<Measurement<double>> Late(MonitorView view, Tag shard)
    {
        for (int server = 0; server < view.LateShares.Length && view.Run.Shard == 0; server++)
            yield return new Measurement<double>(view.LateShares[server], shard, new Tag("server", server));
    }

    private static IEnumerable<Measurement<double>> Each(string[] names, Tag shard, string label, Func<int, double> value)
    {
        for (int j = 0; j < names.Length; j++)
            yield return new Measurement<double>(value(j), shard, new Tag(label, names[j]));
    }

    private static int Count(MonitorView view, WorkerState state)
    {
        int count = 0;
        foreach (ref readonly WorkerView worker in view.Workers)
            count += worker.State == state ? 1 : 0;
        return count;
    }
}
