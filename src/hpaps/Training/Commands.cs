using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Programs.Configuring;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Training;

/// <summary>The command lines of the processes of a run.</summary>
internal static class Commands
{
    // Workers join when they have read the data: a minute or two, and what a slow disk takes for all of them.
    private const double LeastJoinSeconds = 120;
    private const double SlowestBytesPerSecond = 5e6;

    /// <summary>Arguments of each hpaps-server.</summary>
    /// <param name="settings">What the user asked for.</param>
    /// <param name="output">Folder of the results.</param>
    /// <param name="dataBytes">Length of the data file.</param>
    public static List<IReadOnlyList<string>> Servers(TrainSettings settings, string output, long dataBytes)
    {
        var all = new List<IReadOnlyList<string>>();
        for (int shard = 0; shard < settings.Servers; shard++)
        {
            List<string> arguments = shard == 0 ? Server(settings, output, dataBytes) : FurtherServer(settings, shard, output, dataBytes);
            AddPin(arguments, settings, shard);
            all.Add(arguments);
        }

        return all;
    }

    /// <summary>Arguments of a server after the first, which has no limits, nothing to write and nobody to tell.</summary>
    private static List<string> FurtherServer(TrainSettings settings, int shard, string output, long dataBytes)
    {
        var arguments = new List<string> { "--shard", new ShardIndex(shard, settings.Servers).ToString() };
        AddCommon(arguments, settings, dataBytes);
        if (settings.Loss.Durability is { } durability)
            arguments.AddRange(["--state", File(Path.Combine(StateOf(output), $"shard-{shard}")), "--durability", durability]);
        return arguments;
    }

    private static void AddCommon(List<string> arguments, TrainSettings settings, long dataBytes)
    {
        arguments.AddRange(
        [
            "--workers", Number(settings.Workers),
            "--policy", settings.Policy,
            "--codec", settings.Codec,
            "--join-timeout", Number(JoinSeconds(settings, dataBytes)),
            "--events", "--exit-with-stdin",
        ]);
        AddLogFormat(arguments);
        Add(arguments, "--rate", settings.Rate);
        Add(arguments, "--max-magnitude", settings.MaxMagnitude);
        LossSettings loss = settings.Loss;
        if (loss.OnWorkerLoss != WorkerLoss.Wait)
            arguments.AddRange(["--on-worker-loss", loss.OnWorkerLoss == WorkerLoss.Keep ? "keep" : "evict"]);
        Add(arguments, "--rejoin-timeout", loss.RejoinTimeout);
        Add(arguments, "--liveness-timeout", loss.LivenessTimeout);
    }

    /// <summary>Arguments of the first or only hpaps-server.</summary>
    /// <param name="settings">What the user asked for.</param>
    /// <param name="output">Folder of the results.</param>
    /// <param name="dataBytes">Length of the data file.</param>
    public static List<string> Server(TrainSettings settings, string output, long dataBytes)
    {
        List<string> arguments = settings.Servers == 1 ? [] : ["--shard", new ShardIndex(0, settings.Servers).ToString()];
        AddCommon(arguments, settings, dataBytes);
        arguments.AddRange(["--out", File(output)]);
        Add(arguments, "--passes", settings.Passes);
        Add(arguments, "--target", settings.Target);
        Add(arguments, "--reference", settings.Reference);
        Add(arguments, "--target-rmse", settings.TargetRmse);
        if (settings.Plateau is { } plateau)
            arguments.AddRange(["--plateau", plateau.ToString()]);
        Add(arguments, "--time-limit", settings.TimeLimit);
        LossSettings loss = settings.Loss;
        if (loss.Durability is { } durability)
            arguments.AddRange(["--state", File(StateOf(output)), "--durability", durability]);
        if (loss.Reassigns)
            arguments.Add("--reassign");
        if (settings.Monitor is { } monitor)
            arguments.AddRange(["--monitor", monitor]);
        arguments.AddRange(AlertOptions.Arguments(settings.Alerts));
        return arguments;
    }

    /// <summary>Variables of hpaps-server, for what not all users of this host may see.</summary>
    public static Dictionary<string, string> Secrets(TrainSettings settings) =>
        settings.Alerts.Webhook is { } address ? new Dictionary<string, string> { [AlertNames.Variable] = address.AbsoluteUri } : [];

    /// <summary>Arguments of each hpaps-worker, given the server's address.</summary>
    public static List<Func<string, IReadOnlyList<string>>> Workers(TrainSettings settings, string output, long dataBytes)
    {
        var all = new List<Func<string, IReadOnlyList<string>>>();
        for (int j = 0; j < settings.Workers; j++)
        {
            int rank = j;
            all.Add(address => Worker(settings, rank, address, output, dataBytes));
        }

        return all;
    }

    /// <summary>Where a server that may be started again keeps its state while the run lasts.</summary>
    public static string StateOf(string output) => Path.Combine(output, "state");

    /// <summary>The command line of this program, such that a shell takes it again.</summary>
    public static string Own() => OwnCommand.Line("hpaps");

    /// <summary>Arguments of one hpaps-worker.</summary>
    public static List<string> Worker(TrainSettings settings, int rank, string address, string output, long dataBytes)
    {
        List<string> arguments = EachWorker(settings, output, dataBytes);
        arguments.InsertRange(1, ["--server", address, "--part", $"{rank}/{settings.Workers}"]);
        arguments.Add("--exit-with-stdin");
        AddPin(arguments, settings, settings.Servers + rank);
        if (settings.Slow.TryGetValue(rank, out string? slow))
            arguments.AddRange(["--slow", slow]);
        return arguments;
    }

    /// <summary>Those that are the same for all, the task first.</summary>
    /// <param name="settings">What the user asked for.</param>
    /// <param name="output">Folder of the results.</param>
    /// <param name="dataBytes">Length of the data file.</param>
    public static List<string> EachWorker(TrainSettings settings, string output, long dataBytes)
    {
        var arguments = new List<string>
        {
            settings.Task,
            "--data", File(settings.Data),
            "--seed", settings.Seed.ToString(CultureInfo.InvariantCulture),
            "--start-timeout", Number(JoinSeconds(settings, dataBytes)),
        };
        AddLogFormat(arguments);
        arguments.AddRange(settings.TaskArguments);
        if (settings.WorkersWrite)
            arguments.AddRange(["--out", File(Path.Combine(output, RunFolder.Model))]);
        if (settings.SlowRandom > 0)
            Add(arguments, "--slow-random", settings.SlowRandom);
        return arguments;
    }

    /// <summary>To which cores the processes are pinned; null: to none.</summary>
    /// <param name="settings">What the user asked for.</param>
    public static string? Pinned(TrainSettings settings)
    {
        int[] cores = Cores.Allowed();
        if (settings.Pin != PinOption.Each || cores.Length == 0)
            return settings.Pin is null ? null : $"not pinned: any of cores {Cores.Text(cores)}";
        int processes = settings.Servers + settings.Workers;
        string servers = "", workers = "";
        for (int j = 0; j < processes; j++)
        {
            string core = (j is 0 || j == settings.Servers ? "" : ", ") + Number(cores[j % cores.Length]);
            (servers, workers) = j < settings.Servers ? (servers + core, workers) : (servers, workers + core);
        }

        string crowd = processes > cores.Length ? $"; {processes} processes share {cores.Length} cores" : "";
        return $"pinned: server{(settings.Servers > 1 ? "s" : "")} to core {servers}, worker{(settings.Workers > 1 ? "s" : "")} to {workers}{crowd}";
    }

    private static void AddPin(List<string> arguments, TrainSettings settings, int place)
    {
        if (settings.Pin == PinOption.Each)
            arguments.AddRange(["--pin", Number(place)]);
    }

    private static void AddLogFormat(List<string> arguments)
    {
        if (ProgramLog.IsJson)
            arguments.AddRange([GlobalOptions.LogFormat, "json"]);
    }

    private static double JoinSeconds(TrainSettings settings, long dataBytes) =>
        Math.Min(1e6, Math.Ceiling(LeastJoinSeconds + (dataBytes * (double)settings.Workers / SlowestBytesPerSecond)));

    private static void Add(List<string> arguments, string name, double? value)
    {
        if (value is { } number)
            arguments.AddRange([name, Number(number)]);
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A path that cannot be taken for an option or a response file.</summary>
    public static string File(string path) => path[0] is '-' or '@' ? "./" + path : path;
}
