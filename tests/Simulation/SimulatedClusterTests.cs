using System;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>The virtual clock: what a step, a message and a slow time take, to the tick; and that runs are the same bit for bit.</summary>
public sealed class SimulatedClusterTests
{
    [Fact]
    public void Push_and_pull_take_their_bytes_over_the_bandwidth_and_two_latencies()
    {
        // 4064 bytes a push, 4064 a snapshot, 64 for the pull behind the push; a byte takes a microsecond.
        var link = new LinkSpeed(TimeSpan.FromMilliseconds(1), 1e6);
        double two = Seconds(2, link), three = Seconds(3, link);
        Assert.Equal(0.001 + (2 * 0.001) + ((4064 + 4064 + 64) * 1e-6), three - two, 1e-9);
        Assert.Equal(0.003, Seconds(3, LinkSpeed.Unlimited), 1e-12);

        static double Seconds(double passes, LinkSpeed link)
        {
            SimulatedWorker[] workers = [new(new HalvingTask(1000), TimeSpan.FromMilliseconds(1), Slowness.None)];
            using var cluster = new SimulatedCluster(new ServerOptions { Passes = passes, Evaluates = false }, workers, link);
            return cluster.Run(1_000_000).Status.Seconds;
        }
    }

    [Fact]
    public void Counters_are_those_of_the_bytes_that_the_server_saw()
    {
        using SimulatedCluster cluster = Cluster(1, 0.3);
        RunResult result = cluster.Run(1_000_000);
        Assert.Equal("passes", result.Reason);
        Assert.Equal(result.Status.UplinkBytes, cluster.BytesUp);
        Assert.Equal(result.Status.DownlinkBytes, cluster.BytesDown);
        Assert.True(cluster.MessagesUp >= (long)result.Status.Pushes * 2, "each push comes with a pull");
    }

    [Fact]
    public void A_worker_is_slow_in_its_time_only()
    {
        Assert.True(Slowness.TryParse("4@2s-10s", out Slowness slow, out _));
        SimulatedWorker[] workers = [new(new HalvingTask(3), TimeSpan.FromSeconds(1), slow)];
        using var cluster = new SimulatedCluster(new ServerOptions { Passes = 5, Evaluates = false }, workers, LinkSpeed.Unlimited);
        Assert.Equal(11, cluster.Run(1_000_000).Status.Seconds, 1e-9); // 1 + 1 + 4 + 4 + 1
    }

    [Fact]
    public void A_barrier_is_idle_time_of_those_who_wait()
    {
        SimulatedWorker[] workers =
        [
            new(new HalvingTask(3), TimeSpan.FromSeconds(1), Slowness.Always(4)),
            new(new HalvingTask(3), TimeSpan.FromSeconds(1), Slowness.None),
        ];
        using var cluster = new SimulatedCluster(new ServerOptions { Policy = "bsp", Passes = 10, Evaluates = false }, workers, LinkSpeed.Unlimited);
        RunStatus status = cluster.Run(1_000_000).Status;
        Assert.Equal(40, status.Seconds, 1e-9);
        Assert.Equal(0, status.Workers[0].IdleSeconds, 1e-6);
        Assert.InRange(status.Workers[1].IdleSeconds, 29, 31);
    }

    [Fact]
    public void The_same_inputs_give_the_same_bits_and_another_seed_other_arrivals()
    {
        using SimulatedCluster one = Cluster(1, 0.3), same = Cluster(1, 0.3), other = Cluster(2, 0.3);
        RunResult first = one.Run(1_000_000), second = same.Run(1_000_000), third = other.Run(1_000_000);
        Assert.Equal(first.Model, second.Model);
        Assert.Equal(one.Elapsed, same.Elapsed);
        Assert.Equal((one.MessagesUp, one.MessagesDown, one.BytesUp, one.BytesDown), (same.MessagesUp, same.MessagesDown, same.BytesUp, same.BytesDown));
        Assert.Equal(first.Trace.Count, second.Trace.Count);
        for (int j = 0; j < first.Trace.Count; j++)
            Assert.Equal(first.Trace[j] with { Values = [] }, second.Trace[j] with { Values = [] });
        Assert.NotEqual(first.Status.Seconds, third.Status.Seconds);
    }

    private static SimulatedCluster Cluster(ulong seed, double sigma)
    {
        var workers = new SimulatedWorker[3];
        for (int rank = 0; rank < workers.Length; rank++)
        {
            var random = new SeededRandom(seed, 1, rank);
            workers[rank] = new(new HalvingTask(50), TimeSpan.FromMilliseconds(100), Slowness.None.WithRandom(sigma, () => random.Normal()));
        }

        return new SimulatedCluster(new ServerOptions { Passes = 20 }, workers, new LinkSpeed(TimeSpan.FromMicroseconds(100), 1e6));
    }
}
