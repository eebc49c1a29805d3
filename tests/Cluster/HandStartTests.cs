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
        Assert.InRange(summary.RootElement.GetProperty("relative_gap").GetDouble(), 0, 1e-3);
        Assert.Equal(123, ModelFolder.Read(folder.In("run")).Weights.Length);
        Assert.StartsWith("hpaps-server --listen 127.0.0.1:0 --workers 4", summary.RootElement.GetProperty("command").GetString());
        Assert.Contains("<pre>hpaps-server --listen 127.0.0.1:0 --workers 4", File.ReadAllText(folder.In("run/report.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(3, "+1 3:oops\n")]
    public void Script_for_one_host_trains_or_ends_with_the_workers_code(int code, string last)
    {
        _ = (Published.Server, Published.Worker);
        string script = Path.Combine(Repository.Root, "tools", "launch", "local.sh");
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run("/bin/bash", folder.Path, script, folder.Data(last: last), "3", "--passes", "20", "--out", "run");
        Assert.True(run.ExitCode() == code, run.Errors);
        Assert.Equal(code == 0, Directory.Exists(folder.In("run")));
        if (code == 0)
            Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        else
            Assert.Contains("tiny data.svm:301: ", run.Errors, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"listening at (\S+) for")]
    private static partial Regex Address();
}
