using System;
using System.IO;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Jobs of two servers in a real Slurm of three nodes.</summary>
/// <param name="slurm">It.</param>
[Collection(Alone.Name)]
public sealed class SlurmServersTests(SlurmCluster slurm) : IClassFixture<SlurmCluster>
{
    [Fact]
    public void Two_servers_and_four_workers_train_to_the_error_of_a_run_on_one_host()
    {
        slurm.Need();
        string data = DataFolder.PathOf("ml-latest-small/ratings.csv");
        string[] train = ["mf", "--data", data, "--holdout", "0.1", "--rank", "8", "--passes", "40", "--seed", "1", "--policy", "bsp", "--codec", "fp32"];
        using RunningProgram local = RunningProgram.Run(Published.Launcher, slurm.Jobs, ["train", .. train, "--workers", "4", "--out", "local"]);
        Assert.True(local.ExitCode() == 0, local.Errors);
        using RunningProgram launch = RunningProgram.Run("/usr/bin/env", slurm.Jobs,
            [$"HPAPS_BIN={Path.GetDirectoryName(Published.Server)}", Published.Launcher, "launch", "slurm", .. train, "--nodes", "3", "--workers", "4", "--servers", "2", "--time", "5", "--out", "launched", "--script", "job.sbatch"]);
        Assert.True(launch.ExitCode() == 0, launch.Errors);
        string job = slurm.Slurm("sbatch", "--parsable", "job.sbatch").Trim();
        slurm.Until(job, "COMPLETED");
        Assert.Equal("0:0", slurm.Of(job, "ExitCode"));
        Assert.Contains("are cut into 2 shards", slurm.LogOf(job, "server-0"), StringComparison.Ordinal);
        Assert.Contains("ended (passes)", slurm.LogOf(job, "server-1"), StringComparison.Ordinal);

        // The last vector of a shard may be a round older or younger than that of the other.
        Assert.Equal(Rmse("local"), Rmse("launched"), 2e-3);
        using RunningProgram evaluate = RunningProgram.Run(Published.Launcher, slurm.Jobs, "evaluate", "--model", "launched", "--data", data);
        Assert.True(evaluate.ExitCode() == 0, evaluate.Errors);
    }

    [Fact]
    public void Job_of_two_servers_that_is_requeued_goes_on_at_both()
    {
        slurm.Need();
        using var folder = new TempFolder();
        string job = slurm.Slurm("/usr/bin/env", "HPAPS_SERVERS=2", $"HPAPS_BIN={Path.GetDirectoryName(Published.Server)}", "sbatch", "--parsable", "--nodes=3", "--ntasks=6",
            Path.Combine(Repository.Root, "tools", "launch", "hpaps.sbatch"), "--passes", "1e7", "--out", "run", "--", "logreg", "--data", folder.Data()).Trim();
        slurm.UntilServerSays(job, "training begins");
        slurm.Until(job, () => slurm.LogOf(job, "server-1").Contains("training begins", StringComparison.Ordinal), "the second server trains");
        slurm.Slurm("scontrol", "requeue", job);
        slurm.UntilServerSays(job, "recovered from");
        slurm.Until(job, () => slurm.LogOf(job, "server-1").Contains("recovered from", StringComparison.Ordinal), "the second server goes on from its state");
        slurm.UntilServerSays(job, "takes the place of", 4);
        slurm.Until(job, () => slurm.LogOf(job, "server-1").Split("takes the place of").Length > 4, "the workers are at the second server");
        slurm.Slurm("scancel", "--signal=INT", job);
        slurm.Until(job, "COMPLETED");
        Assert.Equal("0:0", slurm.Of(job, "ExitCode"));
        Assert.Contains("ended (stopped)", slurm.LogOf(job, "server-0"), StringComparison.Ordinal);
        Assert.Contains("ended (stopped)", slurm.LogOf(job, "server-1"), StringComparison.Ordinal);
        using JsonDocument summary = Summary("run");
        Assert.Equal(4, summary.RootElement.GetProperty("workers").GetInt32());
    }

    [Fact]
    public void Job_goes_on_with_other_numbers_of_servers_and_workers()
    {
        slurm.Need();
        using var folder = new TempFolder();
        string[] flags = ["--", "logreg", "--data", folder.Data(), "--l2", "1e-3"];
        string script = Path.Combine(Repository.Root, "tools", "launch", "hpaps.sbatch"), bin = $"HPAPS_BIN={Path.GetDirectoryName(Published.Server)}";
        string first = slurm.Slurm("/usr/bin/env", ["HPAPS_RESTARTS=0", bin, "sbatch", "--parsable", "--nodes=3", "--ntasks=3", script, "--passes", "1e7", "--out", "first", .. flags]).Trim();
        slurm.UntilServerSays(first, "training begins");
        slurm.Slurm("scancel", "--signal=TERM", first);
        slurm.Until(first, "FAILED"); // it may not start itself again: the state stays
        string state = Path.Combine(slurm.Jobs, $"hpaps-{first}", "state");
        string later = slurm.Slurm("/usr/bin/env", ["HPAPS_SERVERS=2", bin, "sbatch", "--parsable", "--nodes=3", "--ntasks=5", script, "--state", state, "--passes", "1e7", "--out", "later", .. flags]).Trim();
        slurm.UntilServerSays(later, "it goes on from what they had reached");
        slurm.UntilServerSays(later, "each worker has pushed once");
        slurm.Until(later, () => slurm.LogOf(later, "server-1").Contains("each worker has pushed once", StringComparison.Ordinal), "the second server goes on");
        slurm.Slurm("scancel", "--signal=INT", later);
        slurm.Until(later, "COMPLETED");
        using JsonDocument summary = Summary("later");
        Assert.Equal(3, summary.RootElement.GetProperty("workers").GetInt32());
        Assert.Single(Directory.GetDirectories(Path.GetDirectoryName(state)!, "state.of-1-*"));
    }

    private double Rmse(string run)
    {
        using JsonDocument summary = Summary(run);
        return summary.RootElement.GetProperty("test_rmse").GetDouble();
    }

    private JsonDocument Summary(string run) => JsonDocument.Parse(File.ReadAllText(Path.Combine(slurm.Jobs, run, "summary.json")));
}
