using System;
using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using HpAsyncPs.Codecs;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Programs;

/// <summary>Checks that several options need.</summary>
internal static class CommonOptions
{
    /// <summary>The option's value must be within bounds.</summary>
    public static Option<T> Within<T>(this Option<T> option, double least, double most)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 0 || HasComma(result))
                return;
            double value;
            try
            {
                value = Convert.ToDouble(result.GetValueOrDefault<T>(), System.Globalization.CultureInfo.InvariantCulture);
            }
            catch (InvalidOperationException)
            {
                return; // no number: the parser has said so
            }

            if (!(value >= least && value <= most))
                result.AddError($"{option.Name} must be {least:R} to {most:R}; it is {value:R}.");
        });
        return option;
    }

    /// <summary>A comma would be read as a mark of thousands: 0,001 as 1. Adds an error where there is one.</summary>
    public static bool HasComma(OptionResult result)
    {
        foreach (Token token in result.Tokens)
        {
            if (!token.Value.Contains(',', StringComparison.Ordinal))
                continue;
            result.AddError($"{result.Option.Name} {token.Value}: a number has no comma; write decimals with a point, as in 0.001.");
            return true;
        }

        return false;
    }

    /// <summary>Rows of a gradient that policy asp gets when nobody says.</summary>
    public const int DefaultBatch = 64;

    /// <summary>Must be the name of a policy.</summary>
    public static Option<string> Policy(this Option<string> option)
    {
        option.CompletionSources.Add(PolicyNames.All);
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [var token])
                return;
            try
            {
                PolicyNames.Create(token.Value);
            }
            catch (InputException e)
            {
                result.AddError($"{option.Name}: {e.Message}");
            }
        });
        return option;
    }

    /// <summary>--codec.</summary>
    public static Option<string> Codec()
    {
        var option = new Option<string>("--codec")
        {
            HelpName = "NAME",
            Description = $"How what workers and server send each other is coded: {CodecSpec.Help}. What a codec leaves out travels later, so the optimum is the same; auto picks fp32, int8 or int4 by the rates of the links and what they cost, and says so.",
            DefaultValueFactory = _ => CodecSpec.Auto.Name,
        };
        option.CompletionSources.Add("auto", "fp32", "bf16", "int8", "int4");
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [var token])
                return;
            try
            {
                CodecSpec.Parse(token.Value);
            }
            catch (FormatException e)
            {
                result.AddError($"--codec: {e.Message}.");
            }
        });
        return option;
    }

    /// <summary>Is the policy that was given one whose workers push gradients?</summary>
    public static bool TakesGradients(OptionResult? policy) => policy?.Tokens is [var token] && AspPolicy.IsNamed(token.Value);

    /// <summary>--plateau, off unless given.</summary>
    public static Option<string?> Plateau()
    {
        var option = new Option<string?>("--plateau")
        {
            HelpName = "N[:TOLERANCE]",
            Description = "Stop when the RMSE on held-out ratings, or the objective where none are held out, has not become better by more than the share TOLERANCE "
                + $"({PlateauRule.DefaultTolerance:R}) over N passes.",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !PlateauRule.TryParse(token.Value, out _))
                result.AddError($"--plateau {token.Value}: give passes, more than 0, and if need be a tolerance from 0 to below 1, as in 20 or 20:1e-4.");
        });
        return option;
    }

    /// <summary>--spin.</summary>
    /// <param name="automatic">When it spins if nobody says.</param>
    public static Option<string?> Spin(string automatic)
    {
        var option = new Option<string?>("--spin")
        {
            HelpName = "always|never",
            Description = $"Whether the thread of the network looks for work for a short time before it sleeps, which answers sooner and takes a core; without a word: always, whoever else wants that core. {automatic}",
            Arity = ArgumentArity.ZeroOrOne,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not ("always" or "never") }])
                result.AddError($"--spin must be always or never; it is '{result.Tokens[0].Value}'.");
        });
        return option;
    }

    /// <summary>--max-magnitude.</summary>
    public static Option<double> MaxMagnitude() => new Option<double>("--max-magnitude")
    {
        HelpName = "F",
        Description = "Refuse pushes that take a parameter beyond this magnitude: what gets there diverges, or is sent to do harm.",
        DefaultValueFactory = _ => (double)(decimal)Protocol.Limits.Magnitude, // as it is written: the float is 10^18 less a little
    }.Within(1e-6, float.MaxValue);

    /// <summary>--on-worker-loss.</summary>
    public static Option<string> OnWorkerLoss()
    {
        var option = new Option<string>("--on-worker-loss")
        {
            HelpName = "wait|keep|evict",
            Description = "When a worker is lost: wait: the job holds until it returns or another takes its place; keep: the others go on, and what it contributed stays; "
                + "evict: the others go on, and what it contributed is taken out.",
            DefaultValueFactory = _ => "wait",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not ("wait" or "keep" or "evict") } token])
                result.AddError($"--on-worker-loss must be wait, keep or evict; it is '{token.Value}'.");
        });
        return option;
    }

    /// <summary>What --on-worker-loss says.</summary>
    public static WorkerLoss WorkerLossOf(string given) => given switch
    {
        "keep" => WorkerLoss.Keep,
        "evict" => WorkerLoss.Evict,
        _ => WorkerLoss.Wait,
    };

    /// <summary>--reassign.</summary>
    public static Option<bool> Reassign() => new("--reassign")
    {
        Description = "When a lost worker does not return, ask another to take over its part of the data, and hold for --rejoin-timeout once more. For workers with --part, whose --data has all parts.",
    };

    /// <summary>Who goes on without a lost worker does not wait for another to take over its part.</summary>
    public static void CheckReassign(CommandResult result, Option<bool> reassign, Option<string> onLoss)
    {
        if (result.GetResult(reassign) is { Implicit: false } && result.GetResult(onLoss)?.Tokens is [{ Value: not "wait" } token])
            result.AddError($"--reassign needs --on-worker-loss wait: with {token.Value} the others go on without the lost worker.");
    }

    /// <summary>--checksum.</summary>
    public static Option<bool> Checksum() => new("--checksum")
    {
        Description = "Send a checksum (CRC-32C) with each payload, besides that of each header; the other end verifies it. For links whose own checks are too weak.",
    };

    /// <summary>What --spin says; null when it is not given.</summary>
    public static bool? SpinOf(ParseResult parsed, Option<string?> spin) =>
        parsed.GetResult(spin) is { Implicit: false } given ? given.Tokens is not [{ Value: "never" }] : null;

    /// <summary>--warm-start.</summary>
    public static Option<string?> WarmStart()
    {
        var option = new Option<string?>("--warm-start") { HelpName = "DIR", Description = "Begin from the model of an earlier run: the folder of its --out, or model/ in it. The data may be other data." };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value.Length: 0 }])
                result.AddError("--warm-start is empty: give the folder of a model, or leave it out.");
        });
        return option;
    }

    /// <summary>What --plateau says.</summary>
    public static PlateauRule? PlateauOf(string? given) => given is not null && PlateauRule.TryParse(given, out PlateauRule rule) ? rule : null;

    /// <summary>--monitor.</summary>
    public static Option<string?> Monitor() => new Option<string?>("--monitor")
    {
        HelpName = "HOST:PORT",
        Description = "Answer HTTP here that tells how the job stands: a page for browsers, /status as JSON, /metrics for Prometheus, /healthz and /readyz. Port 0 takes a free one. "
            + "Off by default. On loopback it asks for nothing; elsewhere it needs --token-file or HPAPS_TOKEN_FILE, and readers show a key that is derived from the token.",
    }.Address("HOST:PORT, as in 127.0.0.1:9464 or, for a free port, 127.0.0.1:0");

    /// <summary>Must be HOST:PORT.</summary>
    /// <param name="option">Which.</param>
    /// <param name="form">What to write, where that is not what addresses of the job are like; or null.</param>
    /// <param name="several">There may be several, with commas between them.</param>
    public static Option<T> Address<T>(this Option<T> option, string? form = null, bool several = false)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [var token])
                return;
            try
            {
                foreach (string one in several ? token.Value.Split(',') : [token.Value])
                    Transport.Endpoint.Parse(one);
            }
            catch (InputException e)
            {
                result.AddError($"{option.Name}: {(form is null ? e.Message : $"'{token.Value}' is no address: write {form}.")}");
            }
        });
        return option;
    }

    /// <summary>Adds examples below a command's description.</summary>
    public static string WithExamples(string description, params string[] examples) =>
        $"{description}\n\nExamples:\n  {string.Join("\n  ", examples)}";
}
