using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>--log-format json: each line of standard error is an object.</summary>
[Collection(Alone.Name)]
public sealed class JsonLogTests
{
    [Fact]
    public void Lost_worker_is_a_warning_with_its_rank()
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--on-worker-loss", "keep", "--time-limit", "5", "--log-format", "json");
        DyingProcesses.UntilItTrains(train);
        int victim = DyingProcesses.Find(train, DyingProcesses.Worker1);
        RunningProgram.Signal(victim, DyingProcesses.Kill);
        Assert.True(train.ExitCode() == 0, train.Errors);
        List<Line> lines = Lines(train.Errors);
        Assert.Contains(lines, one => one is { Program: "hpaps-server", Level: "info", Rank: null } && one.Message.Contains("training begins", StringComparison.Ordinal));
        Assert.Contains(lines, one => one is { Program: "hpaps-server", Level: "info", Rank: 2 } && one.Message.Contains("joined with weight", StringComparison.Ordinal));
        Assert.Contains(lines, one => one is { Program: "hpaps-server", Level: "warning", Rank: 1 } && one.Message.Contains("was lost: ", StringComparison.Ordinal));
        Assert.Contains(lines, one => one is { Program: "hpaps", Level: "warning" } && one.Message.StartsWith($"worker 1 (pid {victim}) was killed by signal 9", StringComparison.Ordinal));
        Assert.Contains(lines, static one => one is { Program: "hpaps", Level: "info" } && one.Message.Contains(" passes, objective", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, static one => one.Level == "error");
        using JsonDocument summary = JsonDocument.Parse(train.Output); // standard output is as it was
    }

    [Fact]
    public void Ends_are_errors_and_the_reason_is_text()
    {
        using var folder = new TempFolder();
        string data = folder.Data(last: "+1 1:x\n");
        using RunningProgram train = RunningProgram.Run("/usr/bin/env", folder.Path, "HPAPS_LOG_FORMAT=json", Published.Launcher, "train", "logreg", "--data", data, "--workers", "1");
        Assert.Equal(3, train.ExitCode());
        List<Line> lines = Lines(train.Errors);
        Line worker = lines.Find(static one => one is { Program: "hpaps-worker", Level: "error" })!;
        Assert.Equal(0, worker.Rank);
        Assert.Equal(worker.Message, lines[^1].Message);
        Assert.Equal(("hpaps", "error"), (lines[^1].Program, lines[^1].Level));

        using RunningProgram usage = RunningProgram.Run(Published.Server, folder.Path, "--log-format", "json", "--workers", "0");
        Assert.Equal(2, usage.ExitCode());
        Assert.Equal("--workers must be 1 to 4096; it is 0.", Lines(usage.Errors)[0].Message);
        using RunningProgram format = RunningProgram.Run(Published.Server, folder.Path, "--log-format", "xml");
        Assert.Equal(2, format.ExitCode());
        Assert.Contains("--log-format must be text or json; it is 'xml'.", format.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_printed_as_text_is_an_object_too()
    {
        using var folder = new TempFolder();
        using RunningProgram generate = RunningProgram.Run(Published.Launcher, folder.Path, "generate", "ratings", "--ratings", "2000", "--out", "r.csv", "--log-format=json");
        Assert.True(generate.ExitCode() == 0, generate.Errors);
        Assert.True(Lines(generate.Errors).Count > 3, generate.Errors);
    }

    private static List<Line> Lines(string errors)
    {
        var all = new List<Line>();
        foreach (string text in errors.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement line = document.RootElement;
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", line.GetProperty("time").GetString());
            DateTimeOffset time = DateTimeOffset.Parse(line.GetProperty("time").GetString()!, CultureInfo.InvariantCulture);
            Assert.InRange(time, DateTimeOffset.UtcNow.AddMinutes(-10), DateTimeOffset.UtcNow.AddMinutes(1));
            string level = line.GetProperty("level").GetString()!;
            Assert.Contains(level, new[] { "info", "warning", "error" });
            all.Add(new Line(line.GetProperty("program").GetString()!, level, line.TryGetProperty("rank", out JsonElement rank) ? rank.GetInt32() : null, line.GetProperty("message").GetString()!));
        }

        return all;
    }

    private sealed record Line(string Program, string Level, int? Rank, string Message);
}
