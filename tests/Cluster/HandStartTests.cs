using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Server and workers started one by one, without the launcher.</summary>
[Collection(Alone.Name)]
public sealed partial class HandStartTests
{
    private const string Objective = "0.333340752068716";

    [Theory]
    [InlineData("async")]
    [InlineData("bsp")]
    public void Processes_started_by_hand_reach_the_optimum(string policy)
    {
        string data = DataFolder.PathOf("a9a/a9a.svm.gz");
        using var folder = new TempFolder();
        var processes = new List<RunningProgram>();
        try
        {
            RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--workers", "4", "--policy", policy,
                "--target", "1e-3", "--reference", Objective, "--time-limit", "50", "--out", "run");
            processes.Add(server);
            server.Until(() => Address().IsMatch(server.Errors), "the server listened");
            string address = Address().Match(server.Errors).Groups[1].Value;
            for (int rank = 0; rank < 4; rank++)
            {
                processes.Add(RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--server", address, "--data", data, "--part", $"{rank}/4"));
            }

            foreach (RunningProgram process in processes)
                Assert.True(process.ExitCode() == 0, process.Errors);
        }
        finally
        {
            foreach (RunningProgram process in processes)
                process.Dispose();
        }

        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
        Assert.Equal("target", summary.RootElement.GetProperty("reason").GetString());
        Assert.InRange(summary.RootElement.GetProperty("relative_gap").GetDouble(), -1e-6, 1e-3);
        Assert.Equal(123, ModelFolder.Read(folder.In("run")).Weights.Length);
        Assert.StartsWith("hpaps-server --listen 127.0.0.1:0 --workers 4", summary.RootElement.GetProperty("command").GetString());
        Assert.Contains("<pre>hpaps-server --listen 127.0.0.1:0 --workers 4", File.ReadAllText(folder.In("run/report.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "", 1)]
    [InlineData(0, "", 3)]
    [InlineData(3, "+1 3:oops\n", 1)]
    [InlineData(3, "+1 3:oops\n", 2)]
    public void Script_for_one_host_trains_or_ends_with_the_workers_code(int code, string last, int servers)
    {
        _ = (Published.Server, Published.Worker);
        string script = Path.Combine(Repository.Root, "tools", "launch", "local.sh");
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run("/usr/bin/env", folder.Path, $"HPAPS_SERVERS={servers}", "/bin/bash", script, folder.Data(last: last), "3", "--passes", "20", "--out", "run", "--state", "state");
        Assert.True(run.ExitCode() == code, run.Errors);
        Assert.Equal(code == 0, Directory.Exists(folder.In("run")));
        for (int shard = 1; shard < servers; shard++)
            Assert.True(Directory.Exists(folder.In($"state/shard-{shard}")), "each server has a state of its own");
        if (code != 0)
        {
            Assert.Contains("tiny data.svm:301: ", run.Errors, StringComparison.Ordinal);
            return;
        }

        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        Assert.Equal(servers, run.Errors.Split("hpaps-server: ended (passes)").Length - 1);
        Assert.Equal(servers > 1, run.Errors.Contains($"are cut into {servers} shards", StringComparison.Ordinal));
        Assert.DoesNotContain("do not count", run.Errors, StringComparison.Ordinal); // what the first server alone decides, only it is given
    }

    [Fact]
    public void Script_finds_the_programs_of_an_archive_that_was_unpacked()
    {
        string bin = Path.GetDirectoryName(Published.Server)!;
        _ = Published.Worker;
        using var folder = new TempFolder();
        string launch = folder.In("hpaps/tools/launch");
        Directory.CreateDirectory(launch);
        foreach (string file in Directory.GetFiles(Path.Combine(Repository.Root, "tools", "launch")))
            File.Copy(file, Path.Combine(launch, Path.GetFileName(file)));
        using (RunningProgram none = Launch())
        {
            Assert.Equal(3, none.ExitCode());
            Assert.Contains("hpaps-server is missing", none.Errors, StringComparison.Ordinal);
        }

        Directory.CreateSymbolicLink(folder.In("hpaps/bin"), bin);
        using RunningProgram run = Launch();
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);

        RunningProgram Launch() => RunningProgram.Run("/usr/bin/env", folder.Path, "-u", "HPAPS_BIN", "/bin/bash", Path.Combine(launch, "local.sh"), folder.Data(), "2", "--passes", "20", "--out", "run");
    }

    [Theory]
    [InlineData(2, "HPAPS_SERVERS is '0'", "0")]
    [InlineData(2, "HPAPS_SERVERS is '65'", "65")]
    [InlineData(2, "HPAPS_SERVERS is 'two'", "two")]
    [InlineData(2, "Unrecognized command or argument '--bogus'", "2", "--bogus")]
    [InlineData(3, "The token file 'missing' cannot be read", "3", "--token-file", "missing")]
    public void Script_for_one_host_says_why_it_does_not_start_several_servers_and_leaves_none(int code, string says, string servers, params string[] more)
    {
        _ = (Published.Server, Published.Worker);
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run("/usr/bin/env", folder.Path,
            [$"HPAPS_SERVERS={servers}", "/bin/bash", Path.Combine(Repository.Root, "tools", "launch", "local.sh"), folder.Data(), "2", "--passes", "5", "--out", "run", .. more]);
        Assert.True(run.ExitCode() == code, run.Errors);
        Assert.Contains(says, run.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.In("run")));
    }

    /// <summary>The second server is killed while all train: the first can make no model without it, and says so.</summary>
    [Fact]
    public void Script_for_one_host_ends_when_a_server_after_the_first_does()
    {
        _ = (Published.Server, Published.Worker);
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Start("/usr/bin/env", folder.Path,
            "HPAPS_SERVERS=2", "/bin/bash", Path.Combine(Repository.Root, "tools", "launch", "local.sh"), folder.Data(), "2", "--passes", "1e7", "--out", "run");
        run.Until(() => run.Errors.Split("training begins").Length > 2, "both train");
        Dictionary<int, string> children = run.Children();
        foreach ((int id, string command) in children)
        {
            if (command.Contains("--shard 1/2", StringComparison.Ordinal))
                RunningProgram.Signal(id, 9);
        }

        Assert.True(run.ExitCode() == 4, run.Errors);
        DyingProcesses.AreGone(children);
        Assert.False(Directory.Exists(folder.In("run/model")));
    }

    [GeneratedRegex(@"listening at (\S+) for")]
    private static partial Regex Address();
}
