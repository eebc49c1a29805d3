using System;
using System.Collections.Generic;
using System.Text;

namespace HpAsyncPs.Cli.Completing;

/// <summary>The script for fish: a line for each command and option, with the place where it can stand.</summary>
internal static class FishScript
{
    private const string Begin = """
        # Completes the command lines of hpaps, hpaps-server and hpaps-worker. Made by 'hpaps completion'.
        function __hpaps_at --description 'Do the words so far call this command?'
            set -l words (commandline -opc)
            set -l place (string replace -r '.*/' '' -- $words[1])
            for word in $words[2..-1]
                if contains -- "$place $word" @places@
                    set place "$place $word"
                end
            end
            test "$place" = "$argv"
        end

        """;

    /// <summary>The script.</summary>
    /// <param name="commands">All commands.</param>
    public static string Of(IReadOnlyList<CompletedCommand> commands)
    {
        var places = new List<string>();
        foreach (CompletedCommand command in commands)
        {
            if (command.Words.Contains(' ', StringComparison.Ordinal))
                places.Add(Quoted(command.Words));
        }

        StringBuilder script = new StringBuilder(Begin).Replace("@places@", string.Join(' ', places));
        foreach (string program in CompletedCommand.Programs)
            script.Append($"complete -c {program} -f\n");
        foreach (CompletedCommand command in commands)
        {
            string line = $"complete -c {command.Words.Split(' ')[0]} -n {Quoted("__hpaps_at " + command.Words)}";
            foreach ((string name, string description) in command.Commands)
                script.Append($"{line} -a {name} -d {Quoted(description)}\n");
            foreach (CompletedOption option in command.Options)
            {
                script.Append(line);
                foreach (string name in option.Names)
                    script.Append(name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}");
                script.Append(option.Kind switch
                {
                    ValueKind.None => "",
                    ValueKind.File => " -r -F",
                    ValueKind.Folder => " -x -a '(__fish_complete_directories (commandline -ct))'",
                    ValueKind.Words => $" -x -a {Quoted(string.Join(' ', option.Words))}",
                    _ => " -x",
                });
                script.Append($" -d {Quoted(option.Description)}\n");
            }
        }

        return script.ToString();
    }

    private static string Quoted(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
