using System;
using System.Collections.Generic;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>A server with a monitoring port and two workers, started by hand, so that a test can kill one.</summary>
internal sealed class WatchedJob : IDisposable
{
    private const string Said = "monitoring at http://";
    private readonly List<RunningProgram> _workers = [];

    public WatchedJob(TempFolder folder, params string[] more)
    {
        string socket = "unix:" + folder.In("socket"), data = folder.Data();
        Server = RunningProgram.Start(Published.Server, folder.Path, ["--listen", socket, "--workers", "2", "--monitor", "127.0.0.1:0", .. more]);
        Server.Until(() => Server.Errors.Contains(Said, StringComparison.Ordinal), "it listened");
        for (int j = 0; j < 2; j++)
            _workers.Add(RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--server", socket, "--data", data, "--part", $"{j}/2", "--reconnect-timeout", "1"));
    }

    public RunningProgram Server { get; }

    /// <summary>HOST:PORT of the monitoring port.</summary>
    public string Monitor
    {
        get
        {
            string errors = Server.Errors;
            int at = errors.IndexOf(Said, StringComparison.Ordinal) + Said.Length;
            return errors[at..errors.IndexOf('/', at)];
        }
    }

    public void UntilItTrains() => Server.Until(() => Server.Errors.Contains("training begins", StringComparison.Ordinal), "it trained");

    public void KillWorker(int rank) => RunningProgram.Signal(_workers[rank].Id, DyingProcesses.Kill);

    public void Dispose()
    {
        Server.Dispose();
        _workers.ForEach(static one => one.Dispose());
    }
}
