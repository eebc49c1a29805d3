using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>As much as one machine is asked for: many processes, and many connections.</summary>
[Collection(Alone.Name)]
public sealed class ScaleTests(ITestOutputHelper output)
{
    private const string Objective = "0.333340752068716"; // of a9a with l2 1e-3, by Newton's method
    private static readonly TimeSpan Enough = TimeSpan.FromMinutes(4);

    [Fact]
    public void Eight_servers_and_64_workers_end_at_the_optimum_and_none_is_left()
    {
        const int servers = 8, workers = 64;
        string data = DataFolder.PathOf("a9a/a9a.svm.gz");
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Start(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--l2", "1e-3", "--workers", $"{workers}", "--servers", $"{servers}",
            "--target", "1e-4", "--reference", Objective, "--time-limit", "120", "--liveness-timeout", "60", "--out", "run", "--json");
        Dictionary<int, string> children = [];
        train.Until(() => (children = train.Children()).Count == servers + workers, "all processes were there");
        Assert.True(train.ExitCode(Enough) == 0, train.Errors);
        DyingProcesses.AreGone(children);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        JsonElement root = summary.RootElement;
        output.WriteLine($"{root.GetProperty("wall_seconds").GetDouble():0.0} s in all, {root.GetProperty("train_seconds").GetDouble():0.0} s of training, {root.GetProperty("pushes").GetInt64()} pushes");
        Assert.Equal(("target", workers, servers), (root.GetProperty("reason").GetString(), root.GetProperty("workers").GetInt32(), root.GetProperty("servers").GetInt32()));
        Assert.InRange(root.GetProperty("relative_gap").GetDouble(), -1e-6, 1e-4);
        Assert.Empty(root.GetProperty("lost_workers").EnumerateArray());
        Assert.Equal(123, ModelFolder.Read(folder.In("run")).Weights.Length);
    }

    /// <summary>The native server, with its limits for strangers as they are: a thousand show their token at once, and then each pushes now and then.</summary>
    [Fact]
    public void Thousand_light_workers_are_all_admitted_by_the_server_and_each_pushes()
    {
        const int workers = 1000;
        using var folder = new TempFolder();
        string token = folder.In("token");
        File.WriteAllText(token, "correct horse battery staple\n");
        File.SetUnixFileMode(token, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--plain", "--policy", "asp:sum", "--workers", $"{workers}", "--token-file", token, "--liveness-timeout", "60");
        string? address = null;
        server.Until(() => (address = SeveralServersTests.Listening(server.Errors)) is not null, "it listened");
        using RunningProgram crowd = RunningProgram.Start(Published.Launcher, folder.Path, "stress-idle", "--server", address!, "--path", "sum", "--bytes", "256", "--connections", $"{workers}", "--rate", "1", "--token-file", token);
        crowd.Until(() => Number(crowd.Output, "least_pushes") >= 3, "each had pushed three times");
        crowd.Say("leave");
        Assert.True(crowd.ExitCode() == 0, crowd.Errors);
        Assert.True(server.ExitCode() == 0, server.Errors);
        output.WriteLine(crowd.Output.Split('\n')[0]);
        output.WriteLine($"pushes of one worker: {Number(crowd.Output, "least_pushes")} to {Number(crowd.Output, "most_pushes")}");
        Assert.Equal(workers, Number(crowd.Output, "connections"));
        Assert.DoesNotContain("refused", server.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("lost", server.Errors, StringComparison.Ordinal);
        Assert.Contains($" {Number(crowd.Output, "pushes")} pushes,", server.Errors, StringComparison.Ordinal); // each of them once
    }

    /// <summary>What the last line with this key says; -1: none has it.</summary>
    private static long Number(string lines, string key)
    {
        long number = -1;
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!line.EndsWith('}'))
                continue; // not whole yet
            using JsonDocument one = JsonDocument.Parse(line);
            if (one.RootElement.TryGetProperty(key, out JsonElement value))
                number = value.GetInt64();
        }

        return number;
    }
}
