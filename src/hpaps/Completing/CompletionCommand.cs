using System;
using System.Collections.Generic;
using System.CommandLine;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Completing;

/// <summary>hpaps completion: a script with which a shell completes the command lines of the three programs. It starts none of them.</summary>
internal static class CompletionCommand
{
    public const string Name = "completion";

    /// <param name="cli">The commands of this program.</param>
    public static Command Create(RootCommand cli)
    {
        Argument<string> shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." }.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var completion = new Command(Name, CommonOptions.WithExamples(
            "Prints a script with which a shell completes commands, options and values of hpaps, hpaps-server and hpaps-worker.",
            "eval \"$(hpaps completion bash)\"",
            "hpaps completion zsh > ~/.zfunc/_hpaps                    # a folder of fpath, before compinit",
            "hpaps completion fish > ~/.config/fish/completions/hpaps.fish"))
        {
            shell,
        };
        completion.SetAction(parsed =>
        {
            List<CompletedCommand> commands = CompletedCommand.All(cli);
            Console.Out.Write(parsed.GetValue(shell) switch
            {
                "fish" => FishScript.Of(commands),
                "zsh" => CaseScript.Zsh(commands),
                _ => CaseScript.Bash(commands),
            });
            return (int)ExitCode.Done;
        });
        return completion;
    }
}
