using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Threading;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Training in which each second a process is killed and started again, or stopped for longer than the others wait for it.</summary>
[Collection(Alone.Name)]
public sealed class FaultyTrainingTests : IDisposable
{
    private const int Workers = DyingProcesses.Workers;
    private const int Interrupt = 2;
    private const int Faults = 15;

    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(8);

    private readonly TempFolder _folder = new();
    private readonly RunningProgram?[] _processes = new RunningProgram?[Workers + 1]; // the server is the last
    private readonly List<RunningProgram> _dead = [];
    private readonly Dictionary<int, TimeSpan> _stopped = []; // which, and until when
    private string _data = "";

    [Fact]
    public void A_fault_every_second_leads_to_the_same_optimum()
    {
        Assert.SkipWhen(TrainEndTests.InterruptIsIgnored(), "SIGINT is ignored here, as in the background of a script: programs inherit that");
        _data = Generate();
        double best = DyingProcesses.Optimum(_data);
        for (int which = Workers; which >= 0; which--)
            Start(which);
        RunningProgram server = _processes[Workers]!;
        server.Until(() => server.Errors.Contains("training begins", StringComparison.Ordinal), "it trained");

        var random = new Random(11);
        int[] counts = new int[3];
        for (int fault = 0; fault < Faults; fault++)
        {
            Thread.Sleep(Between);
            GoOn(Between * fault);
            int kind = random.Next(3);
            int which = kind == 0 ? Workers : random.Next(Workers + (kind == 1 ? 0 : 1));
            counts[kind]++;
            if (kind < 2)
                KillAndStartAgain(which);
            else if (_stopped.TryAdd(which, (Between * fault) + Pause))
                _processes[which]!.Signal(CrashingServer.Stop);
        }

        for (int which = 0; which <= Workers; which++)
            GoOn(which);
        Thread.Sleep(Quiet);
        _processes[Workers]!.Signal(Interrupt);
        foreach (RunningProgram? process in _processes)
            Assert.True(process!.ExitCode() == 0, process.Errors + string.Join("\n--\n", _dead.ConvertAll(dead => dead.Errors)));

        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(_folder.In("run/summary.json")));
        double gap = (summary.RootElement.GetProperty("objective").GetDouble() - best) / best;
        TestContext.Current.SendDiagnosticMessage(
            $"server killed {counts[0]} times, workers {counts[1]}, stopped {counts[2]}; {summary.RootElement.GetProperty("pushes").GetInt64()} pushes, relative gap {gap:0.##e+0}");
        Assert.InRange(gap, -1e-6, 1e-6);
    }

    public void Dispose()
    {
        foreach (RunningProgram? process in (RunningProgram?[])[.. _processes, .. _dead])
            process?.Dispose();
        _folder.Dispose();
    }

    private string Generate()
    {
        using RunningProgram generate = RunningProgram.Run(Published.Launcher, _folder.Path, "generate", "classification", "--rows", "4000", "--features", "100",
            "--density", "0.2", "--condition", "20", "--out", "train.svm");
        Assert.True(generate.ExitCode() == 0, generate.Errors);
        return _folder.In("train.svm");
    }

    private void Start(int which)
    {
        string address = $"unix:{_folder.In("socket")}";
        _processes[which] = which == Workers
            ? RunningProgram.Start(Published.Server, _folder.Path, "--listen", address, "--workers", $"{Workers}", "--state", "state", "--durability", "interval:100",
                "--checkpoint-interval", "0.5", "--liveness-timeout", "2", "--on-worker-loss", "wait", "--out", "run")
            : RunningProgram.Start(Published.Worker, _folder.Path, "logreg", "--server", address, "--data", _data, "--l2", DyingProcesses.L2,
                "--part", $"{which}/{Workers}", "--liveness-timeout", "2");
    }

    private void KillAndStartAgain(int which)
    {
        RunningProgram victim = _processes[which]!;
        Assert.False(victim.HasExited, $"it has ended by itself: {victim.Errors}");
        victim.Signal(DyingProcesses.Kill);
        victim.ExitCode();
        _stopped.Remove(which);
        _dead.Add(victim);
        Start(which);
    }

    private void GoOn(TimeSpan now)
    {
        foreach ((int which, TimeSpan until) in new Dictionary<int, TimeSpan>(_stopped))
        {
            if (until <= now)
                GoOn(which);
        }
    }

    private void GoOn(int which)
    {
        if (_stopped.Remove(which))
            _processes[which]!.Signal(CrashingServer.Continue);
    }
}
