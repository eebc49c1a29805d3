using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Learning.Output.Comparing;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Cli.Planning;

/// <summary>What a run was asked for, and what it took, of its summary.json.</summary>
internal sealed class MeasuredRun
{
    // Of a step's measured time, at least so much is computing, whatever coding is thought to take.
    private const double LeastComputing = 0.1;

    private const double AboutAsFast = 1.2;

    // Beyond these no run is: what a plan is made of stays within the clock.
    private const double MostSeconds = 1e8;
    private const double MostExamples = 1e15;

    private static readonly string[] ServerOptions = ["--policy", "--codec", "--rate", "--passes", "--target", "--reference", "--target-rmse", "--plateau", "--time-limit", "--max-magnitude"];

    private readonly string _folder;

    private MeasuredRun(string folder, RunSummary summary)
    {
        _folder = folder;
        Summary = summary;
        List<string> words = OwnCommand.Words(summary.Command!);
        IsOwn = words is ["hpaps", "train" or "simulate", ..];
    }

    public RunSummary Summary { get; }

    /// <summary>The launcher started it, all processes on one host; else its server was started by hand.</summary>
    public bool IsOwn { get; }

    /// <summary>
    /// How many times longer steps took than they would have on cores of their own: workers that computed at a time, over the processors of the host; at least 1, and 1
    /// where workers may have been on other hosts.
    /// </summary>
    public double Crowding { get; private init; } = 1;

    /// <exception cref="InputException">There is no such run, or it says too little.</exception>
    public static MeasuredRun Read(string folder)
    {
        string path = Path.Combine(folder, "summary.json");
        if (File.Exists(folder))
            throw new InputException($"{folder}: this is a file; give the folder of the run that it is in");
        if (!Directory.Exists(folder))
            throw new InputException($"{folder}: there is no such folder; give the --out of a run of hpaps train or hpaps-server");
        if (!File.Exists(path))
        {
            throw new InputException(File.Exists(Path.Combine(folder, ComparisonFiles.Json))
                ? $"{folder}: this is a comparison of runs; give the folder of one of them, in {Path.Combine(folder, "runs")}"
                : $"{folder}: has no summary.json, so it is of no run that ended; give the --out of a run of hpaps train or hpaps-server");
        }

        RunSummary summary;
        try
        {
            using FileStream input = File.OpenRead(path);
            summary = JsonSerializer.Deserialize(input, OutputJson.Default.RunSummary) ?? throw new JsonException();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message}); give the folder of a run of hpaps train or hpaps-server", e);
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: is no summary of a run: line {(e.LineNumber ?? 0) + 1} is not what it should be, as where the file was cut off or edited; run it again", e);
        }

        if (summary.Failure is not null || summary.Reason == "failed")
            throw new InputException($"{path}: the run failed ({summary.Failure ?? "it does not say why"}), and what it measured is not that of a whole run: run it again");
        if (summary.Task is not (LogisticTask.Name or FactorTask.Name))
            throw new InputException($"{path}: its task is '{summary.Task}', and plans are of {LogisticTask.Name} and {FactorTask.Name} alone: give a run of one of these");
        foreach ((string key, bool isThere) in (ReadOnlySpan<(string, bool)>)
            [
                ("settings", summary.Settings?.Count > 0), ("command", summary.Command is { Length: > 0 }), ("worker_busy_seconds", summary.WorkerBusySeconds?.Count == summary.Workers),
                ("worker_evaluating_seconds", summary.WorkerEvaluatingSeconds?.Count == summary.Workers), ("worker_passes", summary.WorkerPasses?.Count == summary.Workers),
                ("worker_examples", summary.WorkerExamples?.Count == summary.Workers), ("worker_pushes", summary.WorkerPushes?.Count == summary.Workers), ("processors", summary.Processors > 0),
            ])
        {
            if (!isThere)
                throw new InputException($"{path}: has no {key}, which a plan is made of: it is of an older version, or of a run that failed; run it again");
        }

        foreach ((string key, IReadOnlyList<double> figures, double most) in (ReadOnlySpan<(string, IReadOnlyList<double>, double)>)
            [
                ("worker_busy_seconds", summary.WorkerBusySeconds!, MostSeconds), ("worker_evaluating_seconds", summary.WorkerEvaluatingSeconds!, MostSeconds), ("worker_passes", summary.WorkerPasses!, Limits.Passes),
                ("worker_examples", summary.WorkerExamples!, MostExamples), ("train_seconds", [summary.TrainSeconds], MostSeconds), ("pushes", [summary.Pushes], MostExamples),
            ])
        {
            foreach (double figure in figures)
            {
                if (!(figure >= 0 && figure <= most))
                    throw new InputException($"{path}: {key} says {figure:R}, and no run has that: it was edited; run it again");
            }
        }

        var run = new MeasuredRun(folder, summary);
        if (run.SecondsOfExample(0).Alone is not > 0)
            throw new InputException($"{path}: no worker computed anything (worker_busy_seconds, worker_passes): run it for longer");
        return new MeasuredRun(folder, summary) { Crowding = summary.VirtualTime || !run.IsOwn ? 1 : Math.Max(1, run.Computing() / summary.Processors) };
    }

    /// <summary>
    /// Seconds that one example takes a worker in one pass, computing alone, on a core of its own: of the workers that are about as fast as the fastest, for others may
    /// have been slowed down.
    /// </summary>
    /// <param name="secondsOfPush">Of which a push is coded and sent.</param>
    /// <returns>The same as well with what coding and sending takes, as it was measured.</returns>
    public (double Alone, double Measured) SecondsOfExample(double secondsOfPush)
    {
        var all = new List<(double Seconds, double Examples, double Busy)>();
        double least = double.PositiveInfinity;
        for (int rank = 0; rank < Summary.Workers; rank++)
        {
            double busy = Summary.WorkerBusySeconds[rank], examples = Summary.WorkerPasses[rank] * Summary.WorkerExamples[rank];
            if (busy <= 0 || examples <= 0)
                continue;
            all.Add((Math.Max(busy * LeastComputing, busy - (secondsOfPush * Summary.WorkerPushes[rank])), examples, busy));
            least = Math.Min(least, all[^1].Seconds / examples);
        }

        (double seconds, double count, double measured) = (0, 0, 0);
        foreach ((double Seconds, double Examples, double Busy) one in all)
        {
            if (one.Seconds <= least * one.Examples * AboutAsFast)
                (seconds, count, measured) = (seconds + one.Seconds, count + one.Examples, measured + one.Busy);
        }

        return count > 0 ? (seconds / count / Crowding, measured / count / Crowding) : (0, 0);
    }

    /// <summary>Seconds that evaluating one example takes.</summary>
    public double SecondsOfEvaluation()
    {
        double least = double.PositiveInfinity;
        for (int rank = 0; rank < Summary.Workers; rank++)
        {
            if (Summary.WorkerExamples[rank] > 0)
                least = Math.Min(least, Summary.WorkerEvaluatingSeconds[rank] / Summary.WorkerExamples[rank]);
        }

        return Summary.Evaluations > 0 && double.IsFinite(least) ? least / Summary.Evaluations / Crowding : 0;
    }

    /// <summary>What was asked for, as hpaps train takes it.</summary>
    /// <param name="data">Its data, where the run does not say; else null.</param>
    /// <param name="test">What its RMSE is measured on, likewise.</param>
    /// <exception cref="InputException">It cannot be told.</exception>
    public TrainSettings Settings(string? data, string? test)
    {
        List<string> words = OwnCommand.Words(Summary.Command!);
        if (!IsOwn && data is null)
            throw new InputException($"{_folder}: its server was started by hand and does not know the data: give the whole of it with --data");
        string kind = IsOwn ? words[1] : "train";
        TrainSettings? settings = null;
        int Take(TrainSettings given)
        {
            settings = given;
            return 0;
        }

        SimulateOptions? simulate = kind == "simulate" ? new SimulateOptions() : null;
        var root = new RootCommand();
        root.Subcommands.Add(TrainCommand.LogisticRegression(0, simulate, instead: Take));
        root.Subcommands.Add(TrainCommand.Factorization(0, simulate, instead: Take));
        List<string> arguments = IsOwn ? words[2..] : ByHand(words, data!, test);
        ParseResult parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            throw new InputException($"{_folder}: its command line is not understood ({parsed.Errors[0].Message}): {Summary.Command}");
        parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        if (settings is null)
            throw new InputException($"{_folder}: its command line is not that of a run: {Summary.Command}");
        if (settings.HasLabels && test is not null)
            throw new InputException($"--test {test}: a plan of {LogisticTask.Name} measures no accuracy and has no use for it: leave it out");
        if (settings.Slow.Count >= Summary.Workers)
            throw new InputException($"{_folder}: all its workers were slow (--slow), so what an example takes one that is not cannot be told: plan from a run with such a one");
        settings = settings with { Data = data ?? settings.Data, Test = test ?? settings.Test, Output = null, Json = false };
        if (IsOwn && data is null && !Path.Exists(settings.Data))
            throw new InputException($"{_folder}: its data was {settings.Data}, which is not there from here; say where it is with --data");
        return Summary.Reason == "stopped" ? settings with { Passes = Summary.Passes } : settings;
    }

    /// <summary>The arguments of hpaps train that would have done the same.</summary>
    private List<string> ByHand(List<string> words, string data, string? test)
    {
        List<string> arguments = [Summary.Task, "--data", data, "--workers", Summary.Workers.ToString(CultureInfo.InvariantCulture), "--seed", Summary.Seed.ToString(CultureInfo.InvariantCulture)];
        for (int j = 1; j < words.Count; j++)
        {
            string[] parts = words[j].Split('=', 2);
            if (Array.IndexOf(ServerOptions, parts[0]) < 0)
                continue;
            string name = parts[0] == "--target-rmse" ? "--target" : parts[0];
            arguments.AddRange([name, parts.Length == 2 ? parts[1] : j + 1 < words.Count ? words[++j] : ""]);
        }

        IReadOnlyDictionary<string, string> of = Summary.Settings;
        if (of.ContainsKey("warm_start"))
            throw new InputException($"{_folder}: it began from a model that its server does not know: plan from a run that begins anew");
        string[] names = Summary.Task == FactorTask.Name ? ["rank", "decay", "step", "step_decay"] : ["l2", "l1", "batch"];
        foreach (string name in names)
        {
            if (of.TryGetValue(name, out string? value) && (name != "l1" || value != "0"))
                arguments.AddRange(["--" + name.Replace('_', '-'), value]);
        }

        if (Summary.Task == LogisticTask.Name)
        {
            if (!of.ContainsKey("batch"))
                arguments.AddRange(["--solver", of.GetValueOrDefault("solver", "svrg")]);
            if (of.GetValueOrDefault("data", "").StartsWith("bytes", StringComparison.Ordinal))
                arguments.AddRange(LogisticOptions.Arguments(RowCut.Bytes));
            if (of.GetValueOrDefault("intercept") == "yes")
                arguments.Add("--intercept");
            return arguments;
        }

        if (test is not null)
            return [.. arguments, "--test", test];
        if (!double.TryParse(of.GetValueOrDefault("held_out", "0"), CultureInfo.InvariantCulture, out double share) || share >= 1)
            throw new InputException($"{_folder}: its workers measured on a file that its server does not know: give it with --test");
        return [.. arguments, "--holdout", share.ToString("R", CultureInfo.InvariantCulture)];
    }

    /// <summary>Workers that computed at a time, on average; those that sleep to be slow count by what they compute.</summary>
    private double Computing()
    {
        double all = 0, full = SecondsOfExample(0).Alone;
        for (int rank = 0; rank < Summary.Workers; rank++)
            all += full * Summary.WorkerPasses[rank] * Summary.WorkerExamples[rank];
        return Summary.TrainSeconds > 0 ? all / Summary.TrainSeconds : 0;
    }

    /// <summary>Bytes of a push, payload alone, on average.</summary>
    public double BytesOfPush => Summary.Pushes > 0 ? (double)Summary.UplinkPayloadBytes / Summary.Pushes : 0;

    /// <summary>What its pushes were coded with most lately.</summary>
    public CodecSpec Codec
    {
        get
        {
            string name = Summary.CodecDecisions is [.., var last] ? last.Codec : Summary.Codec;
            return name == CodecSpec.Auto.Name ? CodecSpec.Fp32 : CodecSpec.Parse(name);
        }
    }
}
