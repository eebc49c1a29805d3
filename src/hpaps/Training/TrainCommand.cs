using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Threading;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Cli.Training;

/// <summary>The command lines of hpaps train, and of hpaps simulate, which has the same options and some more.</summary>
internal static class TrainCommand
{
    // Passes after which a run stops that was given no limit at all.
    private const double LogisticPasses = 500;
    private const double FactorPasses = 40;

    /// <summary>Most passes of a factorisation with a target: beyond these its steps are too short to bring it nearer.</summary>
    public const double FactorTargetPasses = 200;

    /// <param name="start">Timestamp of the start of the program.</param>
    /// <param name="simulate">Options of hpaps simulate; null for hpaps train.</param>
    /// <param name="run">What takes the settings instead of a run; null: they are run.</param>
    /// <param name="instead">What takes the settings, and how they are simulated, before anything is run; null: nothing does.</param>
    public static Command LogisticRegression(long start, SimulateOptions? simulate = null, Func<TrainSettings, int>? run = null, Func<TrainSettings, int>? instead = null)
    {
        var common = new TrainOptions(LogisticTask.Name, LogisticPasses, "LIBSVM/SVMlight file to train on, plain, gzip or prepared (hpaps prepare), or a folder of such files, of which each worker takes whole ones.",
            "File or folder to measure the accuracy of the trained model on.", "Seed of the split of the data among the workers, and of --slow-random.", simulate is not null);
        var own = new LogisticOptions();
        Option<double?> target = new Option<double?>("--target") { HelpName = "GAP", Description = "Stop when (objective - reference) / |reference| is at most this; needs --reference." }.Positive(double.MaxValue);
        Option<double?> rate = new Option<double?>("--rate") { HelpName = "F", Description = "Learning rate, of policy asp alone: " + PolicyNames.RateHelp }.Within(1e-12, 1e6);
        Option<double?> reference = new Option<double?>("--reference") { HelpName = "F", Description = "The optimum that gaps are measured against." }.Within(double.MinValue, double.MaxValue);
        Option<bool> deterministic = Deterministic();
        Option[] more = simulate?.All ?? [deterministic];
        Command command = common.Command(
            simulate is not null ? SimulateHelp("logistic regression", "logreg --data train.svm", "--target 1e-3 --reference 0.33334") : CommonOptions.WithExamples(
                "Trains regularised logistic regression with a server and workers on this host.\n"
                + "Ctrl-C ends training in order: the model as it stands is saved. A second Ctrl-C, a second later or more, ends everything at once.",
                "hpaps train logreg --data train.svm.gz",
                "hpaps train logreg --data train.svm --test test.svm --workers 8 --passes 200 --out run",
                "hpaps train logreg --data train.svm --target 1e-3 --reference 0.33334 --policy bsp --slow 0:8",
                "hpaps train logreg --data train.svm --plateau 20:1e-4",
                "hpaps train logreg --data new.svm --warm-start run --out run-2",
                "hpaps train logreg --data train.svm --policy ssp:3",
                "hpaps train logreg --data train.svm --policy asp:adam --rate 0.01 --batch 256"),
            [.. own.All, rate, target, reference, .. more]);
        reference.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && double.TryParse(token.Value, CultureInfo.InvariantCulture, out double value) && value == 0)
                result.AddError("--reference must not be 0: gaps are relative to it.");
        });
        command.Validators.Add(result =>
        {
            if (TrainOptions.Has(result, target) && !TrainOptions.Has(result, reference))
                result.AddError("--target needs --reference: the optimum that the gap is measured against.");
            common.CheckDeterministic(result, deterministic);
            bool pushesGradients = CommonOptions.TakesGradients(result.GetResult(common.Policy));
            if (TrainOptions.Has(result, rate) && !pushesGradients)
                result.AddError("--rate is the learning rate of --policy asp; no other policy has one.");
            if (own.HasBatch(result) && !pushesGradients)
                result.AddError("--batch is of --policy asp; no other policy pushes gradients.");
            if (result.GetResult(common.Policy)?.Tokens is [{ Value: AspPolicy.Sum }])
                result.AddError($"--policy {AspPolicy.Sum} only adds what is pushed, and trains nothing: use asp:sgd, asp:adagrad or asp:adam.");
            own.Check(result, pushesGradients);
        });
        command.SetAction(parsed =>
        {
            LogisticSettings value = own.Settings(parsed);
            if (CommonOptions.TakesGradients(parsed.GetResult(common.Policy)) && value.Batch == 0)
                value = value with { Batch = CommonOptions.DefaultBatch };
            return Run(
                common.Settings(parsed) with
                {
                    Target = parsed.GetValue(target),
                    Reference = parsed.GetValue(reference),
                    Rate = parsed.GetValue(rate),
                    TaskArguments = [.. LogisticOptions.Arguments(value), .. LogisticOptions.Arguments(own.Cut(parsed)), .. WarmStart(parsed, own.WarmStart)],
                    Title = $"l2 {Text(value.L2)}" + (value.L1 > 0 ? $", l1 {Text(value.L1)}" : ""),
                    HasLabels = true,
                },
                parsed, simulate, instead, deterministic, start, run,
                (all, stop) => SimulationPlan.ReadRows(all, value, own.Cut(parsed), stop));
        });
        return command;
    }

    /// <param name="start">Timestamp of the start of the program.</param>
    /// <param name="simulate">Options of hpaps simulate; null for hpaps train.</param>
    /// <param name="run">What takes the settings instead of a run; null: they are run.</param>
    /// <param name="instead">What takes the settings, and how they are simulated, before anything is run; null: nothing does.</param>
    public static Command Factorization(long start, SimulateOptions? simulate = null, Func<TrainSettings, int>? run = null, Func<TrainSettings, int>? instead = null)
    {
        var own = new FactorOptions();
        var common = new TrainOptions(FactorTask.Name, FactorPasses, "Ratings to train on, plain or gzip: user, item, rating, as CSV with or without a header, or separated by '::', ';', tabs or blanks; or prepared (hpaps prepare).",
            "Ratings to measure the RMSE on while training, in the same form.", "Seed of the start, the order, what is held out, and of --slow-random.", simulate is not null);
        Option<double?> target = new Option<double?>("--target") { HelpName = "RMSE", Description = "Stop when the root mean squared error on --test or --holdout is at most this, or after 200 passes if no other limit is given." }.Positive(double.MaxValue);
        Option<bool> deterministic = Deterministic();
        Option[] more = simulate?.All ?? [deterministic];
        Command command = common.Command(
            simulate is not null ? SimulateHelp("matrix factorisation", "mf --data ratings.csv --holdout 0.1", "--target 0.86") : CommonOptions.WithExamples(
                "Trains a recommender by matrix factorisation, rating = mean + b_user + b_item + p_user.q_item, with a server and\n"
                + "workers on this host. Users stay with their worker; only rows of items travel.\n"
                + "Ctrl-C ends training in order: the model as it stands is saved. A second Ctrl-C, a second later or more, ends everything at once.",
                "hpaps train mf --data ratings.csv",
                "hpaps train mf --data ratings.csv.gz --holdout 0.1 --workers 4 --out run",
                "hpaps train mf --data ratings.csv --holdout 0.1 --passes 200 --plateau 10:1e-3",
                "hpaps train mf --data train.dat --test test.dat --rank 64 --target 0.86 --slow 0:8"),
            [.. own.All, target, .. more]);
        command.Validators.Add(result =>
        {
            if (CommonOptions.TakesGradients(result.GetResult(common.Policy)))
                result.AddError($"--policy asp is for logreg: a factorisation does not push gradients; use {PolicyNames.Exact}.");
            common.CheckDeterministic(result, deterministic);
            bool holdsOut = TrainOptions.Has(result, own.Holdout) && !(result.GetResult(own.Holdout)!.Tokens is [{ Value: "0" }]);
            if (TrainOptions.Has(result, common.Test) && holdsOut)
                result.AddError("--test and --holdout both say what to measure the RMSE on: give one of them.");
            if (TrainOptions.Has(result, target) && !TrainOptions.Has(result, common.Test) && !holdsOut)
                result.AddError("--target needs --test or --holdout: the ratings that the RMSE is measured on.");
        });
        bool isWarned = false;
        command.SetAction(parsed =>
        {
            TrainSettings settings = common.Settings(parsed);
            if (parsed.GetValue(target) is not null && settings is { Passes: null, TimeLimit: null })
                settings = settings with { Passes = FactorTargetPasses };
            string[] arguments =
            [
                "--rank", Text(parsed.GetValue(own.Rank)), "--decay", Text(parsed.GetValue(own.Decay)), "--step", Text(parsed.GetValue(own.Step)),
                "--step-decay", Text(parsed.GetValue(own.StepDecay)),
            ];
            FactorModel? warmStart = own.Model(parsed);
            if (!isWarned)
                WarnOfSeen(warmStart, settings, parsed.GetValue(own.Holdout));
            isWarned = true; // a comparison takes the settings of many runs
            string[] test = settings.Test is { } file ? ["--test", Commands.File(file)] : ["--holdout", Text(parsed.GetValue(own.Holdout))];
            return Run(
                settings with
                {
                    TargetRmse = parsed.GetValue(target),
                    TaskArguments = [.. arguments, .. test, .. WarmStart(parsed, own.WarmStart)],
                    Title = $"rank {parsed.GetValue(own.Rank)}",
                    WorkersWrite = true,
                },
                parsed, simulate, instead, deterministic, start, run,
                (all, stop) => SimulationPlan.ReadRatings(all, own.Settings(parsed, all.Seed), warmStart, parsed.GetValue(own.Holdout), stop));
        });
        return command;
    }

    /// <summary>What is held out depends on seed and share: a model that was trained with others has seen some of it.</summary>
    private static void WarnOfSeen(FactorModel? model, TrainSettings settings, double holdout)
    {
        if (model is null || holdout == 0)
            return;
        string? seed = model.Description.Settings.GetValueOrDefault("seed"), share = model.Description.Settings.GetValueOrDefault("held_out");
        if (seed == settings.Seed.ToString(CultureInfo.InvariantCulture) && share == Text(holdout))
            return;
        Console.Error.WriteLine($"hpaps: --warm-start {model.Folder}: that model was trained with --seed {seed} and held out {share}; it has seen ratings that are held out now, "
            + "and the RMSE on them flatters. Give the same --seed and --holdout");
    }

    private static string[] WarmStart(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is { } model ? ["--warm-start", Commands.File(model)] : [];

    private static Option<bool> Deterministic() => new("--deterministic")
    {
        Description = "Train in this process on a virtual clock, as 'hpaps simulate' does with its defaults: the same options and data give the same model, bit for bit. Times are virtual.",
    };

    private static string SimulateHelp(string task, string arguments, string target) => CommonOptions.WithExamples(
        $"Simulates {task} on a cluster: the real server, workers and messages in one process, on a virtual clock. A step takes\n"
        + "--pass-time for each pass it makes, a message its bytes over --bandwidth and --latency; evaluations take no time.\n"
        + "The same options and data give the same figures and model, bit for bit.",
        $"hpaps simulate {arguments} --workers 32 --slow 0:8 --policy bsp",
        $"hpaps simulate {arguments} --workers 8 {target} --pass-time 200ms --latency 1ms --bandwidth 100Mbit",
        $"hpaps simulate {arguments} --slow 0:8@10s-20s,1:4 --slow-random 0.5 --seed 7 --json");

    private static int Run(TrainSettings settings, ParseResult parsed, SimulateOptions? simulate, Func<TrainSettings, int>? instead, Option<bool> deterministic, long start, Func<TrainSettings, int>? run,
        Func<TrainSettings, CancellationToken, Func<SimulatedJob>> read)
    {
        settings = settings with { Read = read };
        if (instead is not null)
            return instead(settings with { Simulation = SimulateOptions.DefaultPlan(read) });
        if (simulate is not null)
            settings = settings with { Simulation = simulate.Plan(parsed, read) };
        else if (parsed.GetValue(deterministic))
            settings = settings with { Simulation = SimulateOptions.DefaultPlan(read) };
        if (run is not null)
            return run(settings);
        return simulate is not null ? SimulateRun.Run(settings, start, TimeProvider.System) : TrainRun.Run(settings, start, TimeProvider.System);
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
