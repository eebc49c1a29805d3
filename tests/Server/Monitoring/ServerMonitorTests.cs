using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>What a server says of its workers, on a virtual clock: when they go, stop, wait, evaluate, return and leave.</summary>
public sealed class ServerMonitorTests
{
    private const double Heartbeat = 1;

    [Fact]
    public void Killed_worker_is_gone_at_once_and_returns_with_its_connection()
    {
        var server = new WatchedServer(2);
        Train(server, 20);
        server.Reset(0);
        Assert.Equal(WorkerState.Gone, server.View(0).State);
        MonitorEvent gone = server.Changes(0)[^1];
        Assert.Equal((WorkerState.Computing, WorkerState.Gone, "Connection reset by peer"), (gone.From!.Value, gone.To!.Value, gone.Reason));
        Assert.Equal(server.Seconds, gone.Seconds, 1e-6);
        server.Pass(3, () => PushAt(server, 1, 0.1));
        server.Connect(0);
        server.Pass(0.2, () => PushAt(server, 1, 0.1));
        Assert.Equal((WorkerState.Gone, WorkerState.Computing), (server.Changes(0)[^1].From!.Value, server.Changes(0)[^1].To!.Value));
        Assert.Empty(server.Changes(1));
        Assert.Contains(server.Events, static one => one.Kind == MonitorEventKind.Membership && one.Rank == 0 && one.Reason.Contains("is disconnected", StringComparison.Ordinal));
    }

    /// <summary>Neither is heard of again because the server itself stood still: it would be told twice, and between the two that all is well.</summary>
    [Fact]
    public void Server_that_stood_still_takes_back_nothing_that_it_has_said()
    {
        var server = new WatchedServer(3);
        server.Pass(40, () =>
        {
            for (int rank = 0; rank < 3; rank++)
                PushAt(server, rank, 0.1);
        });
        server.Silence(0, isSilent: true);
        server.Pass(5, () => PushAt(server, 2, 0.1)); // 0 says nothing, 1 does not push
        Assert.Equal((WorkerState.Gone, WorkerState.Stalled), (server.View(0).State, server.View(1).State));
        int gone = server.Changes(0).Count, stalled = server.Changes(1).Count;
        for (int j = 0; j < 3; j++)
        {
            server.StandStill(1.5);
            server.Pass(3, () => PushAt(server, 2, 0.1));
        }

        Assert.Equal((gone, stalled), (server.Changes(0).Count, server.Changes(1).Count));
        server.Push(1);
        server.Pass(0.3, () => PushAt(server, 2, 0.1));
        Assert.Equal(WorkerState.Stalled, server.Changes(1)[^1].From);
        Assert.NotEqual(WorkerState.Stalled, server.View(1).State);
    }

    /// <summary>A process that is stopped: its connection stays, and nothing comes.</summary>
    [Fact]
    public void Worker_whose_socket_is_reset_is_gone()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false }, holds: true);
        MonitorView view = server.Host.NewView();
        using (RawPeer peer = RawPeer.ConnectTo(server.Address))
        {
            peer.Join(0, 10);
            peer.Receive(FrameKind.Start);
            Eventually.Holds(() => server.Host.ReadMonitor(view) && view.Workers[0].State == WorkerState.Computing, () => $"{view.Workers[0].State}");
            peer.Socket.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        }

        Eventually.Holds(() => server.Host.ReadMonitor(view) && view.Workers[0].State == WorkerState.Gone, () => $"{view.Workers[0].State}");
        var events = new List<MonitorEvent>();
        server.Host.Events.ReadSince(0, events);
        MonitorEvent gone = events.Find(static one => one.To == WorkerState.Gone)!;
        Assert.Contains("reset", gone.Reason, StringComparison.Ordinal);
        server.Host.RequestStop("enough");
        server.Host.RequestStop("it may return no more");
        server.WaitForEnd();
    }

    [Fact]
    public void Silent_worker_is_gone_within_three_heartbeats()
    {
        var server = new WatchedServer(2);
        Train(server, 20);
        double at = server.Seconds;
        server.Silence(0, true);
        server.Pass(3 * Heartbeat);
        MonitorEvent gone = server.Changes(0).Find(static one => one.To == WorkerState.Gone)!;
        Assert.InRange(gone.Seconds - at, Heartbeat, 3 * Heartbeat);
        Assert.StartsWith("nothing was heard of it for 2.", gone.Reason, StringComparison.Ordinal);
        server.Silence(0, false);
        server.Pass(1.2);
        Assert.NotEqual(WorkerState.Gone, server.View(0).State);
    }

    [Fact]
    public void Worker_that_lives_and_does_not_push_is_stalled_and_no_more_when_it_has()
    {
        var server = new WatchedServer(2);
        Train(server, 30);
        server.Pass(3 * Heartbeat, () => PushAt(server, 1, 0.1));
        Assert.Equal(WorkerState.Stalled, server.View(0).State);
        Assert.NotEqual(WorkerState.Stalled, server.View(1).State);
        Assert.InRange(server.Changes(0)[^1].Seconds, 32, 32.25);
        Assert.InRange(server.View(0).StalledInSeconds, -1.2, 0);
        server.Push(0);
        Assert.NotEqual(WorkerState.Stalled, server.View(0).State);
        Assert.StartsWith("it has pushed again, after ", server.Changes(0)[^1].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bsp")]
    [InlineData("ssp:1")]
    [InlineData("auto")]
    public void Who_waits_for_another_is_idle_and_never_stalled(string policy)
    {
        var server = new WatchedServer(2, policy);
        for (int round = 0; round < 200; round++)
        {
            server.Pass(0.1);
            server.Push(0);
            server.Push(1);
        }

        for (int push = 0; push < 3; push++) // as far as the policy lets it
            server.Push(0);
        server.Pass(500);
        Assert.DoesNotContain(server.Changes(0), static one => one.To is WorkerState.Stalled or WorkerState.Gone);
        Assert.Equal(WorkerState.Stalled, server.View(1).State);
        if (policy != "auto") // which goes on without it
            Assert.Equal(WorkerState.Idle, server.View(0).State);
    }

    [Fact]
    public void Evaluation_is_not_time_of_a_push_and_an_event_with_the_objective()
    {
        var server = new WatchedServer(2, evaluates: true);
        for (int step = 0; step < 300; step++)
        {
            server.Pass(0.05);
            server.Push(0);
            server.Push(1);
            for (int rank = 0; rank < 2 && step < 299; rank++)
                server.Evaluated(rank, server.EvaluationAt(rank), 0.25);
        }

        Assert.Contains(server.Events, static one => one.Kind == MonitorEventKind.Evaluation && one.Reason.StartsWith("objective 0.25, at ", StringComparison.Ordinal));
        server.Pass(10, () =>
        {
            server.Evaluated(1, server.EvaluationAt(1), 0.25);
            PushAt(server, 1, 0.05);
        });
        ulong open = server.EvaluationAt(0);
        if (server.View(0).State != WorkerState.Evaluating)
            server.Push(0);
        server.Pass(0.2);
        Assert.Equal(WorkerState.Evaluating, server.View(0).State);
        server.Pass(60);
        Assert.Equal(WorkerState.Evaluating, server.View(0).State);
        server.Evaluated(0, Math.Max(open, server.EvaluationAt(0)), 0.25);
        server.Pass(0.2);
        Assert.Equal(WorkerState.Computing, server.View(0).State);
        Assert.InRange(server.View(0).PushSeconds.Max, 0, 11);
    }

    [Fact]
    public void A_server_that_stood_still_itself_blames_nobody()
    {
        var server = new WatchedServer(2);
        Train(server, 20);
        server.StandStill(8);
        server.Pass(0.9, () => PushAt(server, 0, 0.1));
        Assert.DoesNotContain(server.Events, static one => one.To is WorkerState.Gone or WorkerState.Stalled);
    }

    [Fact]
    public void Who_leaves_has_left_and_the_view_says_all_there_is()
    {
        var server = new WatchedServer(2);
        Train(server, 30);
        WorkerView view = server.View(1);
        Assert.Equal((1, WorkerState.Computing, "a worker", 300UL, CodecId.Fp32), (view.Rank, view.State, view.Address, view.Pushes, view.Codec));
        Assert.Equal(0.1, view.PushSeconds.P50, 0.003);
        Assert.Equal(0.1, view.PassSeconds.P90, 0.003);
        Assert.Equal(1, view.LagVersions.P50);
        Assert.Equal(0.1, view.Times.Median, 0.001);
        Assert.InRange(view.SecondsSinceHeard, 0, 0.1);
        Assert.InRange(view.NextPushSeconds, -0.001, 0.101);
        Assert.True(view.UplinkBytes > 300 * FrameHeader.Bytes && view.UplinkPayloadBytes == 300 * sizeof(float), "bytes");
        RunView run = server.Run();
        Assert.Equal(("Training", "async", "fp32", 600UL), (run.Phase, run.Policy, run.Codec, run.Pushes));
        Assert.Equal(30, run.Seconds, 1e-6);
        Assert.Equal(new Quantiles(1, 1, 1, 1), run.LagVersions);
        Assert.InRange(run.RunLagVersions.P99, 1, 2);
        server.Leave(1);
        Assert.Equal((WorkerState.Left, "it left: done"), (server.View(1).State, server.View(1).Reason));
        server.Leave(0);
        server.Pass(1);
        Assert.True(server.Server.HasEnded);
        Assert.Equal("Ended", server.Run().Phase);
        Assert.DoesNotContain(server.Events, static one => one.To is WorkerState.Gone or WorkerState.Stalled);
        for (int j = 0; j < server.Events.Count; j++)
            Assert.Equal(j + 1, server.Events[j].Number);
        Assert.Equal(server.Events.Count, server.Run().LastEvent);
    }

    [Fact]
    public void Ring_keeps_the_last_thousand_events_in_order()
    {
        var monitor = new StalenessMonitor(1, () => default);
        for (int j = 1; j <= 2500; j++)
            monitor.Tell(MonitorEventKind.Phase, null, $"{j}", j);
        var events = new List<MonitorEvent>();
        Assert.Equal(2500, monitor.Events.ReadSince(0, events));
        Assert.Equal((EventRing.Kept, 1501, 2500), (events.Count, (int)events[0].Number, (int)events[^1].Number));
        events.Clear();
        monitor.Events.ReadSince(2498, events);
        Assert.Equal(["2499", "2500"], events.ConvertAll(static one => one.Reason));
        Assert.Equal(2500, monitor.Events.ReadSince(2500, []));
    }

    /// <summary>Real sessions and loops: whoever waits is not blamed, and what is decided is among the events.</summary>
    [Theory]
    [InlineData("async", 0.0)]
    [InlineData("async", 1.0)]
    [InlineData("bsp", 1.0)]
    [InlineData("ssp:2", 1.0)]
    [InlineData("auto", 1.0)]
    public void Simulated_run_with_times_of_any_length_has_no_alarm_but_the_slow_worker(string policy, double sigma)
    {
        var workers = new SimulatedWorker[8];
        for (int rank = 0; rank < workers.Length; rank++)
        {
            var random = new SeededRandom(4, 1, rank);
            Slowness slowness = (rank == 0 ? Slowness.Always(8) : Slowness.None).WithRandom(sigma, () => random.Normal());
            workers[rank] = new SimulatedWorker(new HalvingTask(3), TimeSpan.FromSeconds(0.4), slowness, TimeSpan.FromSeconds(0.3));
        }

        using var cluster = new SimulatedCluster(new ServerOptions { Policy = policy, TimeLimit = TimeSpan.FromHours(1), RejoinTimeout = TimeSpan.Zero }, workers, LinkSpeed.Unlimited);
        var events = new List<MonitorEvent>();
        long seen = 0;
        bool wasSlow = false;
        while (cluster.Next())
        {
            seen = cluster.Events.ReadSince(seen, events);
            foreach (MonitorEvent one in events)
            {
                Assert.False(one.To is WorkerState.Stalled or WorkerState.Gone, $"worker {one.Rank} at {one.Seconds:0.0} s: {one.To}, {one.Reason}");
                Assert.False(one.To == WorkerState.Slow && one.Rank != 0, $"worker {one.Rank} at {one.Seconds:0.0} s: {one.Reason}");
                wasSlow |= one is { To: WorkerState.Slow };
            }

            events.Clear();
        }

        Assert.True(wasSlow, "the slow worker was not seen");
        Assert.InRange(cluster.Status().Seconds, 3590, 3610);
    }

    /// <summary>Both push every tenth of a second.</summary>
    private static void Train(WatchedServer server, double seconds) => server.Pass(seconds, () =>
    {
        PushAt(server, 0, 0.1);
        PushAt(server, 1, 0.1);
    });

    private static void PushAt(WatchedServer server, int rank, double interval)
    {
        long tick = (long)Math.Round(server.Seconds / 0.005);
        if (tick % (long)Math.Round(interval / 0.005) == 0)
            server.Push(rank);
    }
}
