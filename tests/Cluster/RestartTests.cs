using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps train --restart: processes that die come back, and nothing is lost.</summary>
[Collection(Alone.Name)]
public sealed partial class RestartTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("async", DyingProcesses.Worker1)]
    [InlineData("bsp", DyingProcesses.Worker1)]
    [InlineData("async", DyingProcesses.Server)]
    [InlineData("bsp", DyingProcesses.Server)]
    [InlineData("auto", DyingProcesses.Worker1)]
    [InlineData("auto", DyingProcesses.Server)]
    public void Process_killed_is_started_again_and_the_optimum_is_reached(string policy, string which)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--policy", policy, "--restart", "on-failure:2", "--time-limit", "5");
        DyingProcesses.UntilItTrains(train);
        int victim = DyingProcesses.Find(train, which);
        RunningProgram.Signal(victim, DyingProcesses.Kill);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains($"(pid {victim}) was killed by signal 9 (SIGKILL): it is started again in 0.", train.Errors, StringComparison.Ordinal);
        Assert.Contains("restart 1 of 2", train.Errors, StringComparison.Ordinal);

        using JsonDocument printed = JsonDocument.Parse(train.Output);
        JsonElement summary = printed.RootElement;
        Assert.Equal(which == DyingProcesses.Server ? 0 : 1, summary.GetProperty("worker_restarts").GetInt32());
        Assert.Equal(which == DyingProcesses.Server ? 1 : 0, summary.GetProperty("server_restarts").GetInt32());
        double best = DyingProcesses.Optimum(data);
        Assert.InRange((summary.GetProperty("objective").GetDouble() - best) / best, -1e-6, 1e-5);
        Assert.Contains("Processes that had died were started again", File.ReadAllText(folder.In("run/report.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("async")]
    [InlineData("bsp")]
    public void Recommender_goes_on_from_what_it_had_reached_when_the_server_was_killed(string policy)
    {
        using var folder = new TempFolder();
        using RunningProgram generate = RunningProgram.Run(Published.Launcher, folder.Path, "generate", "ratings", "--ratings", "20000", "--out", "r.csv");
        Assert.True(generate.ExitCode() == 0, generate.Errors);
        using RunningProgram train = RunningProgram.Start(Published.Launcher, folder.Path, "train", "mf", "--data", "r.csv", "--workers", "3", "--rank", "8",
            "--policy", policy, "--restart", "on-failure:1", "--time-limit", "5", "--out", "run", "--json");
        train.Until(() => Objective().IsMatch(train.Errors), "it trained");
        double before = double.Parse(Objective().Match(train.Errors).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        RunningProgram.Signal(DyingProcesses.Find(train, DyingProcesses.Server), DyingProcesses.Kill);
        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal(1, summary.RootElement.GetProperty("server_restarts").GetInt32());
        Assert.InRange(summary.RootElement.GetProperty("objective").GetDouble(), before / 2, before * 1.005);
    }

    [Fact]
    public void Restarts_that_are_used_up_end_the_run_and_name_the_process()
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--restart", "on-failure:1", "--time-limit", "50");
        DyingProcesses.UntilItTrains(train);
        Dictionary<int, string> children = train.Children();
        int first = DyingProcesses.Find(train, DyingProcesses.Worker1);
        RunningProgram.Signal(first, DyingProcesses.Kill);
        int second = DyingProcesses.Find(train, DyingProcesses.Worker1, first);
        children.Add(second, "worker 1, started again");
        RunningProgram.Signal(second, DyingProcesses.Kill);
        Assert.Equal(4, train.ExitCode(Soon));
        Assert.Contains($"worker 1 (pid {second}, started again once) was killed by signal 9 (SIGKILL)", train.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("restart 2", train.Errors, StringComparison.Ordinal);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        Assert.Contains("The model as it stood then is in run.\nWhat the server had is kept in run/state.", train.Errors, StringComparison.Ordinal);
        DyingProcesses.AreGone(children);
    }

    [Fact]
    public void Server_whose_restarts_are_used_up_leaves_its_state_and_the_commands_that_go_on_from_it()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--restart", "on-failure:1", "--time-limit", "12");
        DyingProcesses.UntilItTrains(train);
        int first = DyingProcesses.Find(train, DyingProcesses.Server);
        RunningProgram.Signal(first, DyingProcesses.Kill);
        int second = DyingProcesses.Find(train, DyingProcesses.Server, first);
        train.Until(() => train.Errors.Split(" pushes ").Length > 3, "it went on");
        RunningProgram.Signal(second, DyingProcesses.Kill);
        Assert.Equal(4, train.ExitCode(Soon));
        Assert.Contains($"server (pid {second}, started again once) was killed by signal 9 (SIGKILL)", train.Errors, StringComparison.Ordinal);
        Assert.Contains("What the server had is kept in run/state. To go on from there:\n", train.Errors, StringComparison.Ordinal);
        Assert.Equal(["state"], Names(folder.In("run")));

        string[] lines = train.Errors[train.Errors.IndexOf("To go on from there:\n", StringComparison.Ordinal)..].Split('\n');
        string commands = $"{lines[1]}\n{lines[2]}".Replace("127.0.0.1:7070", "unix:server", StringComparison.Ordinal);
        using RunningProgram shell = RunningProgram.Run("/bin/sh", folder.Path, "-c", $"PATH={Path.GetDirectoryName(Published.Server)}:$PATH\n{commands}");
        Assert.True(shell.ExitCode() == 0, shell.Errors);
        Assert.Contains("recovered from ", shell.Errors, StringComparison.Ordinal);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
    }

    [Fact]
    public void State_of_a_run_that_did_not_end_is_put_aside_until_the_next_has_ended_well()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using (RunningProgram killed = DyingProcesses.Train(folder, data, "--restart", "on-failure:1", "--time-limit", "50"))
        {
            DyingProcesses.UntilItTrains(killed);
            Dictionary<int, string> children = killed.Children();
            killed.Signal(DyingProcesses.Kill);
            killed.ExitCode(Soon);
            DyingProcesses.AreGone(children);
        }

        using RunningProgram train = DyingProcesses.Train(folder, data, "--restart", "on-failure:1", "--time-limit", "3");
        train.Until(() => train.Errors.Contains("run/state is of an earlier run that did not end: it is now run/state-earlier", StringComparison.Ordinal), "it was put aside");
        DyingProcesses.UntilItTrains(train);
        Assert.NotEmpty(Directory.GetFiles(folder.In("run/state-earlier/journal")));
        Assert.True(train.ExitCode(Soon) == 0, train.Errors);
        Assert.False(Directory.Exists(folder.In("run/state-earlier")) || Directory.Exists(folder.In("run/state")));
    }

    [Fact]
    public void Worker_whose_data_has_become_bad_is_not_started_a_second_time()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--restart", "on-failure:5", "--time-limit", "50");
        DyingProcesses.UntilItTrains(train);
        for (int j = 0; j < 50; j++)
            File.AppendAllText(data, "+1 3:oops\n"); // some of them are in its part
        RunningProgram.Signal(DyingProcesses.Find(train, DyingProcesses.Worker1), DyingProcesses.Kill);
        Assert.Equal(3, train.ExitCode(Soon));
        Assert.Matches($"hpaps: {Regex.Escape(data)}:3[0-9][0-9]: ", train.Errors);
        Assert.Contains("restart 1 of 5", train.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("restart 2", train.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DyingProcesses.Worker1, 6)]
    [InlineData(DyingProcesses.Server, 5)]
    public void Signal_in_a_pause_ends_in_order(string which, int restart)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--restart", "on-failure:9", "--time-limit", "300");
        DyingProcesses.UntilItTrains(train);
        DyingProcesses.KillUntilRestart(train, which, restart); // this pause takes 0.8 s at least
        Dictionary<int, string> children = train.Children();
        Assert.DoesNotContain(children.Values, command => command.Contains(which, StringComparison.Ordinal));
        train.Signal(DyingProcesses.Terminate);
        Assert.True(train.ExitCode(Soon) == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal("stopped", summary.RootElement.GetProperty("reason").GetString());
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        DyingProcesses.AreGone(children);
        if (which == DyingProcesses.Worker1)
            Assert.Contains("worker 1 is not started again: the run is being stopped", train.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(1)]
    public void Launcher_killed_in_a_pause_or_beside_a_process_started_again_leaves_none(int restart)
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--restart", "on-failure:9", "--time-limit", "300");
        DyingProcesses.UntilItTrains(train);
        int first = DyingProcesses.Find(train, DyingProcesses.Worker1);
        DyingProcesses.KillUntilRestart(train, DyingProcesses.Worker1, restart);
        if (restart == 1)
            DyingProcesses.Find(train, DyingProcesses.Worker1, first);
        Dictionary<int, string> children = train.Children();
        Assert.Equal(restart == 1 ? DyingProcesses.Workers + 1 : DyingProcesses.Workers, children.Count);
        train.Signal(DyingProcesses.Kill);
        train.ExitCode(Soon);
        DyingProcesses.AreGone(children);
    }

    [Theory]
    [InlineData("always")]
    [InlineData("on-failure")]
    [InlineData("on-failure:0")]
    [InlineData("on-failure:1001")]
    public void Restart_must_be_never_or_a_number_of_times(string restart)
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, "x", "--restart", restart);
        Assert.Equal(2, train.ExitCode());
        Assert.Contains("--restart must be never or on-failure:N with N from 1 to 1000", train.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Socket_of_a_launcher_that_was_killed_is_removed_by_the_next_run_and_that_of_a_running_one_stays()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram killed = DyingProcesses.Train(folder, data, "--time-limit", "50");
        string left = SocketFolder(killed);
        Dictionary<int, string> children = killed.Children();
        killed.Signal(DyingProcesses.Kill);
        killed.ExitCode(Soon);
        DyingProcesses.AreGone(children);
        Assert.True(Directory.Exists(left));

        using RunningProgram running = DyingProcesses.Train(folder, data, "--time-limit", "4");
        string used = SocketFolder(running);
        Assert.False(Directory.Exists(left));
        using RunningProgram other = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--passes", "5", "--out", "other");
        Assert.True(other.ExitCode() == 0, other.Errors);
        Assert.True(Directory.Exists(used));
        Assert.True(running.ExitCode(Soon) == 0, running.Errors);
        Assert.False(Directory.Exists(used));
    }

    private static string SocketFolder(RunningProgram train)
    {
        DyingProcesses.UntilItTrains(train);
        foreach (string command in train.Children().Values)
        {
            if (Socket().Match(command) is { Success: true } match)
                return match.Groups[1].Value;
        }

        Assert.Skip("local runs use no Unix socket here: the name of the folder for temporary files is too long");
        return "";
    }

    private static string[] Names(string folder) => Array.ConvertAll(Directory.GetFileSystemEntries(folder), one => Path.GetFileName(one));

    [GeneratedRegex(@"--listen unix:(\S+)/server ")]
    private static partial Regex Socket();

    [GeneratedRegex(@"passes, objective ([0-9.]+)")]
    private static partial Regex Objective();
}
