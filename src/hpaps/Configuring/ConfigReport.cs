using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Text;
using HpAsyncPs.Programs;
using HpAsyncPs.Programs.Configuring;

namespace HpAsyncPs.Cli.Configuring;

/// <summary>What counts for the options of a command.</summary>
internal sealed record ConfigReport
{
    /// <summary>The words that call it.</summary>
    public required string Command { get; init; }

    /// <summary>The file that was read, or null.</summary>
    public string? File { get; init; }

    public required IReadOnlyList<ConfiguredOption> Options { get; init; }

    /// <exception cref="InputException">A value is of a wrong type.</exception>
    public static ConfigReport Of(KnownCommand command, ConfigurationFile? file)
    {
        var options = new List<ConfiguredOption>();
        foreach (Setting setting in CommandSettings.Of(command.Path, command.Command, command.Root, file, null).All)
        {
            bool counts = setting.Precedence > Setting.Default && setting.LeftOut is null;
            options.Add(new ConfiguredOption(
                setting.Option.Name,
                counts ? Shown(setting) : Default(setting.Option),
                counts ? setting.Origin : setting.Option.Required ? "required" : "default",
                setting.LeftOut is { } because ? $"{Shown(setting)} of {setting.Origin} is left out: {because}" : null));
        }

        string words = command.Path is "server" or "worker" || command.Path.StartsWith("worker.", StringComparison.Ordinal) ? $"hpaps-{command.Path}" : $"hpaps {command.Path}";
        return new ConfigReport { Command = words.Replace('.', ' '), File = file?.Path, Options = options };
    }

    /// <summary>For people.</summary>
    /// <param name="reports">All commands.</param>
    /// <param name="file">The file that was read, or null.</param>
    public static string Text(IReadOnlyList<ConfigReport> reports, string? file)
    {
        var text = new StringBuilder(file is null ? "no configuration file\n" : $"configuration file {file}\n");
        foreach (ConfigReport report in reports)
        {
            int values = 0;
            foreach (ConfiguredOption one in report.Options)
                values = Math.Max(values, one.Value?.Length ?? 1);
            text.Append(CultureInfo.InvariantCulture, $"\n{report.Command}\n");
            foreach (ConfiguredOption one in report.Options)
                text.Append(CultureInfo.InvariantCulture, $"  {one.Option,-24} {(one.Value ?? "-").PadRight(values)}  {one.From}{(one.Note is null ? "" : $"; {one.Note}")}\n");
        }

        return text.ToString();
    }

    // Of a webhook the host alone: what follows is often what lets somebody post there.
    private static string Shown(Setting setting) => setting.Option.Name == AlertNames.Webhook ? Uri.TryCreate(setting.Text, UriKind.Absolute, out Uri? address) ? $"{address.Scheme}://{address.Host}/..." : "..."
        : setting.Option.ValueType != typeof(bool) ? setting.Text! : setting.Text is null ? "false" : "true";

    private static string? Default(Option option) => option.ValueType == typeof(bool) ? "false"
        : option.HasDefaultValue ? Convert.ToString(option.GetDefaultValue(), CultureInfo.InvariantCulture) : null;
}

/// <summary>What counts for an option.</summary>
/// <param name="Option">Its name.</param>
/// <param name="Value">Its value, or null: none.</param>
/// <param name="From">A variable, file and line, default, or required.</param>
/// <param name="Note">What is left out, or null.</param>
internal sealed record ConfiguredOption(string Option, string? Value, string From, string? Note);
