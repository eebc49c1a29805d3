using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Workers that are killed and not started again: the others go on, or take over the part.</summary>
[Collection(Alone.Name)]
public sealed partial class LostWorkerTests
{
    private const string Optimum = "0.333340752068716"; // of a9a, l2 = 1e-3

    [Theory]
    [InlineData("keep", "the others go on, with what it contributed")]
    [InlineData("evict", "the others go on, without what it contributed")]
    public void Others_go_on_and_it_is_said(string onLoss, string words)
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--on-worker-loss", onLoss, "--time-limit", "5");
        DyingProcesses.UntilItTrains(train);
        int victim = DyingProcesses.Find(train, DyingProcesses.Worker1);
        RunningProgram.Signal(victim, DyingProcesses.Kill);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains($"worker 1 (pid {victim}) was killed by signal 9 (SIGKILL): it is not started again, {words}", train.Errors, StringComparison.Ordinal);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal("time limit", summary.RootElement.GetProperty("reason").GetString());
        Assert.Equal([1], Lost(summary));
        Assert.Contains(", 2 of 3 workers (not there: 1)", train.Errors, StringComparison.Ordinal);
        Assert.Contains("worker 1 of 3 did not return: what it ", train.Errors, StringComparison.Ordinal);
        Assert.Contains("lost and did not return: 1.", File.ReadAllText(folder.In("run/report.html")), StringComparison.Ordinal);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
    }

    [Fact]
    public void Last_worker_lost_ends_the_run()
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Start(Published.Launcher, folder.Path, "train", "logreg", "--data", folder.Data(), "--workers", "1",
            "--on-worker-loss", "keep", "--time-limit", "50", "--out", "run", "--json");
        DyingProcesses.UntilItTrains(train);
        RunningProgram.Signal(DyingProcesses.Find(train, "--part 0/1"), DyingProcesses.Kill);
        Assert.Equal(4, train.ExitCode());
        Assert.Contains("was killed by signal 9", train.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--on-worker-loss", false)]
    [InlineData("--reassign", true)]
    public void Recommender_is_usable_when_its_first_worker_is_lost(string option, bool hasAllUsers)
    {
        using var folder = new TempFolder();
        using RunningProgram generate = RunningProgram.Run(Published.Launcher, folder.Path, "generate", "ratings", "--ratings", "20000", "--out", "r.csv");
        Assert.True(generate.ExitCode() == 0, generate.Errors);
        using RunningProgram train = RunningProgram.Start(Published.Launcher, folder.Path, ["train", "mf", "--data", "r.csv", "--workers", "3", "--rank", "8",
            "--holdout", "0.1", "--time-limit", "8", "--out", "run", "--json", option, .. option == "--reassign" ? (string[])[] : ["keep"]]);
        train.Until(() => train.Errors.Contains(" passes, objective", StringComparison.Ordinal), "it trained");
        RunningProgram.Signal(DyingProcesses.Find(train, "--part 0/3"), DyingProcesses.Kill);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Equal(!hasAllUsers, train.Errors.Contains("the users of worker 0 are lost with it", StringComparison.Ordinal));

        var users = new IdTable();
        RatingsReader.Read(folder.In("r.csv"), users, new IdTable(), needsRatings: true, TestContext.Current.CancellationToken);
        FactorModel model = FactorModel.Read(folder.In("run"));
        Assert.InRange(model.Users.Count, hasAllUsers ? users.Count : users.Count / 2, hasAllUsers ? users.Count : users.Count - 1);
        using RunningProgram evaluate = RunningProgram.Run(Published.Launcher, folder.Path, "evaluate", "--model", "run", "--data", "r.csv", "--json");
        Assert.True(evaluate.ExitCode() == 0, evaluate.Errors);
    }

    [Fact]
    public void Part_of_a_lost_worker_goes_to_another_and_no_data_is_lost()
    {
        string data = DataFolder.PathOf("a9a/a9a.svm.gz");
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--reassign", "--reference", Optimum, "--time-limit", "12");
        DyingProcesses.UntilItTrains(train);
        RunningProgram.Signal(DyingProcesses.Find(train, DyingProcesses.Worker1), DyingProcesses.Kill);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains("it is not started again, another worker takes over its part", train.Errors, StringComparison.Ordinal);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.InRange(summary.RootElement.GetProperty("relative_gap").GetDouble(), -1e-6, 1e-4);
        Assert.Equal(32561, summary.RootElement.GetProperty("examples").GetDouble());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Processes_started_by_hand_take_over_a_part_or_the_job_fails(bool hasParts)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        var processes = new List<RunningProgram>();
        try
        {
            RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--workers", "3", "--reassign",
                "--rejoin-timeout", "3", "--liveness-timeout", "2", "--time-limit", "12", "--out", "run");
            processes.Add(server);
            server.Until(() => Address().IsMatch(server.Errors), "the server listened");
            for (int rank = 0; rank < DyingProcesses.Workers; rank++)
            {
                processes.Add(RunningProgram.Start(Published.Worker, folder.Path, ["logreg", "--server", Address().Match(server.Errors).Groups[1].Value, "--data", data,
                    "--l2", DyingProcesses.L2, .. hasParts ? (string[])["--part", $"{rank}/3"] : ["--worker-rank", $"{rank}"]]));
            }

            server.Until(() => server.Errors.Contains("training begins", StringComparison.Ordinal), "it trained");
            processes[2].Signal(DyingProcesses.Kill);
            Assert.Equal(hasParts ? 0 : 4, server.ExitCode());
            Assert.Matches("worker 1 .* did not return within 3 s, nor did another in its place. Worker [02] is asked to take over its part", server.Errors);
            string others = processes[1].Errors + processes[3].Errors;
            if (!hasParts)
            {
                Assert.Matches("worker [02], which was asked to take over its part, did not", server.Errors);
                Assert.Contains("rank 1, which it cannot: without --part its data is only its own", others, StringComparison.Ordinal);
                return;
            }

            Assert.True(processes[1].ExitCode() == 0 && processes[3].ExitCode() == 0, others);
            Assert.Contains("takes over part 1/3, whose worker was lost", others, StringComparison.Ordinal);
            using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
            double best = DyingProcesses.Optimum(data);
            Assert.InRange((summary.RootElement.GetProperty("objective").GetDouble() - best) / best, -1e-6, 1e-5);
        }
        finally
        {
            foreach (RunningProgram process in processes)
                process.Dispose();
        }
    }

    [Fact]
    public void Part_taken_over_is_taken_over_again()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--reassign", "--slow", "0:10", "--time-limit", "12");
        DyingProcesses.UntilItTrains(train);
        RunningProgram.Signal(DyingProcesses.Find(train, DyingProcesses.Worker1), DyingProcesses.Kill);
        train.Until(() => train.Errors.Split(" pushes ").Length > 4, "it went on"); // worker 2, which has pushed most, has its part now
        RunningProgram.Signal(DyingProcesses.Find(train, "--part 2/3"), DyingProcesses.Kill);

        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal(300, summary.RootElement.GetProperty("examples").GetDouble());
        double best = DyingProcesses.Optimum(data);
        Assert.InRange((summary.RootElement.GetProperty("objective").GetDouble() - best) / best, -1e-6, 1e-5);
    }

    [Theory]
    [InlineData("keep")]
    [InlineData("evict")]
    public void Reassign_is_not_for_those_who_go_on_without(string onLoss)
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, "x", "--reassign", "--on-worker-loss", onLoss);
        Assert.Equal(2, train.ExitCode());
        Assert.Contains($"--reassign needs --on-worker-loss wait: with {onLoss} the others go on", train.Errors, StringComparison.Ordinal);
    }

    private static int[] Lost(JsonDocument summary)
    {
        var lost = new List<int>();
        foreach (JsonElement rank in summary.RootElement.GetProperty("lost_workers").EnumerateArray())
            lost.Add(rank.GetInt32());
        return [.. lost];
    }

    [GeneratedRegex(@"listening at (\S+) for")]
    private static partial Regex Address();
}
