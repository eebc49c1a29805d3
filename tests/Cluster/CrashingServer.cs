using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using System.Threading;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>A server process that is killed and started again on the same state and address.</summary>
internal sealed partial class CrashingServer : IDisposable
{
    public const int Stop = 19;
    public const int Continue = 18;

    private readonly TempFolder _folder;
    private readonly string[] _arguments;
    private readonly List<RunningProgram> _lives = [];
    private RunningProgram _process;

    /// <param name="folder">Its state goes to a folder state in it.</param>
    /// <param name="address">Where it listens, life after life.</param>
    /// <param name="arguments">More of them.</param>
    public CrashingServer(TempFolder folder, string address, params string[] arguments)
    {
        _folder = folder;
        _arguments = ["--listen", address, "--state", "state", .. arguments];
        _process = Start();
    }

    /// <summary>The process that there is now, or was last.</summary>
    public RunningProgram Process => _process;

    public int Kills { get; private set; }

    /// <summary>Kills that found a checkpoint half written.</summary>
    public int KilledInCheckpoint { get; private set; }

    /// <summary>Whether a checkpoint is half written now.</summary>
    public bool WritesCheckpoint => Directory.Exists(Checkpoints) && Directory.GetFiles(Checkpoints, "*.partial").Length > 0;

    private string Checkpoints => _folder.In("state/checkpoints");

    public void Kill()
    {
        _process.Signal(DyingProcesses.Kill);
        _process.ExitCode();
        Kills++;
        KilledInCheckpoint += WritesCheckpoint ? 1 : 0;
    }

    public void StartAgain() => _process = Start();

    /// <summary>Where the ranks stood when this process began, as its log says.</summary>
    public PushedNumbers.Stand[] Stands(int workers)
    {
        _process.Until(() => Lines().Count(_process.Errors) >= workers, "it had said where all ranks stand");
        var stands = new PushedNumbers.Stand[workers];
        for (int rank = 0; rank < workers; rank++)
            stands[rank] = StandsIn(_process, rank)[0];
        return stands;
    }

    /// <summary>Where a rank stood whenever the server came back, or told the worker its vector anew, in order.</summary>
    public List<PushedNumbers.Stand> StandsOf(int rank)
    {
        List<PushedNumbers.Stand> stands = [];
        foreach (RunningProgram life in _lives)
            stands.AddRange(StandsIn(life, rank));
        return stands;
    }

    /// <summary>Stopped for so long.</summary>
    public void Pause(TimeSpan time)
    {
        _process.Signal(Stop);
        Thread.Sleep(time);
        _process.Signal(Continue);
    }

    public void Dispose() => _process.Dispose();

    private RunningProgram Start()
    {
        RunningProgram started = RunningProgram.Start(Published.Server, _folder.Path, _arguments);
        _lives.Add(started);
        started.Until(() => started.Errors.Contains("listening at", StringComparison.Ordinal), "the server listened");
        return started;
    }

    private static List<PushedNumbers.Stand> StandsIn(RunningProgram life, int rank)
    {
        List<PushedNumbers.Stand> stands = [];
        foreach (Match line in Lines().Matches(life.Errors))
        {
            if (Number(line, 1) == rank)
                stands.Add(new PushedNumbers.Stand((ulong)Number(line, 4), (ulong)Number(line, 2), Number(line, 3)));
        }

        return stands;
    }

    private static int Number(Match line, int group) => int.Parse(line.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"rank (\d+) stands at push (\d+), key (\d+), generation (\d+)\n")]
    private static partial Regex Lines();
}
