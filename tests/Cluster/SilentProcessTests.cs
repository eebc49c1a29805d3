using System;
using System.Text.Json;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Processes of hpaps train that are stopped: they live and do nothing.</summary>
[Collection(Alone.Name)]
public sealed class SilentProcessTests
{
    private const int Stop = 19;

    [Theory]
    [InlineData(DyingProcesses.Worker1, "has not run for")]
    [InlineData(DyingProcesses.Server, "has printed nothing and not run for")]
    public void Process_stopped_is_killed_and_started_again(string which, string words)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--restart", "on-failure:1", "--liveness-timeout", "2", "--time-limit", "14");
        DyingProcesses.UntilItTrains(train);
        int victim = DyingProcesses.Find(train, which);
        RunningProgram.Signal(victim, Stop);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains($"(pid {victim}) {words} ", train.Errors, StringComparison.Ordinal);
        Assert.Contains("s: it hangs, or was stopped; it is killed, to be started again", train.Errors, StringComparison.Ordinal);
        Assert.True(RunningProgram.IsGone(victim));
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal(1, summary.RootElement.GetProperty(which == DyingProcesses.Server ? "server_restarts" : "worker_restarts").GetInt32());
        double best = DyingProcesses.Optimum(data);
        Assert.InRange((summary.RootElement.GetProperty("objective").GetDouble() - best) / best, -1e-6, 1e-5);
    }

    [Fact]
    public void Server_stopped_ends_a_run_without_restarts()
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--liveness-timeout", "2", "--time-limit", "300");
        DyingProcesses.UntilItTrains(train);
        int server = DyingProcesses.Find(train, DyingProcesses.Server);
        RunningProgram.Signal(server, Stop);
        Assert.Equal(4, train.ExitCode());
        Assert.Contains($"server (pid {server}) has printed nothing and not run for ", train.Errors, StringComparison.Ordinal);
        Assert.Contains("With --restart on-failure:N it would have been started again", train.Errors, StringComparison.Ordinal);
        Assert.True(RunningProgram.IsGone(server));
    }

    [Fact]
    public void Worker_stopped_is_named_and_counts_as_lost()
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--on-worker-loss", "keep", "--liveness-timeout", "2", "--time-limit", "9");
        DyingProcesses.UntilItTrains(train);
        int worker = DyingProcesses.Find(train, DyingProcesses.Worker1);
        RunningProgram.Signal(worker, Stop);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains($"kill -CONT {worker} lets it return; otherwise the others go on without it", train.Errors, StringComparison.Ordinal);
        Assert.Contains(", 2 of 3 workers (not there: 1)", train.Errors, StringComparison.Ordinal);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal(1, summary.RootElement.GetProperty("lost_workers")[0].GetInt32());
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        Assert.True(RunningProgram.IsGone(worker));
    }
}
