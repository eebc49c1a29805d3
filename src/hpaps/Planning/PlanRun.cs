using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Factorization;
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
    private const string TimeLimit = "time limit";

    // Beyond it what is left is the difference of two figures that are nearly the same.
    private const double MostSubtracted = 0.4;

    public static int Run(PlanSettings plan, TimeProvider time)
    {
        MeasuredRun run = MeasuredRun.Read(plan.Run);
        Prices? prices = plan.Prices is null ? null : Prices.Read(plan.Prices);
        TrainSettings measured = run.Settings(plan.Data, plan.Test), settings = plan.Of(measured);
        InputFile.CheckData(settings with { Workers = 1 }); // each case has its own number
        if (settings.Test is { } test && !settings.HasLabels)
            InputFile.Check("--test", test);
        List<PlannedCase> cases = plan.Cases(settings);
        if (Wrong(plan, run, cases, settings) is { } wrong)
        {
            Tell(wrong);
            Tell("see 'hpaps plan --help'");
            return (int)ExitCode.Usage;
        }

        OutputFolder? folder = plan.Output is { } named ? OutputFolder.Named(named) : null;
        using var signals = new StopSignals();
        PlanReport report;
        List<Prediction> all;
        try
        {
            var planner = new Planner(run, plan, measured, settings, time);
            all = Predict(planner, cases, prices, signals);
            report = Report(run, plan, settings, planner, all, prices);
            if (all.Count < cases.Count)
                report = report with { Notes = [$"it was stopped: {all.Count} of {cases.Count} cases are predicted, and the fastest and the cheapest are of those", .. report.Notes] };
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
        return (int)(all.Count < cases.Count ? ExitCode.ClusterFailure : ExitCode.Done);
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
                Tell($"{all.Count} of {cases.Count}: {one}: {PlanTable.Time(prediction.Seconds)}, simulated in {PlanTable.Time(prediction.SimulatedInSeconds)}");
            }
            catch (OperationCanceledException)
            {
                break; // while it read the data
            }
        }

        if (all.Count == 0)
            throw new ClusterException("ended before anything was predicted");
        if (all.Count < cases.Count)
            Tell($"stopped: {all.Count} of {cases.Count} are predicted");
        return all;
    }

    /// <summary>What is asked for in vain of this run, or null.</summary>
    private static string? Wrong(PlanSettings plan, MeasuredRun run, List<PlannedCase> cases, TrainSettings settings)
    {
        if (cases.Count > MostCases)
            return $"these are {cases.Count} cases, and each trains the whole job: ask for at most {MostCases} at a time";
        if (settings is { Target: not null, Reference: null })
            return "--target needs --reference, the optimum that the gap is measured against: the run has none";
        if (plan.Reference is not null && !settings.HasLabels)
            return $"--reference is for gaps of {LogisticTask.Name}, and the run was {settings.Task}: leave it out";
        if (plan.Target is not null && run.Summary is { Task: FactorTask.Name, TestRmse: null })
            return "--target needs ratings that the RMSE is measured on, and the run had none: measure one with --holdout or --test";
        foreach (PlannedCase one in cases)
        {
            if (AspPolicy.IsNamed(one.Policy) != AspPolicy.IsNamed(settings.Policy))
                return $"--policies {one.Policy}: under asp workers push gradients, which is another training than that of the other policies: plan it from a run of its own kind (this one had {settings.Policy})";
            foreach (int rank in settings.Slow.Keys)
            {
                if (rank >= one.Workers)
                    return $"worker {rank} is to be slow ({(plan.Slow is null ? "as in the run" : "--slow")}), and one of the cases has {PlanTable.Amount(one.Workers, "worker")}: say with --slow who is, of ranks that all have";
            }
        }

        return null;
    }

    private static PlanReport Report(MeasuredRun run, PlanSettings plan, TrainSettings settings, Planner planner, List<Prediction> all, Prices? prices)
    {
        int? fastest = null, cheapest = null;
        for (int j = 0; j < all.Count; j++)
        {
            if (!Counts(all[j]))
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
            SecondsOfExampleMeasured = planner.SecondsOfExampleMeasured,
            CostScale = planner.CostScale,
            SecondsOfEvaluation = planner.SecondsOfEvaluation,
            Crowding = run.Crowding,
            OneHost = plan.OneHost,
            Latency = plan.Latency,
            ServerBandwidth = plan.ServerBandwidth ?? "that of a worker's link",
            Prices = prices,
            Notes = [.. NearTies.Notes(all, fastest, cheapest), .. Notes(run, plan, settings, planner, all, prices)],
            Predictions = all,
            Fastest = fastest,
            Cheapest = cheapest,
        };
    }

    /// <summary>It did what was asked for, so its time and money say what that takes.</summary>
    internal static bool Counts(Prediction one) => one.MetTarget ?? one.Reason != TimeLimit;

    private static string Stop(TrainSettings settings)
    {
        var all = new List<string>();
        if ((settings.Target ?? settings.TargetRmse) is { } target)
            all.Add($"{(settings.HasLabels ? "relative gap" : "test RMSE")} {Text(target)}");
        if (settings.Plateau is not null)
            all.Add("a plateau");
        if (settings.Passes is { } passes)
            all.Add($"{Text(passes)} passes");
        if (settings.TimeLimit is { } seconds)
            all.Add(PlanTable.Time(seconds));
        return string.Join(" or ", all);
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static List<string> Notes(MeasuredRun run, PlanSettings plan, TrainSettings settings, Planner planner, List<Prediction> all, Prices? prices)
    {
        RunSummary summary = run.Summary;
        var notes = new List<string>();
        if (prices is { Example: true })
            notes.Add("the prices are made up (example prices)");
        if (summary.VirtualTime)
            notes.Add("the run was simulated: its times are those of its --pass-time, and nobody measured them; plan from a run of hpaps train for times that are true");
        else if (run.Crowding > 1)
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"the run had {summary.Workers} workers on {summary.Processors} processors: its steps count as {run.Crowding:0.00} times shorter; a run with fewer workers than processors tells more"));
        else if (run.IsOwn && summary.Workers >= summary.Processors)
            notes.Add($"the run had {PlanTable.Amount(summary.Workers, "worker")} and a server on {PlanTable.Amount(summary.Processors, "processor")}, and who shared one took longer: predictions may be too long; a run with fewer workers than processors tells more");
        else if (!run.IsOwn)
            notes.Add("the run's server was started by hand: each of its workers is thought to have had a core of its own");
        double subtracted = 1 - (planner.SecondsOfExample / planner.SecondsOfExampleMeasured);
        if (subtracted > MostSubtracted)
            notes.Add($"of what the run's workers were busy with, {Show.Share(subtracted)} is thought to be coding and sending, by what that takes on this machine now: what is left for an example, {PlanTable.Time(planner.SecondsOfExample)}, is uncertain, and so are times that computing decides; a run with more examples, or longer steps, a push tells more");
        if (plan.Slow is null && settings.Slow.Count > 0)
            notes.Add($"workers are slow as in the run ({Slow(settings)}); with --slow 0:1 none is");
        if (plan.OneHost is { } cores)
            notes.Add($"all processes share {PlanTable.Amount(cores, "core")} of one host, and who is slow sleeps there, as with hpaps train");
        if (summary is not { WorkerRestarts: 0, ServerRestarts: 0, LostWorkers.Count: 0 })
            notes.Add("processes of the run died: what it measured of their computing may not fit the passes that it counted");
        if (settings.SlowRandom > 0)
            notes.Add("steps are slow at random as in the run, whose measured time has that in it already: predictions are too long");
        if (all.Exists(static one => one.Servers > 1))
            notes.Add("several servers are assumed to share work and bytes evenly, and to answer together: what their late parts cost is not in it");
        if (all.Count > 1 && all[0].MetTarget is null && settings.Plateau is null)
            notes.Add("all stop at the same passes, and not at the same quality: compare what they cost with --target");
        int missed = all.FindAll(static one => one.MetTarget == false).Count, cut = all.FindAll(static one => one.MetTarget is null && one.Reason == TimeLimit).Count;
        if (missed > 0)
            notes.Add($"{missed} of {all.Count} do not reach the target within the limits: they are not counted among the fastest and cheapest");
        if (cut > 0)
            notes.Add($"{cut} of {all.Count} end at the time limit of the run, whatever they have got to by then: they are not counted among the fastest and cheapest; say with --passes or --target where to stop");
        return notes;
    }

    private static string Slow(TrainSettings settings)
    {
        var all = new List<string>();
        foreach ((int rank, string pattern) in settings.Slow)
            all.Add($"{rank}:{pattern}");
        return string.Join(", ", all);
    }

    private static void Tell(string line) => Console.Error.WriteLine($"hpaps: {line}");
}
