using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using HpAsyncPs.Cli.Simulating;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output.Comparing;
using HpAsyncPs.Programs;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Cli.Comparing;

/// <summary>
/// The command lines of hpaps compare. Each configuration is a command line of hpaps train or hpaps simulate, and parsed as such: so it means
/// and is refused here what it means and is refused there.
/// </summary>
internal sealed class CompareCommand
{
    // What may be given to compare at all, though hpaps train says it in another way, or not.
    private static readonly string[] NotShared = ["--workers", "--policy", "--codec", "--solver", "--batch", "--out", "--json", "--deterministic", "--monitor", .. AlertNames.All];

    // Without a limit a configuration that never gets to the target would go on forever.
    private const double MostPassesToTarget = 2000;

    // Beyond these, a line says how many there are.
    private const int MostErrors = 5;

    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    private readonly CompareOptions _options;
    private readonly Command _train;
    private readonly Command _simulate;
    private readonly long _start;
    private TrainSettings? _taken;

    private CompareCommand(bool isLogistic, long start)
    {
        _start = start;
        _options = new CompareOptions(isLogistic, isLogistic ? 1e-3 : 5e-3);
        int Take(TrainSettings settings)
        {
            _taken = settings;
            return (int)ExitCode.Done;
        }

        _train = isLogistic ? TrainCommand.LogisticRegression(start, null, Take) : TrainCommand.Factorization(start, null, Take);
        _simulate = isLogistic ? TrainCommand.LogisticRegression(start, new SimulateOptions(), Take) : TrainCommand.Factorization(start, new SimulateOptions(), Take);
    }

    /// <param name="start">Timestamp of the start of the program.</param>
    public static Command Create(long start)
    {
        var compare = new Command("compare", CommonOptions.WithExamples(
            "Trains the same with several policies, codecs and numbers of workers, and compares what came of it.",
            "hpaps compare logreg --data train.svm --policies async,bsp --slow 0:8",
            "hpaps compare mf --data ratings.csv --holdout 0.1 --policies async,bsp --codecs fp32,int4 --runs 5"));
        compare.Subcommands.Add(new CompareCommand(isLogistic: true, start).Task(LogisticTask.Name, "logistic regression",
            "hpaps compare logreg --data train.svm --policies async,bsp,ssp:4 --slow 0:8 --out comparison",
            "hpaps compare logreg --data train.svm --target 1e-3 --reference 0.33334 --policies async,bsp --workers 1,2,4 --runs 5",
            "hpaps compare logreg --data train.svm --simulate --workers 4,16,64 --codecs fp32,int4 --latency 1ms --bandwidth 10Mbit",
            "hpaps compare logreg --data train.svm --policies async --solvers gradient,gradient:4,gradient:16,svrg --passes 50",
            "hpaps compare logreg --data train.svm --policies asp:sgd,asp:adam --batches 16,256 --passes 20 --baseline asp:sgd"));
        compare.Subcommands.Add(new CompareCommand(isLogistic: false, start).Task(FactorTask.Name, "matrix factorisation",
            "hpaps compare mf --data ratings.csv --holdout 0.1 --policies async,bsp --slow 0:8 --out comparison",
            "hpaps compare mf --data ratings.csv --holdout 0.1 --target 0.86 --codecs fp32,int8,int4 --runs 3",
            "hpaps compare mf --data ratings.csv --holdout 0.1 --simulate --workers 1,2,4,8 --bandwidth 100Mbit"));
        return compare;
    }

    private Command Task(string name, string words, params string[] examples)
    {
        var command = new Command(name, CommonOptions.WithExamples(
            $"Compares {words} with each of the policies, codecs and numbers of workers that are listed, each with each, on the same data\n"
            + "with the same seed, in processes on this host, one run after another, or on a virtual clock (--simulate).\n"
            + "Times are those to --target; without it, to where the baseline ended (--within). A run that never gets to\n"
            + $"--target ends after {(name == FactorTask.Name ? TrainCommand.FactorTargetPasses : MostPassesToTarget):0} passes if no other limit is given. What fails is named, and does not stop the rest; the exit code is 4 then.\n"
            + "Ctrl-C keeps what is done.", examples));
        foreach (Option option in _train.Options)
        {
            if (option.Name is "--data" or "--test")
                command.Options.Add(option);
        }

        foreach (ListOption list in _options.Lists)
            command.Options.Add(list.Option);
        foreach (Option option in _options.Others)
            command.Options.Add(option);
        foreach (Command one in (Command[])[_train, _simulate])
        {
            foreach (Option option in one.Options)
            {
                if (Array.IndexOf(NotShared, option.Name) < 0 && !Has(command, option.Name))
                    command.Options.Add(option);
            }
        }

        command.Validators.Add(Check);
        command.SetAction(parsed => Run(parsed));
        return command;
    }

    /// <summary>What is wrong whatever the configuration.</summary>
    private void Check(CommandResult result)
    {
        bool simulates = result.GetResult(_options.Simulates) is { Implicit: false };
        foreach (Option option in simulates ? _train.Options : _simulate.Options)
        {
            if (result.Command.Options.Contains(option) && !Has(simulates ? _simulate : _train, option.Name) && result.GetResult(option) is { Implicit: false })
                result.AddError(simulates ? $"{option.Name} is for processes that die, and --simulate trains in one process: leave one of them out." : $"{option.Name} is of the virtual clock: it needs --simulate.");
        }

        if (simulates && result.GetResult(_options.Runs) is { Implicit: false, Tokens: [{ Value: not "1" }] })
            result.AddError("--runs is for processes: on the virtual clock the same options give the same figures each time, so one run says it all.");
        if (result.GetResult(_options.Baseline) is { Implicit: false, Tokens: [var token] } && BaselineOf(token.Value).Wrong is { } wrong)
            result.AddError($"--baseline {token.Value}: {wrong}.");
    }

    private int Run(ParseResult parsed)
    {
        var errors = new List<string>();
        CompareSettings? settings = Read(parsed, errors);
        if (settings is not null && errors.Count == 0)
            return CompareRun.Run(settings, _start, TimeProvider.System);
        for (int j = 0; j < Math.Min(errors.Count, MostErrors); j++)
            Console.Error.WriteLine($"hpaps: {errors[j]}");
        if (errors.Count > MostErrors)
            Console.Error.WriteLine($"hpaps: and {errors.Count - MostErrors} errors more");
        Console.Error.WriteLine($"hpaps: see 'hpaps compare {parsed.CommandResult.Command.Name} --help'");
        return (int)ExitCode.Usage;
    }

    private CompareSettings? Read(ParseResult parsed, List<string> errors)
    {
        bool simulates = parsed.GetValue(_options.Simulates);
        List<List<string>> lines = Lines(parsed, errors);
        int runs = parsed.GetValue(_options.Runs);
        if ((long)lines.Count * runs > CompareOptions.MostRuns)
            errors.Add($"that would be {(long)lines.Count * runs} runs ({lines.Count} configurations, {runs} of each), and {CompareOptions.MostRuns} is the most: shorten a list, or give fewer --runs");
        if (errors.Count > 0)
            return null;
        List<string> shared = Shared(parsed, simulates ? _simulate : _train);
        var trainings = new List<ComparedTraining>();
        var wrong = new OrderedDictionary<string, List<string>>();
        foreach (List<string> line in lines)
        {
            if (Parse(simulates ? _simulate : _train, [.. shared, .. line], string.Join(' ', line), wrong) is { } one)
                trainings.Add(Named(one, trainings, simulates, [.. shared, .. line]));
        }

        // The same is often wrong with several, and is said once.
        foreach ((string message, List<string> of) in wrong)
            errors.Add(of.Count == lines.Count ? message : $"{of[0]}: {message}{(of.Count > 1 ? $" (and {of.Count - 1} other configurations)" : "")}");
        if (errors.Count > 0)
            return null;
        (string policy, string? codec, _) = BaselineOf(parsed.GetValue(_options.Baseline) ?? DefaultBaseline(trainings));
        var all = new List<ComparedSetting>();
        foreach (ComparedTraining one in trainings)
            all.Add(one.Setting);
        TrainSettings first = trainings[0].Settings;
        var plan = new ComparisonPlan
        {
            Task = first.Task,
            Settings = all,
            RunsEach = runs,
            VirtualTime = simulates,
            Seed = first.Seed,
            BaselinePolicy = policy,
            BaselineCodec = codec,
            TargetGap = first.Target,
            TargetRmse = first.TargetRmse,
            Reference = first.Reference,
            Within = parsed.GetValue(_options.Within),
        };
        if (plan.FirstBaseline() is null)
            errors.Add($"--baseline {parsed.GetValue(_options.Baseline)} is none of what is compared: add it to --policies{(codec is null ? "" : " and --codecs")}, or name another");
        return new CompareSettings(plan, trainings, parsed.GetValue(_options.Output), parsed.GetValue(_options.Force), parsed.GetValue(_options.Json));
    }

    /// <summary>What differs, as options of hpaps train, a list for each configuration.</summary>
    private List<List<string>> Lines(ParseResult parsed, List<string> errors)
    {
        List<string> policies = _options.Policies.Of(parsed), solvers = _options.Solvers?.Of(parsed) ?? [], batches = _options.Batches?.Of(parsed) ?? [];
        if (policies.Count == 0)
            policies = ["async", "bsp"];
        bool hasGradients = policies.Exists(AspPolicy.IsNamed), hasOthers = policies.Exists(static policy => !AspPolicy.IsNamed(policy));
        if (solvers.Count > 0 && !hasOthers)
            errors.Add("--solvers is for policies other than asp, whose workers push gradients: use --batches");
        if (batches.Count > 0 && !hasGradients)
            errors.Add("--batches is of policy asp, and none is in --policies: use --solvers");
        var lines = new List<List<string>>();
        foreach (string policy in policies)
        {
            List<List<string>> own = [["--policy", policy]];
            own = Times(own, _options.Codecs, _options.Codecs.Of(parsed));
            own = Times(own, _options.Workers, _options.Workers.Of(parsed));
            if (_options.Solvers is { } other && _options.Batches is { } batch)
                own = AspPolicy.IsNamed(policy) ? Times(own, batch, batches) : Times(own, other, solvers);
            lines.AddRange(own);
        }

        return lines;
    }

    private static List<List<string>> Times(List<List<string>> lines, ListOption option, List<string> values)
    {
        if (values.Count == 0)
            return lines;
        var longer = new List<List<string>>();
        foreach (List<string> line in lines)
        {
            foreach (string value in values)
                longer.Add([.. line, option.One, value]);
        }

        return longer;
    }

    /// <summary>What all configurations have, as the user gave it.</summary>
    private static List<string> Shared(ParseResult parsed, Command command)
    {
        var line = new List<string>();
        foreach (Option option in parsed.CommandResult.Command.Options)
        {
            if (Array.IndexOf(NotShared, option.Name) >= 0 || !Has(command, option.Name) || parsed.GetResult(option) is not { Implicit: false } given)
                continue;
            if (given.Tokens.Count == 0)
                line.Add(option.Name);
            foreach (Token token in given.Tokens)
                line.AddRange([option.Name, token.Value]);
        }

        return line;
    }

    /// <summary>The settings of one configuration, or null and what is wrong, with which.</summary>
    private TrainSettings? Parse(Command command, List<string> line, string which, OrderedDictionary<string, List<string>> wrong)
    {
        ParseResult parsed = command.Parse(line, Parser);
        foreach (ParseError error in parsed.Errors)
        {
            if (!wrong.TryGetValue(error.Message, out List<string>? of))
                wrong.Add(error.Message, of = []);
            of.Add(which);
        }

        if (parsed.Errors.Count > 0)
            return null;
        _taken = null;
        parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        return _taken;
    }

    private static ComparedTraining Named(TrainSettings settings, List<ComparedTraining> before, bool simulates, List<string> line)
    {
        string Argument(string option) => new List<string>(settings.TaskArguments) is var all && all.IndexOf(option) is >= 0 and var at ? all[at + 1] : "";
        string batch = Argument("--batch");
        var setting = new ComparedSetting(settings.Policy, CodecSpec.Parse(settings.Codec).Name, settings.Workers, batch.Length > 0 ? $"batch:{batch}" : Argument("--solver"));
        string name = $"{setting.Policy}-{setting.Codec}-{setting.Workers}w{(setting.Solver.Length > 0 ? "-" : "")}{setting.Solver}".Replace(':', '-');
        while (before.Exists(other => other.Name == name))
            name += "-";
        var words = new List<string>();
        foreach (string word in line)
            words.Add(OwnCommand.Quoted(word));
        if (settings is { Passes: null, TimeLimit: null, Target: not null })
            (settings, words) = (settings with { Passes = MostPassesToTarget }, [.. words, "--passes", $"{MostPassesToTarget:0}"]);
        if (settings is { Passes: null, TimeLimit: null })
            settings = settings with { Passes = settings.DefaultPasses };
        return new ComparedTraining(setting, settings with { Command = $"hpaps {(simulates ? "simulate" : "train")} {settings.Task} {string.Join(' ', words)}" }, name);
    }

    private static string DefaultBaseline(List<ComparedTraining> trainings) =>
        trainings.Exists(static one => one.Setting.Policy == "bsp") ? "bsp" : trainings[0].Setting.Policy;

    private static (string Policy, string? Codec, string? Wrong) BaselineOf(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string policy = slash < 0 ? text : text[..slash];
        try
        {
            PolicyNames.Create(policy);
            return (policy, slash < 0 ? null : CodecSpec.Parse(text[(slash + 1)..]).Name, null);
        }
        catch (Exception e) when (e is FormatException or InputException)
        {
            return (policy, null, e.Message.TrimEnd('.'));
        }
    }

    private static bool Has(Command command, string name)
    {
        foreach (Option option in command.Options)
        {
            if (option.Name == name)
                return true;
        }

        return false;
    }
}
