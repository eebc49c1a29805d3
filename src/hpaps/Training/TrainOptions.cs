using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Cli.Training;

/// <summary>The options that every task of hpaps train has.</summary>
internal sealed class TrainOptions
{
    /// <summary>One worker a core, but few enough to leave room on a large host, and more than one.</summary>
    private static readonly int DefaultWorkers = Math.Clamp(Environment.ProcessorCount, 2, 4);

    private readonly Option<string> _data;
    private readonly Option<string> _test;
    private readonly Option<int> _workers = new Option<int>("--workers") { HelpName = "N", Description = "Workers; by default the number of processors, but 2 to 4.", DefaultValueFactory = _ => DefaultWorkers }.Within(1, Limits.Workers);
    private readonly Option<int>? _servers;
    private readonly Option<string?>? _pin;
    private readonly Option<string> _policy = new Option<string>("--policy") { HelpName = "NAME", Description = PolicyNames.Help, DefaultValueFactory = _ => "async" }.Policy();
    private readonly Option<string> _codec = CommonOptions.Codec();
    private readonly Option<double?> _passes;
    private readonly Option<double?> _timeLimit = new Option<double?>("--time-limit") { HelpName = "SECONDS", Description = "Stop after this many seconds of training." }.Positive(1e9);
    private readonly Option<string?> _plateau = CommonOptions.Plateau();
    private readonly Option<double> _maxMagnitude = CommonOptions.MaxMagnitude();
    private readonly Option<ulong> _seed;
    private readonly Option<string[]> _slow = new("--slow") { Description = "Let a worker act as a machine that is FACTOR times slower: always (0:8), or from FROM to TO since the start of training (0:8@10s-20s); several separated by commas.", HelpName = "RANK:FACTOR[@FROM-TO],..." };
    private readonly Option<double> _slowRandom = new Option<double>("--slow-random") { HelpName = "SIGMA", Description = "Let each step take exp(SIGMA N(0, 1)) times as long, drawn from seed and rank; a process cannot be faster than it is: there, less than 1 counts as 1.", DefaultValueFactory = _ => 0 }.Within(0, SlowOptions.MostSigma);
    private readonly Option<string> _output;
    private readonly Option<bool> _json = new("--json") { Description = "Print the summary as one JSON object on standard output, and nothing else there." };
    private readonly LossOptions? _loss;
    private readonly Option<string?>? _monitor;
    private readonly AlertOptions? _alerts;
    private readonly string _task;
    private readonly double _defaultPasses;

    /// <param name="task">Its name.</param>
    /// <param name="defaultPasses">Where it stops that was given no limit at all.</param>
    /// <param name="data">What --data is.</param>
    /// <param name="test">What --test is.</param>
    /// <param name="seed">What the seed decides.</param>
    /// <param name="simulates">Results are kept only if a folder is named.</param>
    public TrainOptions(string task, double defaultPasses, string data, string test, string seed, bool simulates)
    {
        _task = task;
        _servers = simulates ? null : new Option<int>("--servers") { HelpName = "S", Description = "Servers, each with a part of the model: where one is the bottleneck, by its processor, memory or link.", DefaultValueFactory = _ => 1 }.Within(1, Limits.Servers);
        _pin = simulates ? null : Pin();
        _loss = simulates ? null : new LossOptions();
        _monitor = simulates ? null : CommonOptions.Monitor();
        _alerts = simulates ? null : new AlertOptions();
        _defaultPasses = defaultPasses;
        _data = new Option<string>("--data") { HelpName = "FILE", Description = data, Required = true }.NotEmpty();
        _test = new Option<string>("--test") { HelpName = "FILE", Description = test }.NotEmpty();
        _passes = new Option<double?>("--passes") { HelpName = "N", Description = $"Stop after this many passes over all data; {defaultPasses:0} if no other limit is given." }.Positive(Limits.Passes);
        _seed = new Option<ulong>("--seed") { HelpName = "N", Description = seed, DefaultValueFactory = _ => 1 };
        _output = new Option<string>("--out") { HelpName = "DIR", Description = $"Folder for summary.json, trace.csv, report.html and model/, which replace those of an earlier run there; {(simulates ? "without it nothing is written" : $"by default runs/{task}-DATE-TIME")}." }.NotEmpty();
    }

    public Option Test => _test;

    public Option<string> Policy => _policy;

    /// <summary>A command with these options and those of the task alone.</summary>
    public Command Command(string description, params Option[] own)
    {
        var command = new Command(_task, description);
        command.Options.Add(_data);
        command.Options.Add(_test);
        foreach (Option option in own)
            command.Options.Add(option);
        foreach (Option option in (Option[])[_workers, .. _servers is null ? (Option[])[] : [_servers], .. _pin is null ? (Option[])[] : [_pin], _policy, _codec, _passes, _plateau, _timeLimit, _maxMagnitude, _seed, _slow, _slowRandom, .. _loss?.All ?? [], .. _monitor is null ? (Option[])[] : [_monitor], .. _alerts?.All ?? [], _output, _json])
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            _loss?.Check(result);
            _alerts?.Check(result);
            if (result.GetResult(_slow) is { } given && TryCount(result) is { } count)
                SlowWorkers.Check(given, count, result.AddError);
        });
        return command;
    }

    /// <summary>What has no effect with --deterministic.</summary>
    public void CheckDeterministic(CommandResult result, Option deterministic)
    {
        if (!Has(result, deterministic))
            return;
        if (_servers is not null && Has(result, _servers))
            result.AddError("--servers starts processes, and --deterministic trains in this one: leave one of them out.");
        if (_pin is not null && Has(result, _pin))
            result.AddError("--pin is for processes, and --deterministic trains in this one: leave one of them out.");
        _loss?.CheckDeterministic(result);
        _alerts?.CheckDeterministic(result);
        if (_monitor is not null && Has(result, _monitor))
            result.AddError("--monitor is answered by the server's process, and --deterministic trains in this one: leave one of them out.");
    }

    /// <summary>Was it given?</summary>
    public static bool Has(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>What the user asked for, but for what the task alone has.</summary>
    public TrainSettings Settings(ParseResult parsed) => new()
    {
        Task = _task,
        DefaultPasses = _defaultPasses,
        Data = parsed.GetValue(_data)!,
        Test = parsed.GetValue(_test),
        Workers = parsed.GetValue(_workers),
        Servers = _servers is null ? 1 : parsed.GetValue(_servers),
        Pin = _pin is null ? null : parsed.GetValue(_pin),
        Policy = parsed.GetValue(_policy)!,
        Codec = parsed.GetValue(_codec)!,
        Passes = parsed.GetValue(_passes),
        Plateau = CommonOptions.PlateauOf(parsed.GetValue(_plateau)),
        TimeLimit = parsed.GetValue(_timeLimit),
        MaxMagnitude = Has(parsed.CommandResult, _maxMagnitude) ? parsed.GetValue(_maxMagnitude) : null,
        Seed = parsed.GetValue(_seed),
        Slow = SlowWorkers.Parse(parsed.GetValue(_slow) ?? []),
        SlowRandom = parsed.GetValue(_slowRandom),
        Loss = _loss?.Settings(parsed, parsed.GetResult(_policy)) ?? new LossSettings(),
        Monitor = _monitor is null ? null : parsed.GetValue(_monitor),
        Alerts = _alerts?.Settings(parsed) ?? new AlertSettings(),
        Output = parsed.GetValue(_output),
        Json = parsed.GetValue(_json),
    };

    private static Option<string?> Pin()
    {
        var option = new Option<string?>("--pin") { HelpName = "cores|none", Description = "cores: each server and worker on a core of its own, as far as there are so many; which one is said. none, the default: on any." };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not (PinOption.Each or PinOption.None) } token])
                result.AddError($"--pin must be cores or none; it is '{token.Value}'.");
        });
        return option;
    }

    /// <summary>The number of workers, or null where it is no number, which the parser says.</summary>
    private int? TryCount(CommandResult result)
    {
        if (!Has(result, _workers))
            return DefaultWorkers; // defaults are not there yet when options are checked
        try
        {
            return result.GetValue(_workers);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
