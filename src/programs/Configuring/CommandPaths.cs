using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;

namespace HpAsyncPs.Programs.Configuring;

/// <summary>Names of commands: "hpaps train mf", which is train.mf in a file; "hpaps-server" is server there.</summary>
internal static class CommandPaths
{
    private const string Prefix = "hpaps-";

    /// <summary>As in a file.</summary>
    /// <param name="result">The command.</param>
    /// <param name="program">Name of the program.</param>
    public static string Of(CommandResult result, string program)
    {
        List<string> names = Names(result);
        names.RemoveAt(0);
        if (program.StartsWith(Prefix, StringComparison.Ordinal))
            names.Insert(0, program[Prefix.Length..]);
        return string.Join('.', names);
    }

    /// <summary>As on a command line.</summary>
    /// <param name="result">The command.</param>
    public static string Words(CommandResult result) => string.Join(' ', Names(result));

    private static List<string> Names(CommandResult result)
    {
        var names = new List<string> { result.Command.Name };
        for (SymbolResult? at = result.Parent; at is not null; at = at.Parent)
        {
            if (at is CommandResult command)
                names.Insert(0, command.Command.Name);
        }

        return names;
    }
}
