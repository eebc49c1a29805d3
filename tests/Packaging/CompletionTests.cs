using System;
using System.IO;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Packaging;

/// <summary>hpaps completion, with the shells that are there.</summary>
public sealed class CompletionTests
{
    // What readline does: the line so far, and what the script offers for it.
    private const string Ask = "compopt() { :; }; . ./script; COMP_LINE=$1 COMP_POINT=${#1}; _hpaps; echo \"${COMPREPLY[*]}\"";

    [Theory]
    [InlineData("hpaps tr", "train")]
    [InlineData("hpaps train ", "logreg mf")]
    [InlineData("hpaps train logreg --pol", "--policy")]
    [InlineData("hpaps train logreg --policy s", "")]
    [InlineData("hpaps train logreg --policy b", "bsp bsp:1")]
    [InlineData("hpaps train logreg --policy=b", "bsp bsp:1")]
    [InlineData("hpaps train logreg --policy asp:a", "adagrad adam")] // the shell has asp: already
    [InlineData("hpaps train logreg --policy=asp:a", "adagrad adam")]
    [InlineData("hpaps train logreg --workers ", "")]
    [InlineData("hpaps stress --spin --trans", "--transport")]
    [InlineData("hpaps inspect --data thi", "this-file")]
    [InlineData("hpaps train mf --out thi", "")] // no folder
    [InlineData("hpaps completion z", "zsh")]
    [InlineData("/some/where/hpaps-server --on-w", "--on-worker-loss")]
    [InlineData("hpaps-server --on-worker-loss k", "keep")]
    [InlineData("hpaps-worker m", "mf")]
    [InlineData("hpaps stress-w", "")] // hidden
    public void Bash_completes(string line, string expected)
    {
        using var folder = new TempFolder();
        Script(folder, "bash");
        File.WriteAllText(folder.In("this-file"), "");
        using RunningProgram run = RunningProgram.Run("/bin/bash", folder.Path, "-euo", "pipefail", "-c", Ask, "bash", line);
        Assert.Equal("", run.Errors);
        Assert.Equal(expected, run.Output.Trim());
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public void Script_parses_and_has_every_option_of_every_command(string shell)
    {
        using var folder = new TempFolder();
        string script = Script(folder, shell);
        foreach (string line in File.ReadAllLines(Path.Combine(Repository.Root, "src", "programs", "Configuring", "options.txt")))
        {
            string[] words = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            foreach (string word in words)
            {
                if (word != "count-allocations")
                    Assert.Contains(shell == "fish" ? $" -l {word}" : $"--{word}", script, StringComparison.Ordinal);
            }
        }

        string? program = Tools.Find(shell);
        Assert.SkipUnless(program is not null, $"{shell} is not there to parse it: apt-get install {shell}");
        using RunningProgram parsed = RunningProgram.Run(program, folder.Path, "-n", "script");
        Assert.True(parsed.ExitCode() == 0, parsed.Errors);
        Assert.Equal("", parsed.Errors);
    }

    [Fact]
    public void Fish_completes()
    {
        using var folder = new TempFolder();
        Script(folder, "fish");
        string? fish = Tools.Find("fish");
        Assert.SkipUnless(fish is not null, "fish is not there: apt-get install fish");
        using RunningProgram run = RunningProgram.Run("/usr/bin/env", folder.Path, $"HOME={folder.Path}", fish, "--no-config", "-c", "source script; complete -C 'hpaps train logreg --policy asp:ad'; complete -C 'hpaps-worker m'");
        Assert.Matches("^asp:adagrad\t.*\nasp:adam\t.*\nmf\t", run.Output);
    }

    [Fact]
    public void Other_shell_is_refused()
    {
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "completion", "tcsh");
        Assert.Equal(2, run.ExitCode());
        Assert.Contains("'zsh'", run.Errors, StringComparison.Ordinal);
    }

    private static string Script(TempFolder folder, string shell)
    {
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "completion", shell);
        Assert.True(run.ExitCode() == 0, run.Errors);
        File.WriteAllText(folder.In("script"), run.Output);
        return run.Output;
    }
}
