using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>What messages take besides the workers' links, to the tick: the server's link and processor, which all share, and the worker's own thread.</summary>
public sealed class ClusterCostsTests
{
    // A push and a snapshot of the tasks here, and the pull behind a push.
    private const int PushBytes = 4064;
    private const int PullBytes = 64;
    private static readonly TimeSpan Pass = TimeSpan.FromMilliseconds(1);

    [Fact]
    public void Costs_of_nothing_change_no_figure()
    {
        foreach (string policy in (string[])["async", "bsp"])
        {
            using SimulatedCluster without = Cluster(3, policy, null), with = Cluster(3, policy, new ClusterCosts());
            RunResult first = without.Run(1_000_000), second = with.Run(1_000_000);
            Assert.Equal(first.Model, second.Model);
            Assert.Equal(first.Status.Seconds, second.Status.Seconds);
            Assert.Equal((first.Status.UplinkBytes, first.Status.DownlinkBytes, first.Status.Pushes), (second.Status.UplinkBytes, second.Status.DownlinkBytes, second.Status.Pushes));
        }

        static SimulatedCluster Cluster(int count, string policy, ClusterCosts? costs)
        {
            var workers = new SimulatedWorker[count];
            for (int rank = 0; rank < count; rank++)
                workers[rank] = new(new HalvingTask(1000), Pass * (1 + (0.37 * rank)), Slowness.None);
            return new SimulatedCluster(new ServerOptions { Policy = policy, Passes = 20 }, workers, new LinkSpeed(TimeSpan.FromMicroseconds(70), 3e7), null, costs);
        }
    }

    [Fact]
    public void The_servers_link_is_shared_by_its_workers()
    {
        // A barrier's round of two: the first one's push and pull, the second one's push, the first one's snapshot; the second one's goes out while the first
        // computes again.
        var costs = new ClusterCosts { ServerBytesPerSecond = 1e6 };
        double one = SecondsOfRound(1, LinkSpeed.Unlimited, costs), two = SecondsOfRound(2, LinkSpeed.Unlimited, costs);
        Assert.Equal(0.001 + ((PushBytes + PullBytes + PushBytes) * 1e-6), one, 1e-9);
        Assert.Equal(0.001 + ((PushBytes + PullBytes + PushBytes + PushBytes) * 1e-6), two, 1e-9);
    }

    [Fact]
    public void Links_of_the_same_rate_pass_bytes_on_as_they_come()
    {
        // One worker: its link and the server's carry the same packets at the same time, not one whole message after the other.
        var link = new LinkSpeed(TimeSpan.Zero, 1e6);
        Assert.Equal(0.001 + ((PushBytes + PullBytes + PushBytes) * 1e-6), SecondsOfRound(1, link, new ClusterCosts { ServerBytesPerSecond = 1e6 }), 1e-9);
        Assert.Equal(0.001 + (2 * (PushBytes + PullBytes + PushBytes) * 1e-6), SecondsOfRound(1, link, new ClusterCosts { ServerBytesPerSecond = 0.5e6 }), 1e-9);
    }

    [Fact]
    public void The_server_takes_one_message_after_the_other()
    {
        var costs = new ClusterCosts { Coding = new Dictionary<CodecId, CodingTime> { [CodecId.Fp32] = new(2e-6, 3e-6) } };
        double one = SecondsOfRound(1, LinkSpeed.Unlimited, costs), two = SecondsOfRound(2, LinkSpeed.Unlimited, costs);

        // The worker encodes (2 ms), the server applies (3), encodes (2), the worker applies (3).
        Assert.Equal(0.001 + 0.002 + 0.003 + 0.002 + 0.003, one, 1e-9);

        // Two: the server applies both, then encodes for the first; it encodes for the second while the first takes its snapshot and goes on.
        Assert.Equal(0.001 + 0.002 + (2 * 0.003) + 0.002 + 0.003, two, 1e-9);
    }

    [Fact]
    public void Bytes_and_messages_take_processors_at_both_ends()
    {
        Assert.Equal(0.001 + (2 * ((PushBytes + PushBytes) * 1e-6)) + PullTime(1e-6), SecondsOfRound(1, LinkSpeed.Unlimited, new ClusterCosts { SecondsOfByte = 1e-6 }), 1e-9);

        // The pull is behind the push, and follows it through the worker and the server.
        static double PullTime(double secondsOfByte) => 2 * PullBytes * secondsOfByte - (PullBytes * secondsOfByte);
    }

    [Fact]
    public void Servers_share_work_and_bytes()
    {
        var costs = new ClusterCosts { Coding = new Dictionary<CodecId, CodingTime> { [CodecId.Fp32] = new(0, 4e-6) }, ServerBytesPerSecond = 1e6 };
        double one = SecondsOfRound(2, LinkSpeed.Unlimited, costs), four = SecondsOfRound(2, LinkSpeed.Unlimited, costs with { Servers = 4 });
        double elsewhere = 0.001 + 0.004; // computing, and the worker's taking of the snapshot
        Assert.True(one > elsewhere + 0.016, $"{one}");
        Assert.InRange((one - elsewhere) / (four - elsewhere), 3.99, 4.01);
    }

    [Theory]
    [InlineData(3, 3, 1.0)]
    [InlineData(2, 3, 1.5)]
    [InlineData(1, 3, 3.0)]
    [InlineData(8, 1, 1.0)]
    public void Cores_are_shared_evenly(int cores, int workers, double passes) =>
        Assert.Equal(0.001 * passes, SecondsOfRound(workers, LinkSpeed.Unlimited, new ClusterCosts { SharedCores = cores }), 2e-9);

    [Fact]
    public void Who_is_done_leaves_its_share_to_the_others_and_who_sleeps_takes_none()
    {
        // One core, passes of 1 and 2 ms: both take turns until the first is done, at 2 ms, and the second is at 3.
        Assert.Equal(0.003, Round((1, 1), (2, 1)), 2e-9);

        // Both compute for 2 ms; the slow one then sleeps for three times that, and the other waits for it.
        Assert.Equal(0.008, Round((1, 4), (1, 1)), 2e-9);

        static double Round(params (int Passes, double Slow)[] workers)
        {
            return Seconds(3) - Seconds(2);

            double Seconds(double passes)
            {
                SimulatedWorker[] all = Array.ConvertAll(workers, static one => new SimulatedWorker(new HalvingTask(1000), Pass * one.Passes, Slowness.Always(one.Slow)));
                using var cluster = new SimulatedCluster(new ServerOptions { Policy = "ssp:0", Passes = passes, Evaluates = false }, all, LinkSpeed.Unlimited, null, new ClusterCosts { SharedCores = 1 });
                return cluster.Run(1_000_000).Status.Seconds;
            }
        }
    }

    [Fact]
    public void The_server_has_its_share_of_cores_too()
    {
        // Of the server 2 x 3 ms of applying and 2 of encoding, of each worker 1 of computing, 2 of encoding and 3 of applying: 20 ms of one core, whatever the order.
        var costs = new ClusterCosts { Coding = new Dictionary<CodecId, CodingTime> { [CodecId.Fp32] = new(2e-6, 3e-6) }, SharedCores = 1 };
        Assert.Equal(0.001 + 0.002 + 0.003 + 0.002 + 0.003, SecondsOfRound(1, LinkSpeed.Unlimited, costs), 2e-9);
        Assert.InRange(SecondsOfRound(2, LinkSpeed.Unlimited, costs), 0.0205, 0.0221); // without sharing 0.014
    }

    /// <summary>Of each step of one worker the first pass is for the gradient; behind a barrier the first halves are.</summary>
    [Theory]
    [InlineData("async", 1)]
    [InlineData("bsp", 2)]
    public void A_pass_for_the_gradient_takes_what_it_is_said_to(string policy, int workers)
    {
        RunStatus full = Run(1), free = Run(0);
        double gradients = policy == "bsp" ? ((double)full.Pushes - workers) / 2 / workers : full.Pushes; // the first step of all is a gradient too
        Assert.Equal(full.Passes, free.Passes);
        Assert.Equal(full.Seconds - (gradients * Pass.TotalSeconds), free.Seconds, Pass.TotalSeconds * 2);
        Assert.InRange(free.Seconds, 0.1 * full.Seconds, 0.9 * full.Seconds);

        RunStatus Run(double gradientPass)
        {
            var simulated = new SimulatedWorker[workers];
            for (int rank = 0; rank < workers; rank++)
                simulated[rank] = new SimulatedWorker(new LogisticTask(Parts.Small(), new LogisticSettings { L2 = 1e-2 }), Pass, Slowness.None, default, gradientPass);
            using var cluster = new SimulatedCluster(new ServerOptions { Policy = policy, Workers = workers, Passes = 60, Evaluates = false }, simulated, LinkSpeed.Unlimited);
            return cluster.Run(1_000_000).Status;
        }
    }

    [Fact]
    public void What_takes_long_takes_no_more_events()
    {
        // 4 MB at 10 kB a second: minutes a message, and the clock is not looked at every 5 ms of them.
        SimulatedWorker[] workers = [new(new HalvingTask(1_000_000), Pass, Slowness.None), new(new HalvingTask(1_000_000), Pass, Slowness.None)];
        using var cluster = new SimulatedCluster(new ServerOptions { Policy = "ssp:0", Passes = 3, Evaluates = false }, workers, new LinkSpeed(TimeSpan.Zero, 1e4), null, new ClusterCosts { ServerBytesPerSecond = 1e4 });
        RunResult result = cluster.Run(200_000);
        Assert.Equal("passes", result.Reason);
        Assert.InRange(cluster.Elapsed.TotalHours, 0.5, 3);
    }

    [Fact]
    public void What_is_full_is_said()
    {
        using SimulatedCluster cluster = Cluster(1, 40, new LinkSpeed(TimeSpan.Zero, 4e6), new ClusterCosts { ServerBytesPerSecond = 1e6, SecondsOfMessage = 1e-4 });
        RunStatus status = cluster.Run(1_000_000).Status;
        ClusterUse use = cluster.Use;
        double seconds = cluster.Elapsed.TotalSeconds;
        Assert.Equal((status.UplinkBytes + status.DownlinkBytes) * 1e-6 / seconds, use.ServerLink, 0.01); // now one way and now the other
        Assert.Equal(use.ServerLink / 4, use.Link, 0.01);
        Assert.Equal((cluster.MessagesUp + cluster.MessagesDown) * 1e-4 / seconds, use.Server, 0.001);

        // Both ways at once are no more than all the time.
        using SimulatedCluster busy = Cluster(8, 40, LinkSpeed.Unlimited, new ClusterCosts { ServerBytesPerSecond = 1e6 });
        busy.Run(1_000_000);
        Assert.InRange(busy.Use.ServerLink, 0.9, 1);
        using SimulatedCluster free = Cluster(2, 40, LinkSpeed.Unlimited, null);
        free.Run(1_000_000);
        Assert.Equal(new ClusterUse(0, 0, 0), free.Use);
    }

    [Fact]
    public void Evaluations_take_the_time_that_workers_say_and_slow_ones_longer()
    {
        Assert.Equal(0, Evaluating(TimeSpan.Zero, 1));
        RunStatus fast = Run(TimeSpan.FromMilliseconds(7), 1);
        int evaluations = (int)Math.Round(fast.Workers[0].EvaluatingSeconds / 0.007);
        Assert.True(evaluations >= 2, $"{fast.Workers[0].EvaluatingSeconds} s");
        Assert.Equal(evaluations * 0.007, fast.Workers[0].EvaluatingSeconds, 1e-9);
        Assert.Equal(Math.Round(Evaluating(TimeSpan.FromMilliseconds(7), 3) / 0.021) * 0.021, Evaluating(TimeSpan.FromMilliseconds(7), 3), 1e-9);
        Assert.True(fast.Seconds > Run(TimeSpan.Zero, 1).Seconds, "they are no time of computing");

        static double Evaluating(TimeSpan time, double slowness) => Run(time, slowness).Workers[0].EvaluatingSeconds;

        static RunStatus Run(TimeSpan time, double slowness)
        {
            SimulatedWorker[] workers = [new(new HalvingTask(10), TimeSpan.FromMilliseconds(10), Slowness.Always(slowness), time)];
            using var cluster = new SimulatedCluster(new ServerOptions { Passes = 100 }, workers, LinkSpeed.Unlimited);
            RunResult result = cluster.Run(1_000_000);
            Assert.Equal("passes", result.Reason);
            return result.Status;
        }
    }

    /// <summary>Seconds of one round of a barrier.</summary>
    private static double SecondsOfRound(int workers, LinkSpeed link, ClusterCosts costs)
    {
        return Seconds(3) - Seconds(2);

        double Seconds(double passes)
        {
            using SimulatedCluster cluster = Cluster(workers, passes, link, costs);
            return cluster.Run(1_000_000).Status.Seconds;
        }
    }

    private static SimulatedCluster Cluster(int count, double passes, LinkSpeed link, ClusterCosts? costs)
    {
        var workers = new SimulatedWorker[count];
        for (int rank = 0; rank < count; rank++)
            workers[rank] = new(new HalvingTask(1000), Pass, Slowness.None);
        return new SimulatedCluster(new ServerOptions { Policy = "ssp:0", Passes = passes, Evaluates = false }, workers, link, null, costs);
    }
}
