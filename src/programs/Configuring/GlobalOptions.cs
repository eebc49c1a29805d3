using System;
using System.CommandLine;
using System.CommandLine.Parsing;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>The options that every command of the three programs has.</summary>
internal static class GlobalOptions
{
    public const string Config = "--config";
    public const string LogFormat = "--log-format";

    /// <summary>Instead of a file: there is none.</summary>
    public const string None = "none";

    /// <summary>Adds them.</summary>
    /// <param name="root">Of a program.</param>
    public static void AddTo(RootCommand root)
    {
        var config = new Option<string?>(Config)
        {
            HelpName = "FILE|none",
            Recursive = true,
            Description = $"TOML file with values of options; by default the one that {Variables.Config} names, else {ConfigurationFile.DefaultName} in this folder if it is there; none: none. "
                + $"A flag goes before a variable HPAPS_..., and that before the file; 'hpaps config show' says what is in force. docs/operations.md has more.",
        };
        config.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value.Length: 0 }])
                result.AddError($"{Config} is empty: name a file, or give {None}.");
        });
        var format = new Option<string>(LogFormat)
        {
            HelpName = "text|json",
            Recursive = true,
            Description = "Form of what is said on standard error: lines of text, or an object a line.",
            DefaultValueFactory = _ => "text",
        };
        format.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not ("text" or "json") } token])
                result.AddError($"{LogFormat} must be text or json; it is '{token.Value}'.");
        });
        root.Options.Add(config);
        root.Options.Add(format);
    }

    /// <summary>The last word that was given for one of them, or null.</summary>
    public static string? Given(ParseResult parsed, string name)
    {
        foreach (Option option in parsed.RootCommandResult.Command.Options)
        {
            if (option.Name == name)
                return parsed.GetResult(option) is { Implicit: false, Tokens: [.., Token last] } ? last.Value : null;
        }

        throw new ArgumentException(name, nameof(name));
    }
}
