using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.IO;
using HpAsyncPs.Cli.Generating;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Submitting;

/// <summary>The options of hpaps launch slurm that hpaps train does not have.</summary>
internal sealed class SlurmOptions
{
    private const int MostNodes = 65536;
    private const double DefaultSignal = 60;

    // What the script says itself, and what would contradict it.
    private static readonly string[] s_own =
    [
        "--nodes", "--ntasks", "--ntasks-per-node", "--cpus-per-task", "--time", "--signal", "--requeue", "--no-requeue", "--open-mode", "--job-name", "--partition", "--account", "--array", "--wrap", "--wait",
    ];

    private readonly Option<int> _nodes = new Option<int>("--nodes") { HelpName = "N", Description = "Nodes of the job.", Required = true }.Within(1, MostNodes);
    private readonly Option<int?> _workers = new Option<int?>("--workers") { HelpName = "N", Description = "Workers of all nodes together; by default one a node." }.Within(1, Protocol.Limits.Workers);
    private readonly Option<int?> _cpus = new Option<int?>("--cpus-per-worker") { HelpName = "N", Description = "Processors of each worker, and of the server." }.Within(1, 4096);
    private readonly Option<string?> _time = new("--time") { HelpName = "LIMIT", Description = "Time limit of the job as Slurm writes it: MINUTES, HOURS:MINUTES:SECONDS, DAYS-HOURS; by default that of the partition." };
    private readonly Option<double?> _signal = new Option<double?>("--signal-before") { HelpName = "SECONDS", Description = $"How long before the time limit, {DefaultSignal:0} by default, the server makes a checkpoint, after which the job is queued again; with --no-requeue, ends the job in order." }.Within(1, 65535);
    private readonly Option<bool> _noRequeue = new("--no-requeue") { Description = "Keep nothing to go on from, and do not queue the job again, whether it is pre-empted, a node fails or its time is over." };
    private readonly Option<int?> _restarts = new Option<int?>("--restarts") { HelpName = "N", Description = "How often the job may queue itself again when its time is over; 100 by default." }.Within(0, 1_000_000);
    private readonly Option<string?> _partition = new("--partition") { HelpName = "NAME", Description = "Partition of the job." };
    private readonly Option<string?> _account = new("--account") { HelpName = "NAME", Description = "Account of the job." };
    private readonly Option<string> _name = new("--job-name") { HelpName = "NAME", Description = "Name of the job.", DefaultValueFactory = _ => "hpaps" };
    private readonly Option<string[]> _more = new("--sbatch") { HelpName = "FLAG", Description = "Another flag of sbatch for the script, as in --sbatch=--mem-per-cpu=2G; may be given several times." };
    private readonly Option<string?> _stage = new("--stage") { HelpName = "DIR", Description = "Local folder of each node to which the data are copied, once a node, before training." };
    private readonly Option<string?> _bin = new("--bin") { HelpName = "DIR", Description = "Folder of hpaps-server and hpaps-worker on the nodes; by default that of this program, or HPAPS_BIN." };
    private readonly Option<string?> _script = new("--script") { HelpName = "FILE", Description = "File to write the script to; by default standard output." };
    private readonly Option<bool> _force = GeneratedFile.Force();

    public SlurmOptions()
    {
        foreach (Option<string?> option in (Option<string?>[])[_partition, _account])
            option.Validators.Add(NameOnly);
        _name.Validators.Add(NameOnly);
        _time.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && !SlurmTime.TryParse(token.Value, out _))
                result.AddError($"--time '{token.Value}' is no time of Slurm: give MINUTES, HOURS:MINUTES:SECONDS, DAYS-HOURS or DAYS-HOURS:MINUTES:SECONDS.");
        });
        foreach (Option<string?> option in (Option<string?>[])[_stage, _bin])
        {
            option.Validators.Add(result =>
            {
                if (result.Tokens is [var token] && !token.Value.StartsWith('/'))
                    result.AddError($"{option.Name} '{token.Value}' must begin with /: it is a folder of the nodes.");
            });
        }

        _more.Validators.Add(static result =>
        {
            foreach (Token token in result.Tokens)
                CheckFlag(result, token.Value);
        });
    }

    /// <summary>All of them, in the order of the help.</summary>
    public Option[] All => [_nodes, _workers, _cpus, _time, _signal, _noRequeue, _restarts, _partition, _account, _name, _more, _stage, _bin, _script, _force];

    /// <summary>Workers of the job; null where what was given is no number, which the parser says.</summary>
    public int? Workers(CommandResult result)
    {
        try
        {
            return result.GetValue(_workers) ?? result.GetValue(_nodes);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Refuses what contradicts itself.</summary>
    /// <param name="result">What was given.</param>
    /// <param name="timeLimit">Of training alone, in seconds, or null.</param>
    public void Check(CommandResult result, double? timeLimit)
    {
        if (Workers(result) is not { } workers)
            return;
        int nodes = result.GetValue(_nodes);
        if (nodes > workers + 1)
            result.AddError($"--nodes {nodes} are more than the server and --workers {workers}: some would have nothing to do; take fewer nodes, or more workers.");
        if (result.GetValue(_noRequeue) && result.GetResult(_restarts) is { Implicit: false })
            result.AddError("--no-requeue and --restarts contradict each other: leave one of them out.");
        if (result.GetValue(_time) is not { } text || !SlurmTime.TryParse(text, out double seconds))
        {
            if (result.GetResult(_signal) is { Implicit: false })
                result.AddError("--signal-before needs --time: the limit that it is before.");
            return;
        }

        double before = result.GetValue(_signal) ?? DefaultSignal;
        if (before >= seconds)
            result.AddError($"--signal-before is {before:0} s, and --time {text} is {seconds:0} s: nothing would be left to train in; allow more time.");
        else if (timeLimit > seconds - before)
            result.AddError($"--time-limit {timeLimit:R} s of training do not fit in --time {text}, {before:0} s of which are for the end: allow more time, or train less.");
    }

    /// <summary>What was given.</summary>
    /// <exception cref="InputException">The file of the script must not be written, or the programs are missing.</exception>
    public SlurmJob Job(ParseResult parsed)
    {
        string? script = parsed.GetValue(_script);
        if (script is not null)
            GeneratedFile.Check("--script", script, parsed.GetValue(_force));
        return new SlurmJob
        {
            Nodes = parsed.GetValue(_nodes),
            Workers = Workers(parsed.CommandResult) ?? 1,
            Cpus = parsed.GetValue(_cpus),
            Time = parsed.GetValue(_time),
            SignalBefore = (int)Math.Ceiling(parsed.GetValue(_signal) ?? DefaultSignal),
            Requeues = !parsed.GetValue(_noRequeue),
            Restarts = parsed.GetValue(_restarts),
            Partition = parsed.GetValue(_partition),
            Account = parsed.GetValue(_account),
            Name = parsed.GetValue(_name)!,
            More = parsed.GetValue(_more) ?? [],
            Stage = parsed.GetValue(_stage),
            Bin = parsed.GetValue(_bin) ?? Path.GetDirectoryName(Binaries.Find().Server)!,
            Script = script,
        };
    }

    private static void NameOnly(OptionResult result)
    {
        foreach (Token token in result.Tokens)
        {
            bool isName = token.Value.Length is > 0 and <= 128 && token.Value[0] != '-';
            foreach (char c in token.Value)
                isName &= char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or ',';
            if (!isName)
                result.AddError($"{result.Option.Name} '{token.Value}' is no name: letters, digits, and _ - . are.");
        }
    }

    private static void CheckFlag(OptionResult result, string flag)
    {
        string name = flag.Split('=', 2)[0];
        bool isOne = name.StartsWith("--", StringComparison.Ordinal) && name.Length > 2;
        foreach (char c in flag)
            isOne &= c is > ' ' and <= '~';
        if (!isOne)
            result.AddError($"--sbatch '{flag}' is no flag of sbatch: give one as --name=value, without blanks, as in --sbatch=--mem-per-cpu=2G.");
        else if (Array.IndexOf(s_own, name) >= 0)
            result.AddError($"--sbatch {flag}: the script says {name} itself; 'hpaps launch slurm --help' names the option for it, where there is one.");
    }
}
