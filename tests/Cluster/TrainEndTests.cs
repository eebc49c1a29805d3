using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>How hpaps train ends when somebody ends it, or ends one of its processes.</summary>
[Collection(Alone.Name)]
public sealed class TrainEndTests
{
    private const int HangUp = 1;
    private const int Interrupt = 2;
    private const int KillSignal = 9;
    private const int Terminate = 15;
    private const int Workers = 3;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    [InlineData(HangUp)]
    public void Signal_in_training_saves_the_model(int signal)
    {
        Assert.SkipWhen(IsIgnored(signal), $"signal {signal} is ignored here, as SIGINT is in the background of a script and SIGHUP under nohup: programs inherit that");
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = StartLong(folder, data);
        UntilItTrains(train);
        train.Signal(signal);
        Assert.True(train.ExitCode(Soon) == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal("stopped", summary.RootElement.GetProperty("reason").GetString());
        Assert.True(summary.RootElement.GetProperty("pushes").GetInt64() > 0);
        ModelFolder model = ModelFolder.Read(folder.In("run"));
        Assert.NotNull(model.Description.Objective);

        using RunningProgram evaluate = RunningProgram.Run(Published.Launcher, folder.Path, "evaluate", "--model", "run", "--data", data, "--json");
        Assert.True(evaluate.ExitCode() == 0, evaluate.Errors);
        using JsonDocument quality = JsonDocument.Parse(evaluate.Output);
        Assert.Equal(model.Description.Objective.Value, quality.RootElement.GetProperty("objective").GetDouble(), 1e-9);
    }

    [Fact]
    public void Launcher_killed_leaves_no_process()
    {
        using var folder = new TempFolder();
        using RunningProgram train = StartLong(folder, folder.Data());
        Dictionary<int, string> children = UntilItTrains(train);
        train.Signal(KillSignal);
        train.ExitCode(Soon);
        foreach ((int id, string command) in children)
            Eventually.Holds(() => RunningProgram.IsGone(id), () => $"{command} ({id}) has survived the launcher");
    }

    [Fact]
    public void Launcher_killed_before_training_leaves_no_process()
    {
        using var folder = new TempFolder();
        using RunningProgram train = StartLong(folder, folder.Data());
        Dictionary<int, string> children = [];
        train.Until(() => (children = train.Children()).Count > 0, "it started a process");
        train.Signal(KillSignal);
        train.ExitCode(Soon);
        foreach ((int id, string command) in children)
            Eventually.Holds(() => RunningProgram.IsGone(id), () => $"{command} ({id}) has survived the launcher");
    }

    [Theory]
    [InlineData("--part 2/3", "worker 2")]
    [InlineData("hpaps-server", "server")]
    public void Process_killed_ends_all_and_is_named(string which, string name)
    {
        using var folder = new TempFolder();
        using RunningProgram train = StartLong(folder, folder.Data());
        Dictionary<int, string> children = UntilItTrains(train);
        int victim = 0;
        foreach ((int id, string command) in children)
        {
            if (command.Contains(which, StringComparison.Ordinal))
                victim = id;
        }

        Assert.NotEqual(0, victim);
        RunningProgram.Signal(victim, KillSignal);
        Assert.Equal(4, train.ExitCode(Soon));
        Assert.Contains($"{name} (pid {victim}) was killed by signal 9 (SIGKILL)", train.Errors, StringComparison.Ordinal);
        Assert.Equal("", train.Output);
        foreach ((int id, string command) in children)
            Assert.True(RunningProgram.IsGone(id), $"{command} ({id}) has survived");

        // The server saves what there is when it loses a worker; nobody can when the server is gone.
        Assert.Equal(name != "server", Directory.Exists(folder.In("run")));
        if (name != "server")
            Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
    }

    private static RunningProgram StartLong(TempFolder folder, string data) => RunningProgram.Start(Published.Launcher, folder.Path,
        "train", "logreg", "--data", data, "--workers", $"{Workers}", "--time-limit", "50", "--out", "run", "--json");

    /// <summary>Waits for the first line of progress; returns the processes.</summary>
    private static Dictionary<int, string> UntilItTrains(RunningProgram train)
    {
        train.Until(() => train.Errors.Contains(" pushes ", StringComparison.Ordinal), "it trained");
        Dictionary<int, string> children = train.Children();
        Assert.Equal(Workers + 1, children.Count);
        return children;
    }

    internal static bool InterruptIsIgnored() => IsIgnored(Interrupt);

    private static bool IsIgnored(int signal)
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("SigIgn:", StringComparison.Ordinal))
                return (ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber) & (1UL << (signal - 1))) != 0;
        }

        return false;
    }
}
