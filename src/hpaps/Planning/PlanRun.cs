using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Cli.Planning;

/// <summary>One run of hpaps plan.</summary>
internal static class PlanRun
{
    /// <summary>Most cases of a plan: each trains the whole job.</summary>
    public const int MostCases = 200;

    private const string FileName = "plan.json";

    public static int Run(PlanSettings plan, TimeProvider time)
    {
        MeasuredRun run = MeasuredRun.Read(plan.Run);
        Prices? prices = plan.Prices is null ? null : Prices.Read(plan.Prices);
        TrainSettings settings = TrainRun.Limited(plan.Of(run.Settings(plan.Data, plan.Test)));
        InputFile.Check("--data", settings.Data);
        if (settings.Test is { } test && !settings.HasLabels)
            InputFile.Check("--test", test);
        List<PlannedCase> cases = plan.Cases(settings);
        Check(cases, settings);
        OutputFolder? folder = plan.Output is { } named ? OutputFolder.Named(named) : null;
        using var signals = new StopSignals();
        PlanReport report;
        try
        {
            var planner = new Planner(run, plan, settings, time);
            List<Prediction> all = Predict(planner, cases, prices, signals);
            report = Report(run, plan, settings, planner, all, prices);
            if (folder is not null)
            {
                Directory.CreateDirectory(folder.Path);
                AtomicFile.Write(Path.Combine(folder.Path, FileName), output => JsonSerializer.Serialize(output, report, CliJson.Default.PlanReport));
            }
        }
        catch
        {
            folder?.Discard();
            throw;
        }

        folder?.Keep();
        Console.Out.Write(plan.Json ? JsonSerializer.Serialize(report, CliJson.Default.PlanReport) + "\n" : PlanTable.Of(report, folder?.Path));
        return (int)ExitCode.Done;
    }

    private static List<Prediction> Predict(Planner planner, List<PlannedCase> cases, Prices? prices, StopSignals signals)
    {
        var all = new List<Prediction>();
        foreach (PlannedCase one in cases)
        {
            try
            {
                if (planner.Predict(one, prices, signals.First) is not { } prediction)
                    break;
                all.Add(prediction);
                Tell($"{all.Count} of {cases.Count}: {one}: {Show.Duration(prediction.Seconds)}, simulated in {Show.Duration(prediction.SimulatedInSeconds)}");
            }
            catch (OperationCanceledException)
            {
                break; // while it read the data
            }
        }

        if (all.Count == 0)
            throw new ClusterException("ended before anything was predicted");
        if (all.Count < cases.Count)
            Tell($"ended as asked for: {all.Count} of {cases.Count} are predicted");
        return all;
    }

    /// <exception cref="InputException">Something cannot be planned.</exception>
    private static void Check(List<PlannedCase> cases, TrainSettings settings)
    {
        if (cases.Count > MostCases)
            throw new InputException($"these are {cases.Count} cases, and each trains the whole job: ask for at most {MostCases} at a time");
        foreach (PlannedCase one in cases)
        {
            if (AspPolicy.IsNamed(one.Policy) != AspPolicy.IsNamed(settings.Policy))
                throw new InputException($"--policies {one.Policy}: under asp workers push gradients, which is another training than that of the other policies: plan it from a run of its own kind (this one had {settings.Policy})");
            foreach (int rank in settings.Slow.Keys)
            {
                if (rank >= one.Workers)
                    throw new InputException($"worker {rank} is to be slow, and one of the cases has {one.Workers} workers: say with --slow who is, of ranks that all have");
            }
        }
    }

    private static PlanReport Report(MeasuredRun run, PlanSettings plan, TrainSettings settings, Planner planner, List<Prediction> all, Prices? prices)
    {
        int? fastest = null, cheapest = null;
        for (int j = 0; j < all.Count; j++)
        {
            if (HasTarget(settings) && all[j].Reason is not "target")
                continue;
            fastest = fastest is null || all[j].Seconds < all[fastest.Value].Seconds ? j : fastest;
            if (prices is not null)
                cheapest = cheapest is null || all[j].Cost!.Total < all[cheapest.Value].Cost!.Total ? j : cheapest;
        }

        return new PlanReport
        {
            Run = plan.Run,
            Task = settings.Task,
            Stop = Stop(settings),
            SecondsOfExample = planner.SecondsOfExample,
            SecondsOfEvaluation = planner.SecondsOfEvaluation,
            Crowding = run.Crowding,
            Latency = plan.Latency,
            ServerBandwidth = plan.ServerBandwidth ?? "that of a worker's link",
            Prices = prices,
            Notes = Notes(run, settings, all, prices),
            Predictions = all,
            Fastest = fastest,
            Cheapest = cheapest,
        };
    }

    private static bool HasTarget(TrainSettings settings) => settings is not { Target: null, TargetRmse: null };

    private static string Stop(TrainSettings settings) => settings switch
    {
        { Target: { } gap } => $"relative gap {Text(gap)}",
        { TargetRmse: { } rmse } => $"test RMSE {Text(rmse)}",
        { Passes: { } passes } => $"{Text(passes)} passes",
        _ => "the limits of the run",
    };

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static List<string> Notes(MeasuredRun run, TrainSettings settings, List<Prediction> all, Prices? prices)
    {
        var notes = new List<string>();
        if (prices is { Example: true })
            notes.Add("the prices are made up (example prices)");
        if (run.Crowding > 1)
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"the run had {run.Summary.Workers} workers on {run.Summary.Processors} processors: its steps count as {run.Crowding:0.00} times shorter; a run with fewer workers than processors tells more"));
        if (run.Summary is not { WorkerRestarts: 0, ServerRestarts: 0, LostWorkers.Count: 0 })
            notes.Add("processes of the run died: what it measured of their computing may not fit the passes that it counted");
        if (settings.SlowRandom > 0)
            notes.Add("steps are slow at random as in the run, whose measured time has that in it already: predictions are too long");
        if (all.Exists(static one => one.Servers > 1))
            notes.Add("several servers are assumed to share keys, work and bytes evenly; today's hpaps-server is one");
        if (!HasTarget(settings) && all.Count > 1)
            notes.Add("all stop at the same passes, and not at the same quality: compare what they cost with --target");
        if (all.Exists(one => HasTarget(settings) && one.Reason != "target"))
            notes.Add("some do not reach the target within the limits: they are not counted among the fastest and cheapest");
        return notes;
    }

    private static void Tell(string line) => Console.Error.WriteLine($"hpaps: {line}");
}
