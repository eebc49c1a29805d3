using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.IO;
using System.Text;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Submitting;

/// <summary>
/// hpaps launch slurm: writes the script of a job. What is trained is a command line of hpaps train, and parsed as such: so an option means and is refused here what it means and is refused there.
/// </summary>
internal sealed class LaunchCommand
{
    // What a job of Slurm has in another way, or not: Slurm starts it again, its ranks have no number here, secrets and alerts are for variables and the configuration file.
    private static readonly string[] s_notShared = ["--workers", "--deterministic", "--restart", "--durability", "--slow", "--json", .. AlertNames.All];

    private static readonly ParserConfiguration s_parser = new() { ResponseFileTokenReplacer = null };

    private readonly SlurmOptions _options = new();
    private readonly Command _train;
    private TrainSettings? _taken;

    private LaunchCommand(bool isLogistic)
    {
        int Take(TrainSettings settings)
        {
            _taken = settings;
            return (int)ExitCode.Done;
        }

        _train = isLogistic ? TrainCommand.LogisticRegression(0, null, Take) : TrainCommand.Factorization(0, null, Take);
    }

    public static Command Create()
    {
        var slurm = new Command("slurm", CommonOptions.WithExamples(
            "Writes the script of a job of Slurm that trains on several nodes; sbatch submits it.",
            "hpaps launch slurm mf --nodes 4 --data /shared/ratings.csv --holdout 0.1 --out /shared/run --script job.sbatch",
            "hpaps launch slurm logreg --nodes 2 --workers 16 --time 2:00:00 --data /shared/train.svm --out /shared/run | sbatch"));
        slurm.Subcommands.Add(new LaunchCommand(isLogistic: true).Task(LogisticTask.Name, "logistic regression",
            "hpaps launch slurm logreg --nodes 4 --data /shared/train.svm.gz --out /shared/run --script job.sbatch",
            "hpaps launch slurm logreg --nodes 2 --workers 16 --cpus-per-worker 2 --time 2:00:00 --data /shared/train.svm --passes 200 --out /shared/run | sbatch",
            "hpaps launch slurm logreg --nodes 4 --partition batch --sbatch=--mem-per-cpu=2G --stage /tmp --data /shared/train.svm --out /shared/run | sbatch"));
        slurm.Subcommands.Add(new LaunchCommand(isLogistic: false).Task(FactorTask.Name, "matrix factorisation",
            "hpaps launch slurm mf --nodes 4 --data /shared/ratings.csv --holdout 0.1 --out /shared/run --script job.sbatch",
            "hpaps launch slurm mf --nodes 2 --workers 8 --time 30 --no-requeue --data /shared/ratings.csv --passes 100 --out /shared/run | sbatch"));
        return new Command("launch", CommonOptions.WithExamples(
            "Writes what starts a training on a cluster.",
            "hpaps launch slurm mf --nodes 4 --data /shared/ratings.csv --holdout 0.1 --out /shared/run | sbatch")) { slurm };
    }

    private Command Task(string name, string words, params string[] examples)
    {
        var command = new Command(name, CommonOptions.WithExamples(
            $"Writes the script of a job of Slurm that trains by {words}: the first ranks are servers, each other one a worker.\n"
            + "Paths are those of the nodes; relative ones start from the folder of sbatch. The exit code of the job is that of the\n"
            + "training. A job that is pre-empted, or whose node fails, or whose time is over, is queued again and goes on from what\n"
            + "it had, unless --no-requeue is given. docs/cluster.md has more.", examples));
        foreach (Option option in _options.All)
            command.Options.Add(option);
        foreach (Option option in _train.Options)
        {
            if (IsShared(option.Name))
                command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            Option? output = Find("--out");
            if (output is not null && result.GetResult(output) is null or { Implicit: true })
                result.AddError("--out is needed: the folder of the results, on a file system that the nodes share.");
            _options.Check(result, TimeLimit(result));
        });
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        SlurmJob job = _options.Job(parsed);
        ParseResult line = _train.Parse([.. Shared(parsed), "--workers", job.Workers.ToString(CultureInfo.InvariantCulture)], s_parser);
        foreach (ParseError error in line.Errors)
            Console.Error.WriteLine($"hpaps: {error.Message}");
        if (line.Errors.Count > 0)
        {
            Console.Error.WriteLine($"hpaps: see 'hpaps launch slurm {parsed.CommandResult.Command.Name} --help'");
            return (int)ExitCode.Usage;
        }

        _taken = null;
        int code = line.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        if (_taken is not { } settings)
            return code;
        if (settings is { Passes: null, TimeLimit: null })
            settings = settings with { Passes = settings.DefaultPasses };
        long bytes = Path.Exists(settings.Data) ? InputFile.CheckData(settings) : 0; // it may be on the nodes alone
        string script = SlurmScript.Of(job, settings, bytes, OwnCommand.Line("hpaps"));
        if (job.Script is { } path)
        {
            AtomicFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(script)));
            Console.Error.WriteLine($"hpaps: {path} is written; submit it with: sbatch {OwnCommand.Quoted(path)}");
        }
        else
        {
            Console.Out.Write(script);
        }

        return (int)ExitCode.Done;
    }

    private bool IsShared(string name) => Array.IndexOf(s_notShared, name) < 0 && (name != "--test" || _train.Name == FactorTask.Name); // of logreg it is for hpaps evaluate

    private Option? Find(string name)
    {
        foreach (Option option in _train.Options)
        {
            if (option.Name == name)
                return option;
        }

        return null;
    }

    private double? TimeLimit(CommandResult result)
    {
        try
        {
            return Find("--time-limit") is Option<double?> option ? result.GetValue(option) : null;
        }
        catch (InvalidOperationException)
        {
            return null; // no number: the parser has said so
        }
    }

    /// <summary>What is for hpaps train, as the user gave it.</summary>
    private List<string> Shared(ParseResult parsed)
    {
        var line = new List<string>();
        foreach (Option option in _train.Options)
        {
            if (!IsShared(option.Name) || parsed.GetResult(option) is not { Implicit: false } given)
                continue;
            if (given.Tokens.Count == 0)
                line.Add(option.Name);
            foreach (Token token in given.Tokens)
                line.AddRange([option.Name, token.Value]);
        }

        return line;
    }
}
