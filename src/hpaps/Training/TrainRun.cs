using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Cli.Models;
using HpAsyncPs.Cli.Progress;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Training;

/// <summary>What came of a run.</summary>
/// <param name="Summary">As it was saved.</param>
/// <param name="Simulated">More of it, if it was on the virtual clock.</param>
/// <param name="Untested">Why there is no accuracy on --test, or null.</param>
internal sealed record Trained(RunSummary Summary, SimulationReport? Simulated, InputException? Untested);

/// <summary>One run of hpaps train: checks first, then the processes, then what came of it.</summary>
internal static class TrainRun
{
    private const double LeastRatio = 0.5;

    public static int Run(TrainSettings settings, long start, TimeProvider time)
    {
        Binaries? binaries = settings.Simulation is null ? Binaries.Find() : null;
        InputFile.CheckData(settings);
        using var signals = new StopSignals();
        SparseRows? test = ReadTest(settings, signals);
        OutputFolder folder = settings.Output is { } named ? OutputFolder.Named(named) : OutputFolder.ByTime(settings.Task, time);
        settings = Limited(settings);
        if (LateValues(settings, "--codec", "--solver") is { } warning)
            Tell(LogLine.Warning(warning));
        Trained trained = Train(settings, binaries, signals, test, folder, start, time);
        RunSummary summary = trained.Summary;
        if (settings.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(summary, OutputJson.Default.RunSummary));
        else
            Console.Out.Write(ResultTable.Of(summary, folder.Path));
        if (settings.Json)
            Tell($"results are in {folder.Path}");
        TellLost(summary, settings.Loss);
        TellUnheard(summary);
        if (RunSummary.IsBeyondOptimum(summary.RelativeGap))
            Tell($"the objective is below --reference, {settings.Reference:R}: that is no optimum of this data, and gaps to it say little; hpaps train with --plateau finds one");
        if (summary.Objective is null)
            Tell(LogLine.Warning("the last evaluation was not answered in time: the objective of the model is not known"));
        return trained.Untested is null ? (int)ExitCode.Done : throw trained.Untested;
    }

    /// <summary>Trains, measures the accuracy on --test, and saves the results.</summary>
    /// <exception cref="InputException">Something given cannot be used.</exception>
    /// <exception cref="ClusterException">Training failed.</exception>
    public static Trained Train(TrainSettings settings, Binaries? binaries, StopSignals signals, SparseRows? test, OutputFolder folder, long start, TimeProvider time)
    {
        SimulationReport? simulated = null;
        RunSummary summary = binaries is null
            ? Simulate(settings, signals, folder, start, time, out simulated)
            : Launch(settings, binaries, signals, folder, InputFile.CheckData(settings), start, time);

        // What follows is short. Signals stay registered, so that an impatient one cannot cut it in the middle of a file.
        InputException? untested = null;
        try
        {
            if (test is not null)
                summary = summary with { TestAccuracy = Classifier.Read(folder.Path).Evaluate(test).Accuracy };
        }
        catch (InputException e)
        {
            // The model is good all the same: save first, then complain.
            untested = new InputException($"{e.Message}. The model is saved in {folder.Path}; only its accuracy on --test is missing", e);
        }

        return new Trained(Save(settings, folder, summary, start, time), simulated, untested);
    }

    /// <summary>The same, with the default limit where none was given.</summary>
    public static TrainSettings Limited(TrainSettings settings)
    {
        if (settings is not { Passes: null, Target: null, TargetRmse: null, TimeLimit: null })
            return settings;
        Tell($"no --passes, --target or --time-limit: it will stop after {settings.DefaultPasses:0} passes; Ctrl-C ends it earlier and saves the model");
        return settings with { Passes = settings.DefaultPasses };
    }

    /// <summary>Reads --test where it is for this program.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static SparseRows? ReadTest(TrainSettings settings, StopSignals signals)
    {
        if (settings.Test is null)
            return null;
        if (!settings.HasLabels)
        {
            InputFile.Check("--test", settings.Test);
            return null;
        }

        InputFile.CheckRows("--test", settings.Test, 1);
        SparseRows rows = LibsvmReader.Read(settings.Test, RowPart.All, signals.First);
        foreach (SeenLabel seen in rows.DistinctLabels)
        {
            if (seen.Label is not (-1 or 0 or 1 or 2))
                BinaryLabels.Of(rows); // says what is wrong, and where; a file of one class only is fine here
        }

        return rows;
    }

    private static RunSummary Launch(
        TrainSettings settings, Binaries binaries, StopSignals signals, OutputFolder folder, long bytes, long start, TimeProvider time)
    {
        (RunProgress progress, IProgressView view) = Views(settings, time);
        if (KeptState.PutAside(folder.Path) is { } aside)
            Tell(LogLine.Warning(aside));
        if (Commands.Pinned(settings) is { } pinned)
            Tell(pinned);
        var cluster = new LocalCluster(binaries, signals, time, settings.Loss, view.Say);
        try
        {
            using (cluster)
            {
                cluster.Start(Commands.Servers(settings, folder.Path, bytes), Commands.Workers(settings, folder.Path, bytes), Commands.Secrets(settings));
                if (cluster.Monitoring is { } address)
                    Tell($"monitoring at {address}");
                view.Follow(progress, () =>
                {
                    bool runs = cluster.Watch();
                    progress.IsStopping = cluster.IsStopping;
                    progress.Absent = cluster.Absent;
                    progress.Update(cluster.Status);
                    return runs;
                });
                if (settings.WorkersWrite)
                    cluster.WaitForWorkers();
            }

            if (settings.WorkersWrite)
                CompleteUsers(folder.Path, cluster.Lost);
            KeptState.DropAll(folder.Path);
            return Counted(cluster, cluster.Ended!);
        }
        catch (Exception e)
        {
            string remains = Remains(settings, cluster, signals, folder, bytes, start, time);
            if (remains.Length == 0)
                throw;
            if (e is InputException)
                throw new InputException($"{e.Message}\n{remains}", e);
            if (e is ClusterException)
                throw new ClusterException($"{e.Message}\n{remains}", e);
            Tell(new LogLine(remains, LogLevel.Error));
            throw;
        }
    }

    /// <summary>Saves what a failed run leaves, and says what and where; removes the rest.</summary>
    private static string Remains(
        TrainSettings settings, LocalCluster cluster, StopSignals signals, OutputFolder folder, long bytes, long start, TimeProvider time)
    {
        var words = new List<string>();
        if (cluster.Ended is { Parameters: > 0 } ended)
        {
            Save(settings, folder, Counted(cluster, ended), start, time);
            words.Add(Remains(settings, ended, folder.Path));
        }

        // Not where the user has said twice that it is to end.
        if (cluster.HasTrained && (signals.Received <= 1 || words.Count > 0) && KeptState.IsThere(folder.Path))
        {
            folder.Keep();
            words.Add(KeptState.HowToGoOn(settings, folder.Path, bytes));
        }
        else
        {
            KeptState.Drop(folder.Path);
        }

        if (words.Count == 0)
            folder.Discard();
        return string.Join('\n', words);
    }

    private static RunSummary Counted(LocalCluster cluster, RunSummary summary)
    {
        var lost = new SortedSet<int>(summary.LostWorkers);
        lost.UnionWith(cluster.Lost);
        foreach (RunSummary further in cluster.FurtherEnded) // what all servers moved
        {
            summary = summary with
            {
                UplinkBytes = summary.UplinkBytes + further.UplinkBytes,
                DownlinkBytes = summary.DownlinkBytes + further.DownlinkBytes,
                UplinkPayloadBytes = summary.UplinkPayloadBytes + further.UplinkPayloadBytes,
                DownlinkPayloadBytes = summary.DownlinkPayloadBytes + further.DownlinkPayloadBytes,
            };
        }

        return summary with { WorkerRestarts = cluster.WorkerRestarts, ServerRestarts = cluster.ServerRestarts, LostWorkers = [.. lost] };
    }

    /// <summary>Users of workers that the run went on without are lost with them, unless another took them over; the model is that of the rest.</summary>
    private static void CompleteUsers(string folder, IReadOnlyList<int> lost)
    {
        foreach (int rank in lost)
        {
            if (UserPart.CompleteWithout(Path.Combine(folder, RunFolder.Model), rank))
                Tell(LogLine.Warning($"the users of worker {rank} are lost with it: for the model they are unknown, and it predicts what it knows of the item alone; --reassign or --restart keep them"));
        }
    }

    private static RunSummary Simulate(TrainSettings settings, StopSignals signals, OutputFolder folder, long start, TimeProvider time, out SimulationReport report)
    {
        try
        {
            using SimulatedTraining training = SimulatedTraining.Run(settings, settings.Simulation!, signals, time);
            double wall = time.GetElapsedTime(start).TotalSeconds;
            report = SimulationReport.Of(training.Cluster, settings.Policy, wall);
            return training.Write(folder.Path, wall, time);
        }
        catch
        {
            folder.Discard();
            throw;
        }
    }

    /// <summary>What shows how a run stands.</summary>
    public static (RunProgress Progress, IProgressView View) Views(TrainSettings settings, TimeProvider time)
    {
        bool isVirtual = settings.Simulation is not null;
        var goal = new RunGoal(settings.Passes, settings.Target, settings.TargetRmse, settings.TimeLimit);
        string title = string.Create(CultureInfo.InvariantCulture,
            $"{settings.Task}  {Path.GetFileName(settings.Data)}  {settings.Policy}  {settings.Workers} workers  {settings.Title}{(isVirtual ? "  virtual time" : "")}");
        IProgressView view = Console.IsErrorRedirected || ProgramLog.IsJson || Environment.GetEnvironmentVariable("TERM") is "dumb"
            ? new PlainView(settings.Workers, time)
            : new LiveView(title, goal, settings.Workers, time);
        return (new RunProgress(goal) { IsVirtual = isVirtual }, view);
    }

    /// <summary>What a failed run leaves.</summary>
    private static string Remains(TrainSettings settings, RunSummary ended, string folder)
    {
        if (!settings.WorkersWrite)
            return $"The model as it stood then is in {folder}.";
        if (ended.Failure is null)
            return $"The items are in {folder}, but not all users: train again.";
        return $"No model was saved, for the users of a worker that is lost are lost; how far it came is in {folder}."
            + (File.Exists(Path.Combine(folder, RunFolder.Model, "model.json")) ? " model/ there is that of an earlier run." : "");
    }

    private static RunSummary Save(TrainSettings settings, OutputFolder folder, RunSummary summary, long start, TimeProvider time)
    {
        summary = summary with { Command = settings.Command ?? Commands.Own(), WallSeconds = time.GetElapsedTime(start).TotalSeconds };
        RunFolder.WriteSummary(folder.Path, summary);
        folder.Keep();
        return summary;
    }

    /// <summary>The local solver of logistic regression leaps far, and most values of topk come late (docs/algorithms.md): says so, or null where it is not so.</summary>
    /// <param name="settings">What is trained.</param>
    /// <param name="codecOption">What the option of the codec is called.</param>
    /// <param name="solverOption">What that of the solver is called.</param>
    public static string? LateValues(TrainSettings settings, string codecOption, string solverOption)
    {
        bool leaps = settings is { HasLabels: true, Workers: > 1 } && !settings.Policy.StartsWith("asp", StringComparison.Ordinal)
            && !new List<string>(settings.TaskArguments).Exists(static word => word.StartsWith("gradient", StringComparison.Ordinal));
        return leaps && CodecSpec.Parse(settings.Codec).Ratio < LeastRatio
            ? $"{codecOption} {settings.Codec}: most values travel late, and the local solver may not stand that: look at the objective, and use {solverOption} gradient or another codec"
            : null;
    }

    public static void TellLost(RunSummary summary, LossSettings loss)
    {
        if (summary.LostWorkers.Count == 0)
            return;
        string who = summary.LostWorkers.Count == 1 ? "worker" : "workers";
        string what = loss.Reassigns ? "other workers were to train their parts too"
            : loss.OnWorkerLoss == WorkerLoss.Evict ? "what they contributed is not in the model" : "what they had contributed until then is in the model";
        if (!loss.Reassigns)
            what += "; the objective is that of the rows of the others";
        Tell(LogLine.Warning($"{who} {string.Join(", ", summary.LostWorkers)} of {summary.Workers} did not return: {(summary.LostWorkers.Count == 1 ? what.Replace("they", "it", StringComparison.Ordinal).Replace("their parts", "its part", StringComparison.Ordinal) : what)}"));
    }

    public static void TellUnheard(RunSummary summary)
    {
        if (summary.Policy.StartsWith("asp", StringComparison.Ordinal))
            return;
        for (int rank = 0; rank < summary.WorkerPushes.Count; rank++)
        {
            if (summary.WorkerPushes[rank] == 0)
                Tell(LogLine.Warning($"training ended before worker {rank} had pushed: the model lacks what is learned from its data; train for longer"));
        }
    }

    private static void Tell(LogLine line) => ProgramLog.Write(line);
}
