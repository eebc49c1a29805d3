using System;
using System.Text.RegularExpressions;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>The native server with --monitor and its workers, started by hand; ended, by their ids, with the test.</summary>
internal sealed partial class MonitoredRun : IDisposable
{
    private readonly RunningProgram _server;
    private readonly RunningProgram[] _workers;

    private MonitoredRun(RunningProgram server, int workers) => (_server, _workers) = (server, new RunningProgram[workers]);

    public Uri Address { get; private set; } = null!;

    public static MonitoredRun Start(TempFolder folder, int workers)
    {
        string data = folder.Data(3000);
        string program = Published.Worker;
        var run = new MonitoredRun(
            RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--workers", $"{workers}", "--monitor", "127.0.0.1:0", "--rejoin-timeout", "600", "--codec", "fp32"), workers);
        run._server.Until(() => Monitor().IsMatch(run._server.Errors), "the address of the monitoring port");
        run.Address = new Uri(Monitor().Match(run._server.Errors).Groups[1].Value);
        string address = Listening().Match(run._server.Errors).Groups[1].Value;
        for (int rank = 0; rank < workers; rank++)
            run._workers[rank] = RunningProgram.Start(program, folder.Path, "logreg", "--server", address, "--data", data, "--part", $"{rank}/{workers}", "--slow", "2");
        return run;
    }

    /// <summary>SIGKILL to a worker.</summary>
    public void Kill(int rank) => _workers[rank].Signal(9);

    /// <summary>SIGKILL to the server.</summary>
    public void KillServer() => _server.Signal(9);

    public void Dispose()
    {
        foreach (RunningProgram? worker in _workers)
            worker?.Dispose();
        _server.Dispose();
    }

    [GeneratedRegex(@"monitoring at (http://\S+/)")]
    private static partial Regex Monitor();

    [GeneratedRegex(@"listening at (\S+) for")]
    private static partial Regex Listening();
}
