using System.Collections.Generic;
using System.CommandLine;
using HpAsyncPs.Programs.Configuring;
using HpAsyncPs.ServerProgram;
using HpAsyncPs.WorkerProgram;

namespace HpAsyncPs.Cli.Configuring;

/// <summary>A command of any of the three programs that a file may have values for.</summary>
/// <param name="Path">Its words, with points between them, as a file names it.</param>
/// <param name="Line">The words that call it.</param>
/// <param name="Command">The command.</param>
/// <param name="Root">Of its program.</param>
internal sealed record KnownCommand(string Path, IReadOnlyList<string> Line, Command Command, RootCommand Root)
{
    /// <summary>All of them.</summary>
    /// <param name="cli">The commands of this program.</param>
    public static List<KnownCommand> All(RootCommand cli)
    {
        var all = new List<KnownCommand>();
        foreach (Command command in cli.Subcommands)
            Add(all, command, command.Name, [command.Name], cli);
        Add(all, "server", ServerCommand.Create(static (_, _) => (int)ExitCode.Usage));
        Add(all, "worker", WorkerCommand.Create());
        return all;
    }

    private static void Add(List<KnownCommand> all, string path, RootCommand root)
    {
        GlobalOptions.AddTo(root);
        Add(all, root, path, [], root);
    }

    private static void Add(List<KnownCommand> all, Command command, string path, List<string> line, RootCommand root)
    {
        if (command.Hidden || command.Name is ConfigCommand.Name or Completing.CompletionCommand.Name)
            return;
        if (command.Subcommands.Count == 0)
            all.Add(new KnownCommand(path, line, command, root));
        foreach (Command one in command.Subcommands)
            Add(all, one, $"{path}.{one.Name}", [.. line, one.Name], root);
    }
}
