using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Learning.Output.Comparing;

namespace HpAsyncPs.Cli.Comparing;

/// <summary>One comparison: its runs one after another, and after each of them the figures of all that are done, so that nothing ends them in vain.</summary>
internal sealed class CompareRun
{
    private readonly CompareSettings _settings;
    private readonly Binaries? _binaries;
    private readonly StopSignals _signals;
    private readonly SparseRows? _test;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly List<ComparedRun> _runs = [];
    private EarlierComparison? _earlier;

    private CompareRun(CompareSettings settings, Binaries? binaries, StopSignals signals, SparseRows? test, string folder, TimeProvider time) =>
        (_settings, _binaries, _signals, _test, _folder, _time) = (settings, binaries, signals, test, folder, time);

    public static int Run(CompareSettings settings, long start, TimeProvider time)
    {
        TrainSettings first = settings.Trainings[0].Settings;
        Binaries? binaries = settings.Plan.VirtualTime ? null : Binaries.Find();
        if (settings.Output is { } named)
            CheckOutput(named, settings.Force);
        foreach (ComparedTraining one in settings.Trainings)
            InputFile.CheckData(one.Settings);
        using var signals = new StopSignals();
        SparseRows? test;
        try
        {
            test = TrainRun.ReadTest(first, signals);
            first.Read!(first with { Workers = 1 }, signals.First)(); // all of it, as one worker would
        }
        catch (OperationCanceledException)
        {
            throw NothingDone();
        }

        Warn(settings.Trainings);
        EarlierComparison? earlier = settings.Output is { } replaced ? new EarlierComparison(replaced) : null;
        var folder = OutputFolder.OfComparison(settings.Output, first.Task, time);
        var run = new CompareRun(settings, binaries, signals, test, folder.Path, time) { _earlier = earlier };
        try
        {
            run.All();
        }
        catch
        {
            if (run.HasResults)
                folder.Keep();
            else
                Leave();
            throw;
        }

        if (run.HasResults)
            return run.Finish(folder, start);
        Leave();
        throw NothingDone();

        void Leave()
        {
            earlier?.Return();
            folder.Discard();
        }
    }

    private static ClusterException NothingDone() => new("stopped before the first run was done: nothing was compared, and nothing was written");

    /// <summary>There is something to keep.</summary>
    private bool HasResults => _runs.Exists(static one => one.Outcome != ComparedRun.Stopped);

    /// <summary>What is to be known before it begins: each line once, however many configurations it is of.</summary>
    private static void Warn(IReadOnlyList<ComparedTraining> trainings)
    {
        var told = new List<string>();
        foreach (ComparedTraining one in trainings)
        {
            if (TrainRun.LateValues(one.Settings, "--codecs", "--solvers") is not { } warning || told.Contains(warning))
                continue;
            Tell(warning);
            told.Add(warning);
        }
    }

    /// <summary>An earlier comparison may go where that was asked for, and nothing else may.</summary>
    /// <exception cref="InputException">Something is there that must stay, or nothing can be written.</exception>
    private static void CheckOutput(string folder, bool force)
    {
        RunFolder.Probe(folder, mayHoldComparison: true);
        if (!Directory.Exists(folder) || Directory.GetFileSystemEntries(folder).Length == 0)
            return;
        if (!File.Exists(Path.Combine(folder, ComparisonFiles.Json)))
            throw new InputException($"--out {folder}: the folder is not empty, and what is in it is no comparison; name another");
        if (!force)
            throw new InputException($"--out {folder}: an earlier comparison is there; name another folder, or replace it with --force");
    }

    private void All()
    {
        IReadOnlyList<ComparedTraining> trainings = _settings.Trainings;
        int all = trainings.Count * _settings.Plan.RunsEach;
        Tell($"{trainings.Count} configurations{(_settings.Plan.RunsEach > 1 ? $", {_settings.Plan.RunsEach} runs of each" : "")}: {all} runs in {_folder}");
        for (int number = 0; number < all && _signals.Received == 0; number++)
        {
            int run = 1 + (number / trainings.Count);
            ComparedTraining training = trainings[number % trainings.Count];
            Tell($"run {number + 1} of {all}: {training.Setting}");
            _runs.Add(One(training, run, isFirst: number == 0));
            if (!HasResults)
                continue;
            _earlier?.Drop();
            ComparisonFiles.WriteFigures(_folder, Judged());
        }
    }

    private ComparedRun One(ComparedTraining training, int run, bool isFirst)
    {
        string name = Path.Combine(ComparisonFiles.Runs, _settings.Plan.RunsEach == 1 ? training.Name : $"{training.Name}-{run}"), path = Path.Combine(_folder, name);
        try
        {
            Trained trained = TrainRun.Train(training.Settings, _binaries, _signals, _test, OutputFolder.Named(path), _time.GetTimestamp(), _time);
            TrainRun.TellLost(trained.Summary, training.Settings.Loss);
            TrainRun.TellUnheard(trained.Summary);
            if (trained.Untested is { } untested)
                Tell(untested.Message);
            ComparedRun made = ComparedRun.Of(training.Setting, run, trained.Summary, TraceFile.Read(Path.Combine(path, RunFolder.Trace)), name);

            // The virtual clock's own figures, which are those that hpaps simulate prints.
            return trained.Simulated is { } simulated
                ? made with { MessagesUp = simulated.MessagesUp, MessagesDown = simulated.MessagesDown, UplinkBytes = simulated.UplinkBytes, DownlinkBytes = simulated.DownlinkBytes }
                : made;
        }
        catch (Exception e) when (_signals.Received > 0 && e is ClusterException or InputException or OperationCanceledException)
        {
            return ComparedRun.Without(training.Setting, run, ComparedRun.Stopped, e.Message, Remains());
        }
        catch (InputException) when (isFirst)
        {
            throw; // what the first run cannot use, the others most likely cannot either, and nothing is lost
        }
        catch (Exception e) when (e is ClusterException or InputException)
        {
            Tell($"{training.Setting} failed: {e.Message}");
            return ComparedRun.Without(training.Setting, run, ComparedRun.Failed, e.Message, Remains());
        }

        string? Remains() => Directory.Exists(path) ? name : null;
    }

    private int Finish(OutputFolder folder, long start)
    {
        Comparison comparison = Judged();
        ComparisonFiles.WriteFigures(_folder, comparison);
        ComparisonFiles.WriteReport(_folder, comparison);
        folder.Keep();
        if (_settings.Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(comparison, OutputJson.Default.Comparison));
        else
            Console.Out.Write(ComparisonTable.Text(comparison) + $"results: {Path.Combine(_folder, "report.html")}, after {Show.Duration(_time.GetElapsedTime(start).TotalSeconds)} in all\n");
        IReadOnlyList<string> missing = comparison.Missing();
        if (missing.Count > 0)
            Tell($"stopped: {missing.Count} of {comparison.PlannedRuns} runs are missing: {ComparisonTable.Names(missing)}");
        if (_settings.Json)
            Tell($"results are in {_folder}");
        return (int)(comparison.FailedRuns + missing.Count > 0 ? ExitCode.ClusterFailure : ExitCode.Done);
    }

    private Comparison Judged() => Comparison.Of(_settings.Plan, _runs) with { Command = Commands.Own(), FinishedAt = _time.GetLocalNow() };

    private static void Tell(string line) => Console.Error.WriteLine($"hpaps: {line}");
}
