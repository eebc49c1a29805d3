using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Results of runs that never were.</summary>
internal static class SyntheticRun
{
    /// <summary>A run that went well.</summary>
    /// <param name="workers">Their number; worker 0 is slow.</param>
    /// <param name="samples">Rows of the trace.</param>
    /// <param name="task">Its name.</param>
    public static RunResult Of(int workers, int samples, string task = "logreg")
    {
        var trace = new List<TraceRow>();
        for (int j = 0; j < samples; j++)
        {
            double gap = Math.Pow(10, -4.0 * j / samples);
            trace.Add(new TraceRow(0.01 * j, 3.5 * j, 0.5 * (1 + gap), gap, (ulong)j * 7, 1000L * j, 1500L * j, 1, 9, [0.5 * (1 + gap), 40 + (10 * gap), 50]));
        }

        var timeline = new Timeline(workers);
        var staleness = new LagHistogram();
        var records = new List<WorkerRecord>();
        for (int rank = 0; rank < workers; rank++)
        {
            for (int message = 1; message <= 40; message++)
                timeline.Record(rank, 0.05 * message, new ProgressMessage(0.03 * message, 0.015 * message, 0.005 * message));
            for (int lag = 0; lag < 20; lag++)
                staleness.Record(lag);
            records.Add(new WorkerRecord(rank, $"10.0.0.{rank}:5000", 1000 + rank, 100 + rank, 20, 1.2, 0.6, 0.2));
        }

        return new RunResult
        {
            Status = new RunStatus
            {
                Phase = "Ended",
                Joined = workers,
                Seconds = 2.25,
                Passes = 321.25,
                Pushes = (ulong)workers * 20,
                Objective = 0.500123456,
                RelativeGap = 2.46912e-4,
                UplinkBytes = 12_345_678,
                DownlinkBytes = 7_654_321,
                StalenessP50 = 9,
                StalenessP99 = 18,
                StalenessMax = 19,
                Workers = records,
            },
            Reason = "target",
            Model = new float[1234],
            Objective = 0.500123456,
            Values = samples > 0 ? trace[^1].Values : [],
            Settings = [new("task", task), new("seed", "77"), new("l2", "0.001")],
            Trace = trace,
            Timeline = timeline,
            Staleness = staleness.Bins(),
            Target = 1e-3,
        };
    }

    /// <summary>Its summary, with everything that a summary can have.</summary>
    public static RunSummary SummaryOf(RunResult result) => RunSummary.Of(result, "async", 3.5) with
    {
        TestAccuracy = 0.851668,
        TestRmse = 0.8349,
        Command = "hpaps train logreg --data 'a & b.svm' --out run",
        FinishedAt = new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.FromHours(1)),
    };
}
