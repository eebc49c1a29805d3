using System;
using System.Diagnostics;
using System.IO;
using System.Text.Json;
using System.Threading;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Alerts of the real programs.</summary>
[Collection(Alone.Name)]
public sealed class AlertProgramTests
{
    [Fact]
    public void Killed_worker_and_the_failure_of_its_job_are_told()
    {
        using var folder = new TempFolder();
        string told = folder.In("told");
        using var job = new WatchedJob(folder, "--liveness-timeout", "2", "--rejoin-timeout", "1", "--alert-command", $"cat >> '{told}'");
        job.UntilItTrains();
        job.KillWorker(1);
        Assert.Equal(4, job.Server.ExitCode());
        string[] lines = File.ReadAllLines(told);
        Assert.Equal(2, lines.Length);
        using JsonDocument gone = JsonDocument.Parse(lines[0]), failed = JsonDocument.Parse(lines[1]);
        Assert.Equal(("gone", 1), (gone.RootElement.GetProperty("alert").GetString(), gone.RootElement.GetProperty("rank").GetInt32()));
        Assert.Equal("failed", failed.RootElement.GetProperty("alert").GetString());
        Assert.Contains("worker 1", failed.RootElement.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Command_that_hangs_at_the_end_holds_the_server_for_a_bounded_time_and_leaves_no_orphan()
    {
        using var folder = new TempFolder();
        string pids = folder.In("pids");
        using var job = new WatchedJob(folder, "--time-limit", "1", "--alert-on", "ended", "--alert-command", $"sleep 1000 & echo $! >> '{pids}'; echo $$ >> '{pids}'; sleep 1000");
        job.Server.Until(() => File.Exists(pids) && File.ReadAllLines(pids).Length == 2, "the command began");
        Assert.Equal(0, job.Server.ExitCode());
        Assert.Contains("--alert-command: alert 'ended' was not told: ", job.Server.Errors, StringComparison.Ordinal);
        foreach (string pid in File.ReadAllLines(pids))
            Eventually.Holds(() => RunningProgram.IsGone(int.Parse(pid)), () => $"{pid} has survived");
    }

    [Fact]
    public void Command_of_a_server_that_is_killed_ends_too()
    {
        using var folder = new TempFolder();
        string pids = folder.In("pids");
        using var job = new WatchedJob(folder, "--time-limit", "1", "--alert-on", "ended", "--alert-command", $"echo $$ >> '{pids}'; sleep 1000");
        job.Server.Until(() => File.Exists(pids) && File.ReadAllLines(pids).Length == 1, "the command began");
        RunningProgram.Signal(job.Server.Id, DyingProcesses.Kill);
        int pid = int.Parse(File.ReadAllText(pids));
        var watch = Stopwatch.StartNew();
        while (!RunningProgram.IsGone(pid)) // it may take the ten seconds that it has
        {
            Assert.True(watch.Elapsed < RunningProgram.Limit, $"{pid} has survived");
            Thread.Sleep(20);
        }
    }

    [Fact]
    public void Train_passes_it_on_and_keeps_what_may_be_a_secret()
    {
        using var folder = new TempFolder();
        string told = folder.In("told");
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--time-limit", "4", "--alert-on", "all", "--alert-command", $"cat >> '{told}'", "--alert-webhook", "http://127.0.0.1:1/a-secret");
        DyingProcesses.UntilItTrains(train);
        foreach ((_, string command) in train.Children())
            Assert.DoesNotContain("a-secret", command, StringComparison.Ordinal);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains("\"alert\":\"ended\"", File.ReadAllText(told), StringComparison.Ordinal);
        Assert.Contains("hpaps: --alert-webhook: alert 'ended' was not told: cannot be reached", train.Errors, StringComparison.Ordinal);
        string summary = File.ReadAllText(Path.Combine(folder.Path, "run", "summary.json"));
        Assert.DoesNotContain("a-secret", summary, StringComparison.Ordinal);
        Assert.DoesNotContain("alert", summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--alert-interval needs --alert-command or --alert-webhook", "--alert-interval", "1")]
    [InlineData("there is no kind 'dead'", "--alert-command", "true", "--alert-on", "gone,dead")]
    [InlineData("must be an address that begins with http://", "--alert-webhook", "file:///etc/passwd")]
    [InlineData("has a user name or password in it", "--alert-webhook", "https://me:secret@example.org/")]
    [InlineData("--alert-command is empty", "--alert-command", " ")]
    public void Wrong_options_are_usage(string words, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram server = RunningProgram.Run(Published.Server, folder.Path, arguments);
        Assert.Equal(2, server.ExitCode());
        Assert.Contains(words, server.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", server.Errors, StringComparison.Ordinal);
    }
}
