using System;
using System.Collections.Generic;
using System.Diagnostics;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Worker processes that are stopped, go on, and are killed, as a server in this process sees them. How soon is printed, and not judged.</summary>
[Collection(Alone.Name)]
public sealed class WatchedProcessTests(ITestOutputHelper output)
{
    private const int Kill = 9;
    private const int Continue = 18;
    private const int Stop = 19;

    [Fact]
    public void Stopped_process_is_gone_and_comes_back_and_a_killed_one_is_gone()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using var server = new LoopbackServer(new ServerOptions { Workers = 2 }, holds: true);
        MonitorView view = server.Host.NewView();
        using RunningProgram first = Start(0), second = Start(1);
        Eventually.Holds(() => server.Host.ReadMonitor(view) && view.Workers[0].Pushes > 100 && view.Workers[1].Pushes > 100, () => $"{first.Errors} {second.Errors}");
        Assert.Equal((WorkerState.Computing, WorkerState.Computing), (Usual(0), Usual(1)));
        second.Signal(Stop);
        Until(1, WorkerState.Gone);
        Assert.StartsWith("nothing was heard of it for ", view.Workers[1].Reason, StringComparison.Ordinal);
        second.Signal(Continue);
        Eventually.Holds(() => server.Host.ReadMonitor(view) && view.Workers[1].State is not (WorkerState.Gone or WorkerState.Stalled), () => view.Workers[1].Reason);
        first.Signal(Kill);
        Until(0, WorkerState.Gone);
        var events = new List<MonitorEvent>();
        server.Host.Events.ReadSince(0, events);
        Assert.Contains(events, static one => one is { Kind: MonitorEventKind.Membership, Rank: 0 } && one.Reason.Contains("is disconnected", StringComparison.Ordinal));
        Assert.DoesNotContain(events, static one => one is { To: WorkerState.Gone, Rank: 0 } && one.Reason.StartsWith("nothing was heard", StringComparison.Ordinal));
        server.Host.RequestStop("enough");
        server.Host.RequestStop("it will not return");
        server.WaitForEnd();

        RunningProgram Start(int rank) => RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--server", server.Address, "--data", data, "--part", $"{rank}/2");

        void Until(int rank, WorkerState state)
        {
            var watch = Stopwatch.StartNew();
            Eventually.Holds(() => server.Host.ReadMonitor(view) && view.Workers[rank].State == state, () => $"{view.Workers[rank].State}: {view.Workers[rank].Reason}");
            output.WriteLine($"worker {rank} is {state} {watch.Elapsed.TotalSeconds:0.00} s after the signal: {view.Workers[rank].Reason}");
        }

        // Whatever it does between two pushes, it is neither slow nor worse.
        WorkerState Usual(int rank) => view.Workers[rank].State is WorkerState.Idle or WorkerState.Evaluating ? WorkerState.Computing : view.Workers[rank].State;
    }
}
