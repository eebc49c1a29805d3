using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Programs;

/// <summary>Who is told of what.</summary>
internal sealed record AlertSettings
{
    /// <summary>For /bin/sh, or null.</summary>
    public string? Command { get; init; }

    /// <summary>Gets a POST, or null.</summary>
    public Uri? Webhook { get; init; }

    /// <summary>The least time between two alerts of a kind and worker.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>What is told.</summary>
    public IReadOnlyList<AlertKind> Kinds { get; init; } = [];
}

/// <summary>The options of alerts, at a server and at what starts one.</summary>
internal sealed class AlertOptions
{
    private const double DefaultInterval = 300;
    private const string AllKinds = "all";

    // Slow workers are common and no trouble to most policies; strangers knock at every port; that a job ends is no trouble.
    private static readonly AlertKind[] Defaults = [AlertKind.Gone, AlertKind.Stalled, AlertKind.Refused, AlertKind.Disagreement, AlertKind.Journal, AlertKind.Objective, AlertKind.Failed];

    private readonly Option<string?> _command = new(AlertNames.Command)
    {
        HelpName = "CMD",
        Description = "For each alert, have /bin/sh run CMD, with the alert as JSON on its standard input and HPAPS_ALERT_TEXT, _KIND, _RANK, _SERVER and _HELD_BACK in its environment. It has 10 s, then it is killed with its children.",
    };
    private readonly Option<string?> _webhook = new(AlertNames.Webhook)
    {
        HelpName = "URL",
        Description = $"For each alert, POST it as JSON to URL (http or https). Where the URL is a secret, give it in {AlertNames.Variable} or in a configuration file, not here, where each user of this host sees it.",
    };
    private readonly Option<double> _interval = new Option<double>(AlertNames.Interval)
    {
        HelpName = "SECONDS",
        Description = "The least time between two alerts of a kind about the same worker; those between are counted in the next.",
        DefaultValueFactory = _ => DefaultInterval,
    }.Within(0, 1e6);
    private readonly Option<string> _on = new(AlertNames.On)
    {
        HelpName = "KIND,...",
        Description = $"What is told: {string.Join(", ", NamesOf(Enum.GetValues<AlertKind>()))}, or {AllKinds}. docs/monitoring.md says when.",
        DefaultValueFactory = _ => string.Join(',', NamesOf(Defaults)),
    };

    public AlertOptions()
    {
        _command.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && string.IsNullOrWhiteSpace(token.Value))
                result.AddError($"{AlertNames.Command} is empty: give a command, or leave it out.");
        });
        _webhook.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && WrongOf(token.Value) is { } wrong)
                result.AddError($"{AlertNames.Webhook} {wrong}");
        });
        _on.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && KindsOf(token.Value, out string? unknown) is null)
                result.AddError($"--alert-on: there is no kind '{unknown}'; give some of {string.Join(", ", NamesOf(Enum.GetValues<AlertKind>()))} with commas between them, or {AllKinds}.");
        });
    }

    /// <summary>All of them.</summary>
    public Option[] All => [_command, _webhook, _interval, _on];

    /// <summary>What must hold between them.</summary>
    public void Check(CommandResult result)
    {
        if (IsGiven(result, _command) || IsGiven(result, _webhook))
            return;
        foreach (Option option in (Option[])[_interval, _on])
        {
            if (IsGiven(result, option))
                result.AddError($"{option.Name} needs {AlertNames.Command} or {AlertNames.Webhook}: nobody is told otherwise.");
        }
    }

    /// <summary>In one process on a virtual clock there is nobody to tell anything of.</summary>
    public void CheckDeterministic(CommandResult result)
    {
        foreach (Option option in All)
        {
            if (IsGiven(result, option))
                result.AddError($"{option.Name} is for processes that may be in trouble, and --deterministic trains in one process: leave one of them out.");
        }
    }

    /// <summary>What was given.</summary>
    public AlertSettings Settings(ParseResult parsed) => new()
    {
        Command = parsed.GetValue(_command),
        Webhook = parsed.GetValue(_webhook) is { } address ? new Uri(address) : null,
        Interval = TimeSpan.FromSeconds(parsed.GetValue(_interval)),
        Kinds = KindsOf(parsed.GetValue(_on)!, out _)!,
    };

    /// <summary>The arguments that give another program the same, but for the webhook, which may be a secret: <see cref="AlertNames.Variable"/>.</summary>
    public static string[] Arguments(AlertSettings settings)
    {
        if (settings is { Command: null, Webhook: null })
            return [];
        string[] command = settings.Command is { } given ? [AlertNames.Command + "=" + given] : [];
        return [.. command, AlertNames.Interval, settings.Interval.TotalSeconds.ToString("R", CultureInfo.InvariantCulture), AlertNames.On, string.Join(',', NamesOf(settings.Kinds))];
    }

    private static string? WrongOf(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https") || address.Host.Length == 0)
            return "must be an address that begins with http:// or https://, as in https://hooks.example.org/x."; // not what it is: it may be a secret
        return address.UserInfo.Length > 0 ? "has a user name or password in it, which are not sent: give an address that needs none." : null;
    }

    private static AlertKind[]? KindsOf(string text, out string? unknown)
    {
        unknown = null;
        if (text == AllKinds)
            return Enum.GetValues<AlertKind>();
        var kinds = new List<AlertKind>();
        foreach (string word in text.Split(','))
        {
            int found = Array.FindIndex(Enum.GetValues<AlertKind>(), kind => Alert.NameOf(kind) == word.Trim());
            if (found < 0)
            {
                unknown = word.Trim();
                return null;
            }

            kinds.Add((AlertKind)found);
        }

        return [.. kinds];
    }

    private static string[] NamesOf(IReadOnlyList<AlertKind> kinds)
    {
        string[] names = new string[kinds.Count];
        for (int j = 0; j < names.Length; j++)
            names[j] = Alert.NameOf(kinds[j]);
        return names;
    }

    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };
}
