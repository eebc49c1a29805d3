using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Threading;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Training over a cable that is pulled, or loses packets, or is slow: it ends in order, at the optimum.</summary>
[Collection(Alone.Name)]
public sealed class NetworkTests(Namespaces cable) : IClassFixture<Namespaces>
{
    private const int Workers = 2;
    private const string L2 = "1e-3";
    private const double MostGap = 1e-5;
    private const int Interrupt = 2;

    private static readonly TimeSpan Before = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(8);

    [Theory]
    [InlineData("async", 1, false)]
    [InlineData("bsp", 1, false)]
    [InlineData("auto", 1, false)]
    [InlineData("async", 30, true)] // the workers are lost, and return
    public void Cable_that_was_pulled(string policy, int seconds, bool isLong) => Trains(
        policy,
        () => { },
        server =>
        {
            cable.Plug(isIn: false);
            Thread.Sleep(TimeSpan.FromSeconds(seconds));
            Assert.Equal(isLong, server.Errors.Contains("The job holds for 60 s", StringComparison.Ordinal));
            cable.Plug(isIn: true);
            if (isLong)
                server.Until(() => Returned(server) >= Workers, "the workers returned");
            Thread.Sleep(isLong ? Long : Long / 2); // what was lost is sent again after pauses that have grown
        });

    [Theory]
    [InlineData("async", 1)]
    [InlineData("bsp", 10)]
    [InlineData("async", 10)]
    public void Cable_that_loses_packets(string policy, int percent) => Trains(policy, () => cable.Lose(percent), _ => Thread.Sleep(Long));

    [Fact]
    public void Cable_that_is_slow() => Trains("async", () => cable.Slow("10mbit"), _ => Thread.Sleep(Long));

    /// <summary>Trains with a cable that is as it is from the beginning to the end of all, or something happens to it in the midst.</summary>
    private void Trains(string policy, Action before, Action<RunningProgram> happens)
    {
        cable.Need();
        using var folder = new TempFolder();
        using RunningProgram generate = RunningProgram.Run(Published.Launcher, folder.Path, "generate", "classification", "--rows", "4000", "--features", "200",
            "--density", "0.2", "--condition", "20", "--out", "train.svm");
        Assert.True(generate.ExitCode() == 0, generate.Errors);
        double best = DyingProcesses.Optimum(folder.In("train.svm"));
        File.WriteAllText(folder.In("token"), "0123456789abcdef0123456789abcdef");
        File.SetUnixFileMode(folder.In("token"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var processes = new List<RunningProgram>();
        try
        {
            before();
            RunningProgram server = Namespaces.Start(atServer: true, Published.Server, folder.Path, "--listen", $"{Namespaces.Address}:7070", "--workers", $"{Workers}",
                "--policy", policy, "--token-file", "token", "--liveness-timeout", "2", "--rejoin-timeout", "60", "--out", "run");
            processes.Add(server);
            server.Until(() => server.Errors.Contains("listening at", StringComparison.Ordinal), "it listened");
            for (int rank = 0; rank < Workers; rank++)
            {
                processes.Add(Namespaces.Start(atServer: false, Published.Worker, folder.Path, "logreg", "--server", $"{Namespaces.Address}:7070", "--token-file", "token",
                    "--data", "train.svm", "--l2", L2, "--part", $"{rank}/{Workers}", "--liveness-timeout", "2"));
            }

            server.Until(() => server.Errors.Contains("training begins", StringComparison.Ordinal), "it trained");
            Thread.Sleep(Before); // far from the optimum
            happens(server);
            server.Signal(Interrupt);
            foreach (RunningProgram process in processes)
                Assert.True(process.ExitCode() == 0, process.Errors);
        }
        finally
        {
            foreach (RunningProgram process in processes)
                process.Dispose();
            cable.Mend();
        }

        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
        Assert.Equal("stopped", summary.RootElement.GetProperty("reason").GetString());
        double gap = (summary.RootElement.GetProperty("objective").GetDouble() - best) / best;
        TestContext.Current.SendDiagnosticMessage($"{summary.RootElement.GetProperty("pushes").GetInt64()} pushes, relative gap {gap:0.##e+0}");
        Assert.InRange(gap, -1e-6, MostGap);
    }

    private static int Returned(RunningProgram server) => server.Errors.Split(" is back").Length - 1;
}
