using System;
using System.IO;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps stress beside a program that measures what plain sockets do.</summary>
[Collection(Alone.Name)]
public sealed class StressLimitTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("push", "tcp", "push 4096 0.5 3")]
    [InlineData("pull", "unix", "pull 4096 0.5 3 unix")]
    [InlineData("trip", "tcp", "trip 4096 0.5")]
    [InlineData("trip", "unix", "trip 4096 0.5 unix")]
    [InlineData("trip", "unix", "trip 4096 0.5 unix spin", "always")]
    [InlineData("push", "tcp", "push 4096 0.5 3", "never")]
    public void Limit_program_runs_before_and_after_in_the_same_mode_and_the_ratio_is_to_its_average(string mode, string transport, string call, string? spin = null)
    {
        using var folder = new TempFolder();
        string program = folder.In("limit");
        WriteLimitProgram(program, folder.In("calls"));
        string[] spins = spin is null ? [] : ["--spin", spin];
        JsonElement one = StressCommandTests.Run(["--mode", mode, "--transport", transport, "--bytes", "4K", "--seconds", "0.05", "--window", "3", "--limits", program, .. spins]);
        Assert.Equal($"{call}\n{call}\n", File.ReadAllText(folder.In("calls")));
        Assert.Equal(one.GetProperty("parameters_gb_per_second").GetDouble() / 1.5, one.GetProperty("ratio_to_limit").GetDouble(), 1e-9);
    }

    [Fact]
    public void Limit_program_beside_the_launcher_is_found_and_none_turns_it_off()
    {
        using var folder = new TempFolder();
        foreach (string program in (string[])[Published.Launcher, Published.Server, Published.Worker])
            File.Copy(program, folder.In(Path.GetFileName(program)));
        WriteLimitProgram(folder.In("limits"), folder.In("calls"));
        string[] quick = ["stress", "--bytes", "4K", "--seconds", "0.05", "--json"];
        using RunningProgram without = RunningProgram.Run(folder.In("hpaps"), folder.Path, [.. quick, "--limits", "none"]);
        using RunningProgram pairs = RunningProgram.Run(folder.In("hpaps"), folder.Path, [.. quick, "--mode", "push-pull"]);
        Assert.False(File.Exists(folder.In("calls")));
        using RunningProgram with = RunningProgram.Run(folder.In("hpaps"), folder.Path, quick);
        using JsonDocument printed = JsonDocument.Parse(with.Output);
        Assert.Equal(JsonValueKind.Number, printed.RootElement.GetProperty("ratio_to_limit").ValueKind);

        // Nobody asked for it: that it fails is said, and no more.
        File.WriteAllText(folder.In("limits"), "#!/bin/sh\nexit 4\n");
        using RunningProgram failing = RunningProgram.Run(folder.In("hpaps"), folder.Path, quick);
        Assert.Equal(0, failing.ExitCode(Soon));
        Assert.Contains("no ratio to the limit of this host", failing.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("push", "tcp")]
    [InlineData("pull", "unix")]
    [InlineData("trip", "unix")]
    public void Limit_program_of_this_repository_is_one(string mode, string transport)
    {
        string program = Path.Combine(Path.GetDirectoryName(Published.Launcher)!, "limits");
        Assert.SkipUnless(File.Exists(program), $"{program} is not there: run tools/publish.sh");
        JsonElement one = StressCommandTests.Run("--mode", mode, "--transport", transport, "--bytes", "4K", "--seconds", "0.1", "--window", "3", "--limits", program);
        Assert.InRange(one.GetProperty("ratio_to_limit").GetDouble(), 1e-6, 1e6);
    }

    [Fact]
    public void Limit_program_that_is_missing_or_says_nothing_is_explained()
    {
        using RunningProgram missing = StressCommandTests.Start("--bytes", "4K", "--seconds", "0.05", "--limits", "/nowhere/limit");
        Assert.Equal(3, missing.ExitCode(Soon));
        Assert.Contains("--limits /nowhere/limit: there is no such program", missing.Errors, StringComparison.Ordinal);
        using RunningProgram silent = StressCommandTests.Start("--bytes", "4K", "--seconds", "0.05", "--limits", "/bin/true");
        Assert.Equal(4, silent.ExitCode(Soon));
        Assert.Contains("printed no gb_per_second", silent.Errors, StringComparison.Ordinal);
    }

    /// <summary>Keeps how it was called, and prints how often as GB/s.</summary>
    private static void WriteLimitProgram(string program, string calls)
    {
        File.WriteAllText(program, $"#!/bin/sh\necho \"$@\" >> '{calls}'\necho some words\necho '{{\"gb_per_second\": '$(wc -l < '{calls}')'}}'\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
