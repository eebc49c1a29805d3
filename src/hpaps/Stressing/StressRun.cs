using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>One run of hpaps stress: the sizes one after the other, each with processes of its own.</summary>
internal static class StressRun
{
    public static int Run(StressSettings settings, TimeProvider time)
    {
        LimitProgram? limits = LimitProgram.Find(settings);
        using var signals = new StopSignals();
        var reports = new List<StressReport>();
        foreach (int bytes in settings.Bytes)
        {
            double? before = limits?.Measure(settings, bytes, signals, time);
            StressReport report = Measure(settings, bytes, signals, time);
            double? after = before is null ? null : limits?.Measure(settings, bytes, signals, time);
            reports.Add(report with { RatioToLimit = report.ParametersGbPerSecond / ((before + after) / 2) });
        }

        if (!settings.Json)
            Console.Out.Write(StressReport.Table(reports));
        else if (reports is [var only])
            Console.Out.WriteLine(JsonSerializer.Serialize(only, CliJson.Default.StressReport));
        else
            Console.Out.WriteLine(JsonSerializer.Serialize(reports, CliJson.Default.ListStressReport));
        foreach (StressReport report in reports)
        {
            if (report.Verified == false)
                throw new ClusterException($"the model after pushes of {report.PayloadBytes} bytes is not the sum of what was acknowledged: {(settings.Server is null ? "" : "if that server was not started with a --rate, ")}a push was lost, doubled or changed; please report it with this command");
        }

        if (settings.Verify && settings.Server is not null && reports is [{ Verified: null }])
            throw new ClusterException("not verified: other workers push to that server too; let it run with --workers 1, or leave --server out");
        return (int)ExitCode.Done;
    }

    private static StressReport Measure(StressSettings settings, int bytes, StopSignals signals, TimeProvider time)
    {
        bool keeps = settings.Verify && settings.Server is null;
        string? folder = keeps ? Directory.CreateTempSubdirectory("hpaps-stress-").FullName : null;
        try
        {
            StressOutcome[] outcomes;
            ServerFigures server;
            using (var cluster = new StressCluster(settings, bytes, signals, time))
            {
                long start = time.GetTimestamp();
                cluster.Start(folder);
                using (var line = new StressLine(settings, bytes, time))
                {
                    while (cluster.Watch(start))
                        line.Show(cluster.Bytes);
                }

                outcomes = cluster.Outcomes();
                server = cluster.Figures();
            }

            return StressReport.Of(settings, bytes, outcomes, server) with
            {
                Verified = folder is not null ? IsSum(settings, bytes, outcomes, folder) : outcomes is [var only] ? only.Verified : null,
            };
        }
        finally
        {
            if (folder is not null)
                Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Is the server's model exactly what all workers have pushed, but for what their codec has left out so far?</summary>
    private static bool IsSum(StressSettings settings, int bytes, StressOutcome[] outcomes, string folder)
    {
        double total = 0, missing = 0;
        for (int rank = 0; rank < outcomes.Length; rank++)
        {
            missing += outcomes[rank].Residual;
            total += StressLedger.Total(settings.Path, outcomes[rank].Pushes) * (rank + 1);
        }

        float[] model = ModelFolder.Read(folder).Weights;
        return model.Length == bytes / sizeof(float) && StressLedger.FirstWrong(model, total, missing * (1 + 1e-6)) < 0;
    }
}
