using System;
using System.Collections.Generic;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>Environment variables: HPAPS_ and an option's name, in capitals, with _ for -.</summary>
internal static class Variables
{
    /// <summary>Names the configuration file.</summary>
    public const string Config = "HPAPS_CONFIG";

    private const string Prefix = "HPAPS_";

    // Where tests and measurements find data sets: no command may take that for its --data.
    private const string NotAnOption = "data";

    /// <summary>The variable of an option, or null: it has none.</summary>
    /// <param name="key">Its name, without dashes in front.</param>
    public static string? NameOf(string key) => key == NotAnOption ? null : Prefix + key.Replace('-', '_').ToUpperInvariant();

    /// <summary>What is set for an option; what is empty counts as not set.</summary>
    /// <param name="key">Its name, without dashes in front.</param>
    public static string? Of(string key) => NameOf(key) is { } name ? Value(name) : null;

    /// <summary>What a variable is set to; what is empty counts as not set.</summary>
    public static string? Value(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : null;

    /// <summary>
    /// Makes an environment for a program that is given all that counts for it on its command line: it reads no file, and no variable but that of the token, which
    /// is nobody's option there.
    /// </summary>
    /// <param name="environment">Of the process to start.</param>
    public static void KeepFromChild(IDictionary<string, string?> environment)
    {
        foreach (string key in OptionNames.All)
        {
            if (NameOf(key) is { } name and not SecurityOptions.TokenVariable)
                environment.Remove(name);
        }

        environment[Config] = GlobalOptions.None;
    }
}
