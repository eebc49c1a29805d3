using System;
using System.IO;
using HpAsyncPs.Tests.Packaging;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps launch slurm: the script that it writes, and what it refuses. SlurmTests submits one.</summary>
public sealed class LaunchCommandTests
{
    private const string Seam = "# ---- from here on the same in each job ----\n";

    private static readonly string SbatchFile = Path.Combine(Repository.Root, "tools", "launch", "hpaps.sbatch");

    [Fact]
    public void Script_has_the_job_that_was_asked_for_and_below_it_the_one_of_the_tools()
    {
        using var folder = new TempFolder();
        using RunningProgram launch = Launch(folder, "logreg", "--nodes", "4", "--workers", "9", "--cpus-per-worker", "2", "--time", "1-02:00:00", "--signal-before", "90", "--partition", "batch", "--account", "lab-7",
            "--job-name", "first.try", "--sbatch=--mem-per-cpu=2G", "--sbatch=--qos=high", "--stage", "/local/it's here", "--bin", "/opt/hpaps", "--restarts", "3", "--data", "my rows.svm", "--l2", "0.01", "--passes", "70",
            "--policy", "ssp:3", "--seed", "5", "--out", "run $(id)", "--script", "job.sbatch");
        Assert.True(launch.ExitCode() == 0, launch.Errors);
        Assert.Equal("", launch.Output);
        Assert.Contains("sbatch job.sbatch", launch.Errors, StringComparison.Ordinal);
        string script = File.ReadAllText(folder.In("job.sbatch"));
        int at = script.IndexOf(Seam, StringComparison.Ordinal);
        string head = script[..at];
        foreach (string line in (string[])["--job-name=first.try", "--nodes=4", "--ntasks=10", "--cpus-per-task=2", "--time=1-02:00:00", "--signal=TERM@90", "--partition=batch", "--account=lab-7", "--requeue",
            "--open-mode=append", "--mem-per-cpu=2G", "--qos=high"])
            Assert.Contains($"\n#SBATCH {line}\n", head, StringComparison.Ordinal);
        foreach (string line in (string[])["bin=/opt/hpaps", "servers=1", "stage='/local/it'\\''s here'", "requeue=1", "restarts=3"])
            Assert.Contains($"\n{line}\n", head, StringComparison.Ordinal);
        Assert.Contains("\nset -- --policy ssp:3 --codec auto --join-timeout 120 --out 'run $(id)' --passes 70 \\\n  -- logreg --data 'my rows.svm' --seed 5 --start-timeout 120 --l2 0.01 ", head, StringComparison.Ordinal);
        string tools = File.ReadAllText(SbatchFile);
        Assert.Equal(tools[tools.IndexOf(Seam, StringComparison.Ordinal)..], script[at..]);
        using RunningProgram syntax = RunningProgram.Run("/bin/bash", folder.Path, "-n", "job.sbatch");
        Assert.True(syntax.ExitCode() == 0, syntax.Errors);
    }

    [Fact]
    public void Standard_output_has_the_script_alone_and_it_passes_shellcheck()
    {
        using var folder = new TempFolder();
        using RunningProgram launch = Launch(folder, "mf", "--nodes", "2", "--time", "30", "--no-requeue", "--holdout", "0.1", "--data", "ratings.csv", "--out", "run");
        Assert.True(launch.ExitCode() == 0, launch.Errors);
        Assert.Equal("", launch.Errors);
        Assert.StartsWith("#!/usr/bin/env bash\n#SBATCH ", launch.Output, StringComparison.Ordinal);
        Assert.Contains("\n#SBATCH --no-requeue\n", launch.Output, StringComparison.Ordinal);
        Assert.Contains("\nrequeue=0\n", launch.Output, StringComparison.Ordinal);
        Assert.Contains("\n#SBATCH --ntasks=3\n", launch.Output, StringComparison.Ordinal);
        Assert.Contains(" --out run --passes 40 ", launch.Output, StringComparison.Ordinal);
        Assert.Contains(" --holdout 0.1 --out run/model\n", launch.Output, StringComparison.Ordinal);
        string? shellcheck = Tools.Find("shellcheck");
        Assert.SkipUnless(shellcheck is not null, "shellcheck is not there: apt-get install shellcheck");
        File.WriteAllText(folder.In("job.sbatch"), launch.Output);
        using RunningProgram check = RunningProgram.Run(shellcheck, folder.Path, "job.sbatch");
        Assert.True(check.ExitCode() == 0, check.Output);
    }

    [Theory]
    [InlineData(2, "would have nothing to do", "--nodes", "5", "--workers", "3")]
    [InlineData(2, "contradict each other", "--nodes", "1", "--no-requeue", "--restarts", "2")]
    [InlineData(2, "nothing would be left to train in", "--nodes", "1", "--time", "1")]
    [InlineData(2, "do not fit in --time 10", "--nodes", "1", "--time", "10", "--time-limit", "550")]
    [InlineData(2, "--signal-before needs --time", "--nodes", "1", "--signal-before", "30")]
    [InlineData(2, "is no time of Slurm", "--nodes", "1", "--time", "1h")]
    [InlineData(2, "the script says --ntasks itself", "--nodes", "1", "--sbatch=--ntasks=9")]
    [InlineData(2, "is no flag of sbatch", "--nodes", "1", "--sbatch", "--mem=2G\nrm -rf x")]
    [InlineData(2, "is no name", "--nodes", "1", "--partition", "a b")]
    [InlineData(2, "must begin with /", "--nodes", "1", "--stage", "tmp")]
    [InlineData(2, "--target needs --reference", "--nodes", "1", "--target", "0.1")]
    [InlineData(2, "--restart", "--nodes", "1", "--restart", "on-failure:3")]
    [InlineData(3, "exists already", "--nodes", "1", "--script", "tiny data.svm")]
    public void What_contradicts_itself_is_refused(int code, string why, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram launch = Launch(folder, ["logreg", "--data", folder.Data(), "--out", "run", .. arguments]);
        Assert.True(launch.ExitCode() == code, launch.Errors);
        Assert.Contains(why, launch.Errors, StringComparison.Ordinal);
        Assert.Equal("", launch.Output);
    }

    [Fact]
    public void Results_need_a_folder()
    {
        using var folder = new TempFolder();
        using RunningProgram launch = Launch(folder, "logreg", "--data", folder.Data(), "--nodes", "1");
        Assert.Equal(2, launch.ExitCode());
        Assert.Contains("--out is needed", launch.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("this is for sbatch", "", "3", "--", "logreg", "--data", "x")]
    [InlineData("give --ntasks", "7", "", "--", "logreg", "--data", "x")]
    [InlineData("there is no worker", "7", "1", "--", "logreg", "--data", "x")]
    [InlineData("'-- TASK'", "7", "3", "--passes", "5")]
    public void Script_of_the_tools_says_how_it_is_used(string why, string job, string tasks, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run("/usr/bin/env", folder.Path, ["-u", "SLURM_JOB_ID", "-u", "SLURM_NTASKS", .. job.Length > 0 ? (string[])[$"SLURM_JOB_ID={job}"] : [], .. tasks.Length > 0 ? (string[])[$"SLURM_NTASKS={tasks}"] : [],
            "/bin/bash", SbatchFile, .. arguments]);
        Assert.Equal(2, run.ExitCode());
        Assert.Contains(why, run.Errors, StringComparison.Ordinal);
        Assert.Empty(folder.Entries());
    }

    /// <summary>A job is queued again when each of its servers has ended with its state on disk, and not when one has failed, or keeps none.</summary>
    [Theory]
    [InlineData(true, 1, "0", "journal")]
    [InlineData(false, 1, "4", "journal")]
    [InlineData(false, 1, "0", "")]
    [InlineData(true, 2, "0 0", "journal shard-1/journal")]
    [InlineData(false, 2, "0", "journal shard-1/journal")]
    [InlineData(false, 2, "0 4", "journal shard-1/journal")]
    [InlineData(false, 2, "4 0", "journal shard-1/journal")]
    [InlineData(false, 2, "0 0", "journal")]
    [InlineData(false, 2, "0 0", "shard-1/journal")]
    public void Job_is_suspended_when_all_of_its_servers_are(bool isSuspended, int servers, string codes, string journals)
    {
        using var folder = new TempFolder();
        string text = File.ReadAllText(SbatchFile);
        int begin = text.IndexOf("is_suspended() {\n", StringComparison.Ordinal), end = text.IndexOf("\n}\n", begin, StringComparison.Ordinal) + 3;
        string[] ended = codes.Split(' ');
        for (int j = 0; j < ended.Length; j++)
            File.WriteAllText(folder.In($"exit.server-{j}"), ended[j] + "\n");
        foreach (string journal in journals.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            Directory.CreateDirectory(folder.In($"state/{journal}"));
            File.WriteAllText(folder.In($"state/{journal}/1"), "x");
        }

        string script = $"set -euo pipefail\nfolder=$PWD kept=$PWD/state servers={servers}\n{text[begin..end]}if is_suspended; then echo suspended; fi";
        using RunningProgram run = RunningProgram.Run("/bin/bash", folder.Path, "-c", script);
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.Equal(isSuspended ? "suspended\n" : "", run.Output);
    }

    private static RunningProgram Launch(TempFolder folder, params string[] arguments) => RunningProgram.Run(Published.Launcher, folder.Path, ["launch", "slurm", .. arguments]);
}
