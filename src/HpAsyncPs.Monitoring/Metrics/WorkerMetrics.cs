using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server.Monitoring;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace HpAsyncPs.Monitoring.Metrics;

/// <summary>
/// The instruments of the workers, each with a point for each rank. States that change with each push are counted in <c>hpaps.workers</c>, and have no points here: only those that last.
/// </summary>
internal static class WorkerMetrics
{
    /// <summary>Points of a worker that an instrument has at most: what the cardinality limit goes by.</summary>
    public const int MostPoints = 4;

    /// <summary>What the names of all begin with.</summary>
    public const string Prefix = "hpaps.worker.";

    private static readonly string[] WithMorePoints = [Prefix + "state", Prefix + "share", Prefix + "lag.versions", Prefix + "push.time", Prefix + "pass.time"];

    private static readonly WorkerState[] Lasting = [WorkerState.Slow, WorkerState.Stalled, WorkerState.Gone, WorkerState.Left];

    private static readonly (string Name, Func<WorkerView, double> Of)[] Activities =
    [
        ("computing", static worker => worker.ComputingShare), ("idle", static worker => worker.IdleShare),
        ("evaluating", static worker => worker.EvaluatingShare), ("communicating", static worker => worker.CommunicatingShare),
    ];

    /// <summary>Whether an instrument has <see cref="MostPoints"/> points of each worker, and not one.</summary>
    /// <param name="name">Its name.</param>
    public static bool HasMorePoints(string name) => Array.IndexOf(WithMorePoints, name) >= 0;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meter">Of what.</param>
    /// <param name="read">The view.</param>
    public static void AddTo(Meter meter, Func<MonitorView> read)
    {
        var tags = new (Tag Shard, Tag Rank)[read().Workers.Length]; // boxed once
        for (int rank = 0; rank < tags.Length; rank++)
            tags[rank] = (new Tag("shard", read().Run.Shard), new Tag("rank", rank));
        void Gauge(string name, string unit, string what, Func<WorkerView, double> value) => meter.CreateObservableGauge(name, () => Each(value), unit, what);
        void Counter(string name, string unit, string what, Func<WorkerView, double> value) => meter.CreateObservableCounter(name, () => Each(value), unit, what);
        void Windowed(string name, string unit, string what, Func<WorkerView, Quantiles> value) => meter.CreateObservableGauge(name, () => EachQuantile(value), unit, what);

        meter.CreateObservableGauge("hpaps.worker.state", States, "", "1 where the worker is slow, stalled, gone or left.");
        meter.CreateObservableGauge("hpaps.worker.share", Shares, "1", "Share of the last half minute or so that a worker computed, waited, evaluated or was seen to communicate in.");
        Counter("hpaps.worker.pushes", "{push}", "Pushes of a worker that were applied whole.", static worker => worker.Pushes);
        Counter("hpaps.worker.passes", "{pass}", "Passes of a worker over its data.", static worker => worker.Passes);
        Windowed("hpaps.worker.lag.versions", "", "Version lag of its pushes lately; q is the quantile, 1 is the largest.", static worker => worker.LagVersions);
        Windowed("hpaps.worker.push.time", "s", "Its own seconds of a push lately; q is the quantile, 1 is the largest.", static worker => worker.PushSeconds);
        Windowed("hpaps.worker.pass.time", "s", "Its own seconds of a pass lately; q is the quantile, 1 is the largest.", static worker => worker.PassSeconds);
        Gauge("hpaps.worker.push.age", "s", "Seconds since its last push.", static worker => worker.SecondsSincePush);
        Gauge("hpaps.worker.heard.age", "s", "Seconds since it was heard of.", static worker => worker.SecondsSinceHeard);
        Counter("hpaps.worker.uplink", "By", "Received from it, headers included.", static worker => worker.UplinkBytes);
        Counter("hpaps.worker.downlink", "By", "Sent to it, headers included.", static worker => worker.DownlinkBytes);
        Counter("hpaps.worker.uplink.payload", "By", "Of what was received, payloads of its pushes.", static worker => worker.UplinkPayloadBytes);
        Counter("hpaps.worker.downlink.payload", "By", "Of what was sent, payloads of snapshots.", static worker => worker.DownlinkPayloadBytes);
        Counter("hpaps.worker.retransmissions", "{segment}", "TCP segments that the server has sent it again.", static worker => worker.RetransmittedSegments);

        IEnumerable<Measurement<double>> Each(Func<WorkerView, double> value)
        {
            for (int rank = 0; rank < tags.Length; rank++)
            {
                double one = value(read().Workers[rank]);
                if (double.IsFinite(one))
                    yield return new Measurement<double>(one, tags[rank].Shard, tags[rank].Rank);
            }
        }

        IEnumerable<Measurement<double>> EachQuantile(Func<WorkerView, Quantiles> value)
        {
            for (int rank = 0; rank < tags.Length; rank++)
            {
                foreach (Measurement<double> one in JobMetrics.Of(value(read().Workers[rank]), tags[rank].Shard, tags[rank].Rank))
                    yield return one;
            }
        }

        IEnumerable<Measurement<double>> States()
        {
            for (int rank = 0; rank < tags.Length; rank++)
            {
                WorkerState now = read().Workers[rank].State;
                foreach (WorkerState state in Lasting)
                    yield return new Measurement<double>(now == state ? 1 : 0, tags[rank].Shard, tags[rank].Rank, new Tag("state", Naming.States[(int)state]));
            }
        }

        IEnumerable<Measurement<double>> Shares()
        {
            for (int rank = 0; rank < tags.Length; rank++)
            {
                foreach ((string name, Func<WorkerView, double> share) in Activities)
                {
                    double one = share(read().Workers[rank]);
                    if (double.IsFinite(one))
                        yield return new Measurement<double>(one, tags[rank].Shard, tags[rank].Rank, new Tag("activity", name));
                }
            }
        }
    }
}
