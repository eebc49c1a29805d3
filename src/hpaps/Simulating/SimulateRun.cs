using System;
using System.Text.Json;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Cli.Models;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Simulating;

/// <summary>One run of hpaps simulate.</summary>
internal static class SimulateRun
{
    public static int Run(TrainSettings settings, long start, TimeProvider time)
    {
        InputFile.CheckData(settings);
        using var signals = new StopSignals();
        SparseRows? test = TrainRun.ReadTest(settings, signals);
        OutputFolder? folder = settings.Output is { } named ? OutputFolder.Named(named) : null;
        settings = TrainRun.Limited(settings);
        SimulationReport report;
        try
        {
            using SimulatedTraining training = SimulatedTraining.Run(settings, settings.Simulation!, signals, time);
            double wall = time.GetElapsedTime(start).TotalSeconds;
            report = SimulationReport.Of(training.Cluster, settings.Policy, wall);
            if (folder is not null)
                training.Write(folder.Path, wall, time);
            RunResult result = training.Cluster.Result();
            if (test is not null && result.Model is { } model)
                report = report with { TestAccuracy = Classifier.Of("the model", RunFolder.ModelOf(result, model)).Evaluate(test).Accuracy };
        }
        catch
        {
            folder?.Discard();
            throw;
        }

        folder?.Keep();
        Console.Out.Write(settings.Json ? JsonSerializer.Serialize(report, CliJson.Default.SimulationReport) + "\n" : report.Table(folder?.Path));
        return (int)ExitCode.Done;
    }
}
