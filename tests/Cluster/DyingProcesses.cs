using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Tests.Learning;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Runs whose processes are killed, and what they are judged by.</summary>
internal static class DyingProcesses
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Workers = 3;
    public const string L2 = "1e-3";

    /// <summary>Part of the command line of a process.</summary>
    public const string Server = "hpaps-server", Worker1 = "--part 1/3";

    /// <summary>Starts hpaps train logreg with three workers.</summary>
    public static RunningProgram Train(TempFolder folder, string data, params string[] more) => RunningProgram.Start(Published.Launcher, folder.Path,
        ["train", "logreg", "--data", data, "--l2", L2, "--workers", $"{Workers}", "--out", "run", "--json", .. more]);

    /// <summary>The optimum of the data, in double precision.</summary>
    public static double Optimum(string data, double l2 = 1e-3)
    {
        SparseRows rows = LibsvmReader.Read(data, RowPart.All, TestContext.Current.CancellationToken);
        return NewtonReference.Solve(rows, BinaryLabels.Of(rows).Signs(rows), l2).Objective;
    }

    /// <summary>Waits for the first line of progress.</summary>
    public static void UntilItTrains(RunningProgram train) =>
        train.Until(() => train.Errors.Contains(" pushes ", StringComparison.Ordinal), "it trained");

    /// <summary>Waits for the process with this in its command line that is not <paramref name="earlier"/>, and returns its number.</summary>
    public static int Find(RunningProgram train, string which, int earlier = 0)
    {
        int found = 0;
        train.Until(
            () =>
            {
                foreach ((int id, string command) in train.Children())
                    found = id != earlier && command.Contains(which, StringComparison.Ordinal) ? id : found;
                return found != 0;
            },
            $"{which} was there");
        return found;
    }

    /// <summary>Kills a process, and each that is started in its place, until the launcher announces restart <paramref name="restart"/>.</summary>
    public static void KillUntilRestart(RunningProgram train, string which, int restart)
    {
        int victim = 0;
        for (int j = 1; j <= restart; j++)
        {
            victim = Find(train, which, victim);
            RunningProgram.Signal(victim, Kill);
            train.Until(() => train.Errors.Contains($"restart {j} of", StringComparison.Ordinal), $"restart {j}");
        }
    }

    public static void AreGone(Dictionary<int, string> children)
    {
        foreach ((int id, string command) in children)
            Eventually.Holds(() => RunningProgram.IsGone(id), () => $"{command} ({id}) has survived");
    }
}
