using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>What counts for each option of a command: its flag, else its variable, else the file, else its default.</summary>
internal sealed class CommandSettings
{
    // For launchers alone, or for the file itself.
    private static readonly string[] NotConfigured = [GlobalOptions.Config, "--help", "--version", "--events", "--exit-with-stdin"];

    private readonly List<Setting> _all = [];

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Setting> All => _all;

    /// <summary>The options of a command that a file may have.</summary>
    /// <param name="command">Which.</param>
    /// <param name="root">Of its program.</param>
    public static List<Option> Of(Command command, RootCommand root)
    {
        var all = new List<Option>();
        foreach (Option option in (Option[])[.. command.Options, .. root.Options])
        {
            if (!option.Hidden && Array.IndexOf(NotConfigured, option.Name) < 0 && !all.Contains(option) && (command == root || option.Recursive || command.Options.Contains(option)))
                all.Add(option);
        }

        return all;
    }

    /// <param name="path">The command, words with points between them, as a file names it.</param>
    /// <param name="command">The same.</param>
    /// <param name="root">Of its program.</param>
    /// <param name="file">Values in a file, or null.</param>
    /// <param name="flags">A command line, or null: none.</param>
    /// <exception cref="InputException">A value is of a wrong type.</exception>
    public static CommandSettings Of(string path, Command command, RootCommand root, ConfigurationFile? file, ParseResult? flags)
    {
        var settings = new CommandSettings();
        foreach (Option option in Of(command, root))
            settings._all.Add(Of(path, option, file, flags));
        Exclusions.Apply(path, settings._all);
        return settings;
    }

    /// <summary>A command line with what does not come from it.</summary>
    /// <param name="given">What was given.</param>
    public string[] With(string[] given)
    {
        var more = new List<string>();
        foreach (Setting setting in _all)
        {
            if (setting.Argument is { } argument)
                more.Add(argument);
        }

        int end = Array.IndexOf(given, "--");
        return end < 0 ? [.. given, .. more] : [.. given[..end], .. more, .. given[end..]];
    }

    /// <summary>What counts of the file, as flags, without what may be a secret; null: nothing does.</summary>
    public string? OfFile()
    {
        var words = new List<string>();
        foreach (Setting setting in _all)
        {
            if (setting is { Precedence: >= Setting.File and < Setting.Variable, Argument: { } argument })
                words.Add(setting.Option.Name is AlertNames.Command or AlertNames.Webhook ? $"{setting.Option.Name}=..." : OwnCommand.Quoted(argument));
        }

        return words.Count > 0 ? string.Join(' ', words) : null;
    }

    /// <summary>A message, and where the options come from that it names, if not from the command line.</summary>
    public string Explain(string message)
    {
        var text = new StringBuilder(message);
        foreach (Setting setting in _all)
        {
            if (setting is { Precedence: > Setting.Default and < Setting.Flag, LeftOut: null } && Names(message, setting.Option.Name))
                text.Append($" ({setting.Option.Name} is from {setting.Origin})");
        }

        return text.ToString();
    }

    private static Setting Of(string path, Option option, ConfigurationFile? file, ParseResult? flags)
    {
        string key = option.Name.TrimStart('-');
        if (flags?.GetResult(option) is { Implicit: false } result)
        {
            var words = new List<string>();
            foreach (Token token in result.Tokens)
                words.Add(token.Value);
            string text = string.Join(',', words);
            return option.ValueType == typeof(bool) && text.Length > 0
                ? new Setting(option, text is "true" or "True" ? "" : null, "flag", Setting.Flag)
                : new Setting(option, text, "flag", Setting.Flag);
        }

        if (Variables.Of(key) is { } variable)
            return new Setting(option, OfVariable(option, key, variable), Variables.NameOf(key)!, Setting.Variable);
        if (file?.Of(path, key) is { } found)
            return new Setting(option, found.Value.For(option), found.Value.Origin, Setting.File + found.Words);
        return new Setting(option, null, "default", Setting.Default);
    }

    private static string? OfVariable(Option option, string key, string text)
    {
        if (option.ValueType != typeof(bool))
            return text;
        return text switch
        {
            "true" or "1" => "",
            "false" or "0" => null,
            _ => throw new InputException($"{Variables.NameOf(key)} must be true or false, for {option.Name}; it is '{text}'."),
        };
    }

    /// <summary>Is the option named, and not one that begins with its name?</summary>
    private static bool Names(string message, string name)
    {
        for (int at = message.IndexOf(name, StringComparison.Ordinal); at >= 0; at = message.IndexOf(name, at + 1, StringComparison.Ordinal))
        {
            int end = at + name.Length;
            if (end == message.Length || !(char.IsAsciiLetterOrDigit(message[end]) || message[end] == '-'))
                return true;
        }

        return false;
    }
}
