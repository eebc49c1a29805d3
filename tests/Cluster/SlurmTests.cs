using System;
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>tools/launch/hpaps.sbatch and hpaps launch slurm, in a real Slurm of three nodes.</summary>
/// <param name="slurm">It.</param>
[Collection(Alone.Name)]
public sealed partial class SlurmTests(SlurmCluster slurm) : IClassFixture<SlurmCluster>
{
    private static readonly string[] Endless = ["--passes", "1e7", "--out", "run"];

    [Fact]
    public void Job_that_was_launched_trains_to_the_error_of_a_run_on_one_host()
    {
        slurm.Need();
        string data = DataFolder.PathOf("ml-latest-small/ratings.csv");
        string[] train = ["mf", "--data", data, "--holdout", "0.1", "--rank", "8", "--passes", "40", "--seed", "1", "--policy", "bsp", "--codec", "fp32"];
        using RunningProgram local = RunningProgram.Run(Published.Launcher, slurm.Jobs, ["train", .. train, "--workers", "4", "--out", "local"]);
        Assert.True(local.ExitCode() == 0, local.Errors);
        string stage = Directory.CreateDirectory(Path.Combine(slurm.Jobs, "stage")).FullName;
        using RunningProgram launch = RunningProgram.Run("/usr/bin/env", slurm.Jobs,
            [$"HPAPS_BIN={Path.GetDirectoryName(Published.Server)}", Published.Launcher, "launch", "slurm", .. train, "--nodes", "3", "--workers", "4", "--time", "5", "--stage", stage, "--out", "launched", "--script", "job.sbatch"]);
        Assert.True(launch.ExitCode() == 0, launch.Errors);

        string job = slurm.Slurm("sbatch", "--parsable", "job.sbatch").Trim();
        slurm.Until(job, "COMPLETED");
        Assert.Equal("0:0", slurm.Of(job, "ExitCode"));
        JsonElement summary = Summary("launched");
        Assert.Equal(4, summary.GetProperty("workers").GetInt32());
        // In rounds all push before the next one begins: runs differ in the order in which doubles are added alone (1e-15 of four runs; those of async by 4e-3).
        Assert.Equal(Rmse(Summary("local")), Rmse(summary), 1e-9);
        for (int part = 0; part < 4; part++)
        {
            Assert.Contains($"--part auto is {part}/4: rank {part + 1} of 5 by Slurm, on n0, n1, n2", slurm.LogOf(job, $"worker-{part}"), StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(slurm.Jobs, "launched", "model", $"users-{part}.npy")));
        }

        Assert.Contains("ended (passes)", slurm.Log(job), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(stage));
        Assert.Equal(["server-0.log", "worker-0.log", "worker-1.log", "worker-2.log", "worker-3.log"], Names($"hpaps-{job}"));
    }

    [Theory]
    [InlineData("", "tiny data.svm:301: ")]
    [InlineData("/proc/none", "cannot be copied to /proc/none")]
    public void Exit_code_of_a_job_is_that_of_its_training(string stage, string why)
    {
        slurm.Need();
        using var folder = new TempFolder();
        string job = slurm.Submit(["--no-requeue", $"--export=ALL,HPAPS_STAGE={stage}"], [.. Endless, "--", "logreg", "--data", folder.Data(last: "+1 3:oops\n")]);
        slurm.Until(job, "FAILED");
        Assert.Equal("3:0", slurm.Of(job, "ExitCode"));
        Assert.Contains(why, slurm.Log(job), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HPAPS_REQUEUE=0", "COMPLETED", "0:0", "ended (stopped)")]
    [InlineData("HPAPS_RESTARTS=0", "FAILED", "4:0", "has been started again 0 times")]
    public void Job_that_must_not_start_again_ends_when_it_is_told(string variable, string state, string code, string why)
    {
        slurm.Need();
        using var folder = new TempFolder();
        string job = slurm.Submit([$"--export=ALL,{variable}"], [.. Endless, "--", "logreg", "--data", folder.Data()]);
        slurm.UntilServerSays(job, "training begins");
        slurm.Slurm("scancel", "--signal=TERM", job);
        slurm.Until(job, state);
        Assert.Equal(code, slurm.Of(job, "ExitCode"));
        Assert.Contains(why, slurm.Log(job), StringComparison.Ordinal);
        Assert.Equal(code != "0:0", Array.IndexOf(Names($"hpaps-{job}"), "state") >= 0);
    }

    [Fact]
    public void Cancelled_job_leaves_no_process_and_another_goes_on_from_its_state()
    {
        slurm.Need();
        using var folder = new TempFolder();
        string job = slurm.Submit([], [.. Endless, "--", "logreg", "--data", folder.Data()]);
        slurm.UntilServerSays(job, "training begins");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(slurm.Jobs, $"hpaps-{job}", "token")));
        Assert.Equal((1, 4), (slurm.Processes("hpaps-server"), slurm.Processes("hpaps-worker")));
        slurm.Slurm("scancel", job);
        slurm.Until(job, "CANCELLED");
        Eventually.Holds(() => slurm.Processes("hpaps-server") + slurm.Processes("hpaps-worker") == 0, () => "a process has survived");
        string next = slurm.Submit([], [.. Endless, "--state", $"hpaps-{job}/state", "--", "logreg", "--data", folder.Data()]);
        slurm.UntilServerSays(next, "recovered from");
        EndsInOrder(next);
    }

    [Fact]
    public void Pre_empted_job_makes_a_checkpoint_and_goes_on_from_it()
    {
        slurm.Need();
        using var folder = new TempFolder();
        string job = slurm.Submit([], [.. Endless, "--", "logreg", "--data", folder.Data()]);
        slurm.UntilServerSays(job, "training begins");
        string urgent = slurm.Slurm("sbatch", "--parsable", "--partition=urgent", "--nodes=3", "--exclusive", "--wrap", "sleep 1").Trim();
        slurm.UntilServerSays(job, "ended (suspended)");
        slurm.Until(urgent, "COMPLETED");
        GoesOnAndEnds(job);
    }

    [Fact]
    public void Job_whose_time_is_over_makes_a_checkpoint_queues_itself_again_and_goes_on()
    {
        slurm.Need();
        using var folder = new TempFolder();
        string job = slurm.Submit(["--time=1", "--signal=TERM@50"], [.. Endless, "--", "logreg", "--data", folder.Data()]); // a minute is the least that Slurm knows
        slurm.UntilServerSays(job, "ended (suspended)");
        GoesOnAndEnds(job);
        Assert.Contains("the job is queued again", slurm.Log(job), StringComparison.Ordinal);
    }

    [Fact]
    public void Requeued_job_has_all_that_was_acknowledged()
    {
        slurm.Need();
        using var folder = new TempFolder();
        string job = slurm.Submit([], [.. Endless, "--monitor", "127.0.0.1:0", "--", "logreg", "--data", folder.Data()]);
        slurm.UntilServerSays(job, "training begins");
        string monitor = Monitor().Match(slurm.LogOf(job, "server-0")).Groups[1].Value;
        using RunningProgram status = RunningProgram.Run(Published.Launcher, slurm.Jobs, "status", monitor, "--json");
        using JsonDocument document = JsonDocument.Parse(status.Output);
        long before = document.RootElement.GetProperty("run").GetProperty("pushes").GetInt64();
        Assert.True(before > 0);
        slurm.Slurm("scontrol", "requeue", job); // Slurm kills what runs, within milliseconds of its SIGTERM
        slurm.UntilServerSays(job, "recovered from");
        Assert.True(Recovered(job) >= before, $"{Recovered(job)} pushes are there, and {before} were");
        EndsInOrder(job);
    }

    [Fact]
    public void Job_whose_node_dies_goes_on_on_other_nodes()
    {
        slurm.Need();
        using var folder = new TempFolder();
        string job = slurm.Submit(["--nodes=2", "--ntasks=5"], [.. Endless, "--", "logreg", "--data", folder.Data()]);
        slurm.UntilServerSays(job, "training begins");
        Assert.Equal("n[0-1]", slurm.Of(job, "NodeList"));
        slurm.Tell("kill 1");
        try
        {
            slurm.UntilServerSays(job, "recovered from");
            slurm.UntilServerSays(job, "takes the place of", 4);
            Assert.Equal("n[0,2]", slurm.Of(job, "NodeList"));
        }
        finally
        {
            slurm.Tell("start 1");
        }

        Eventually.Holds(() => slurm.Processes("hpaps-worker") == 4, () => $"{slurm.Processes("hpaps-worker")} workers are there, with those that lived on");
        EndsInOrder(job);
        Eventually.Holds(() => slurm.Slurm("sinfo", "--noheader", "--states=idle", "--format=%D").Trim() == "3", () => "the node did not come back");
    }

    /// <summary>After a checkpoint nothing is missing.</summary>
    private void GoesOnAndEnds(string job)
    {
        string suspended = Suspended().Match(slurm.LogOf(job, "server-0")).Groups[1].Value;
        slurm.UntilServerSays(job, "recovered from");
        Assert.Equal(long.Parse(suspended, CultureInfo.InvariantCulture), Recovered(job));
        Assert.Equal("1", slurm.Of(job, "Restarts"));
        EndsInOrder(job);
        Assert.True(Summary("run").GetProperty("pushes").GetInt64() > Recovered(job));
    }

    /// <summary>SIGINT ends a job in order, with its model.</summary>
    private void EndsInOrder(string job)
    {
        slurm.UntilServerSays(job, "takes the place of", 4);
        slurm.Slurm("scancel", "--signal=INT", job);
        slurm.Until(job, "COMPLETED");
        Assert.Equal("0:0", slurm.Of(job, "ExitCode"));
        Assert.Contains("ended (stopped)", slurm.Log(job), StringComparison.Ordinal);
        Assert.Equal(4, Summary("run").GetProperty("workers").GetInt32());
    }

    private long Recovered(string job) => long.Parse(Back().Match(slurm.LogOf(job, "server-0")).Groups[1].Value, CultureInfo.InvariantCulture);

    private JsonElement Summary(string run)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(slurm.Jobs, run, "summary.json")));
        return document.RootElement.Clone();
    }

    private static double Rmse(JsonElement summary) => summary.GetProperty("test_rmse").GetDouble();

    private string[] Names(string folder)
    {
        string[] names = Directory.GetFileSystemEntries(Path.Combine(slurm.Jobs, folder));
        for (int j = 0; j < names.Length; j++)
            names[j] = Path.GetFileName(names[j]);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    [GeneratedRegex(@"ended \(suspended\) .* (\d+) pushes")]
    private static partial Regex Suspended();

    [GeneratedRegex(@"recovered from .*: (\d+) pushes of 4 workers")]
    private static partial Regex Back();

    [GeneratedRegex(@"monitoring at (http://\S+)")]
    private static partial Regex Monitor();
}
