using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Completions;
using HpAsyncPs.Programs.Configuring;
using HpAsyncPs.ServerProgram;
using HpAsyncPs.WorkerProgram;

namespace HpAsyncPs.Cli.Completing;

/// <summary>A program or one of its commands, as a shell completes it.</summary>
/// <param name="Words">The words that call it, the program's name first.</param>
/// <param name="Description">In a few words.</param>
/// <param name="Commands">Names of those below it, with what they are in a few words, or the words that it takes itself.</param>
/// <param name="Options">What can be given.</param>
internal sealed record CompletedCommand(string Words, string Description, IReadOnlyList<(string Name, string Description)> Commands, IReadOnlyList<CompletedOption> Options)
{
    /// <summary>Names of the programs.</summary>
    public static readonly string[] Programs = ["hpaps", "hpaps-server", "hpaps-worker"];

    /// <summary>All commands of the three programs that users are told of, each after the one above it.</summary>
    /// <param name="cli">Those of this program.</param>
    public static List<CompletedCommand> All(RootCommand cli)
    {
        var all = new List<CompletedCommand>();
        Add(all, cli, Programs[0], []);
        RootCommand[] others = [ServerCommand.Create(static (_, _) => (int)ExitCode.Usage), WorkerCommand.Create()];
        for (int j = 0; j < others.Length; j++)
        {
            GlobalOptions.AddTo(others[j]);
            Add(all, others[j], Programs[j + 1], []);
        }

        return all;
    }

    private static void Add(List<CompletedCommand> all, Command command, string words, List<Option> above)
    {
        var options = new List<CompletedOption>();
        var below = new List<Option>(above);
        foreach (Option option in command.Options)
        {
            if (option.Hidden)
                continue;
            options.Add(CompletedOption.Of(option));
            if (option.Recursive)
                below.Add(option);
        }

        foreach (Option option in above)
            options.Add(CompletedOption.Of(option));
        var commands = new List<(string, string)>();
        foreach (Command one in command.Subcommands)
        {
            if (!one.Hidden)
                commands.Add((one.Name, CompletedOption.Short(one.Description)));
        }

        foreach (Argument argument in command.Arguments)
        {
            foreach (CompletionItem item in argument.GetCompletions(CompletionContext.Empty))
                commands.Add((item.Label, ""));
        }

        all.Add(new CompletedCommand(words, CompletedOption.Short(command.Description), commands, options));
        foreach (Command one in command.Subcommands)
        {
            if (!one.Hidden)
                Add(all, one, $"{words} {one.Name}", below);
        }
    }
}
