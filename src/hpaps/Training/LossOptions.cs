using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Training;

/// <summary>Options of hpaps train that say what becomes of a run when one of its processes dies.</summary>
internal sealed class LossOptions
{
    private const string Never = "never";
    private const string OnFailure = "on-failure:";
    private const string DefaultDurability = "interval:100";
    private const int MostRestarts = 1000;

    private readonly Option<string> _restart = new("--restart")
    {
        HelpName = "never|on-failure:N",
        Description = "Start a worker or the server again that died, N times each (1 to 1000), after a pause that doubles from 0.1 s to 10 s. Not where its input or command line was refused.",
        DefaultValueFactory = _ => Never,
    };
    private readonly Option<string?> _durability = DurabilityOption.Create($"With --restart: what a server that is started again goes on from. none: what its workers tell it; interval:MS: a journal in the folder of the run, MS milliseconds old at most; always: one that has all that was acknowledged. By default {DefaultDurability}.");
    private readonly Option<string> _onLoss = CommonOptions.OnWorkerLoss();
    private readonly Option<double?> _rejoinTimeout = new Option<double?>("--rejoin-timeout") { HelpName = "SECONDS", Description = "How long the job holds for a lost worker, or another in its place, before it fails; 60 by default." }.Within(0, 1e6);
    private readonly Option<double?> _livenessTimeout = new Option<double?>("--liveness-timeout") { HelpName = "SECONDS", Description = "Seconds of silence after which the server gives a worker up; 10 by default." }.Within(2, 1e6);
    private readonly Option<bool> _reassign = CommonOptions.Reassign();

    public LossOptions() => _restart.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && !TryParse(token.Value, out _))
            result.AddError($"--restart must be never or on-failure:N with N from 1 to {MostRestarts}, as in on-failure:3; it is '{token.Value}'.");
    });

    /// <summary>All of them.</summary>
    public Option[] All => [_restart, _durability, _onLoss, _rejoinTimeout, _livenessTimeout, _reassign];

    /// <summary>What must hold between them.</summary>
    public void Check(CommandResult result)
    {
        CommonOptions.CheckReassign(result, _reassign, _onLoss);
        if (result.GetResult(_durability) is { Implicit: false } && result.GetResult(_restart) is not { Tokens: [{ Value: not Never }] })
            result.AddError("--durability is for a server that is started again: it needs --restart on-failure:N.");
    }

    /// <summary>In one process on a virtual clock nobody dies, and nobody is waited for.</summary>
    public void CheckDeterministic(CommandResult result)
    {
        foreach (Option option in All)
        {
            if (result.GetResult(option) is { Implicit: false })
                result.AddError($"{option.Name} is for processes that die, and --deterministic trains in one process: leave one of them out.");
        }
    }

    /// <summary>What was given.</summary>
    public LossSettings Settings(ParseResult parsed, OptionResult? policy)
    {
        int restarts = TryParse(parsed.GetValue(_restart)!, out int given) ? given : 0;
        string durability = parsed.GetValue(_durability) ?? DefaultDurability;
        bool isKept = restarts > 0 && durability != DurabilityOption.None;
        return new LossSettings
        {
            Restarts = restarts,
            Durability = isKept ? durability : null,
            OnWorkerLoss = CommonOptions.WorkerLossOf(parsed.GetValue(_onLoss)!),
            RejoinTimeout = parsed.GetValue(_rejoinTimeout),
            LivenessTimeout = parsed.GetValue(_livenessTimeout),
            Reassigns = parsed.GetValue(_reassign),
            ServerHasTheModel = !isKept && CommonOptions.TakesGradients(policy),
        };
    }

    private static bool TryParse(string text, out int restarts)
    {
        restarts = 0;
        return text == Never || (text.StartsWith(OnFailure, StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(OnFailure.Length), NumberStyles.None, CultureInfo.InvariantCulture, out restarts) && restarts is >= 1 and <= MostRestarts);
    }
}
