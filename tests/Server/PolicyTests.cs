using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Policies;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server;

public sealed class PolicyTests
{
    [Fact]
    public void Create_unknown_name_is_refused_with_the_known_ones()
    {
        InputException error = Assert.Throws<InputException>(() => PolicyNames.Create("bps"));
        Assert.Contains("async, bsp", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bsp_releases_when_all_have_pushed_since_the_last_release()
    {
        var policy = new BspPolicy();
        Assert.False(policy.MayRelease([1, 0, 1], [0, 0, 0]));
        Assert.True(policy.MayRelease([1, 1, 1], [0, 0, 0]));
        Assert.False(policy.MayRelease([2, 1, 2], [1, 1, 1]));
    }

    [Theory]
    [InlineData("async", 1UL)]
    [InlineData("bsp", 0UL)]
    public void Server_one_of_two_has_pushed_is_seen_under_async_only(string policy, ulong version)
    {
        (SeededNetwork network, WorkerSession a, WorkerSession b) = Two(policy);
        a.TryPush([4f], 1);
        b.Pull();
        network.DeliverAll();
        b.Take();
        Assert.Equal(version, b.Version);
        b.TryPush([2f], 1);
        b.Pull();
        network.DeliverAll();
        Assert.Equal(3f, b.Take()[0]);
        Assert.Equal(2UL, b.Version);
    }

    [Fact]
    public void Bsp_a_worker_that_left_holds_nobody_up()
    {
        (SeededNetwork network, WorkerSession a, WorkerSession b) = Two("bsp");
        a.TryPush([4f], 1);
        a.Pull();
        network.DeliverAll();
        Assert.False(a.HasNewer);
        b.Leave("enough", default);
        network.DeliverAll();
        Assert.True(a.HasNewer);
        Assert.Equal(2f, a.Take()[0]);
        for (int round = 2; round <= 4; round++)
        {
            Assert.True(a.TryPush([4f * round], round));
            a.Pull();
            network.DeliverAll();
            Assert.True(a.HasNewer, $"round {round}");
            Assert.Equal(2f * round, a.Take()[0]);
        }
    }

    [Fact]
    public void TakeCorrected_adds_the_share_of_what_the_snapshot_does_not_contain()
    {
        (SeededNetwork network, WorkerSession a, WorkerSession b) = Two("async");
        b.TryPush([10f], 1);
        network.DeliverAll();
        a.Pull();
        network.DeliverAll();
        Assert.Equal(5f, a.TakeCorrected()[0]);
        a.TryPush([4f], 1);
        Assert.Equal(7f, a.TakeCorrected()[0]); // not delivered: 10/2 + 4/2
        a.TryPush([6f], 2);
        Assert.Equal(8f, a.TakeCorrected()[0]);
        network.DeliverAll();
        a.Pull();
        network.DeliverAll();
        Assert.Equal(8f, a.TakeCorrected()[0]); // delivered, contained, not counted twice
        Assert.True(a.HasRoom);
    }

    [Fact]
    public void TryPush_beyond_the_window_says_no_and_the_next_push_carries_it_all()
    {
        (SeededNetwork network, WorkerSession a, WorkerSession _) = Two("async");
        for (int j = 1; j <= Limits.Window; j++)
            Assert.True(a.TryPush([j], j));
        Assert.False(a.TryPush([100f], 9));
        a.Pull();
        network.DeliverAll();
        a.Take();
        Assert.True(a.TryPush([200f], 10));
        network.DeliverAll();
        Assert.Equal(200f, network.Server.ReconstructionOf(0)[0]);
    }

    private static (SeededNetwork Network, WorkerSession A, WorkerSession B) Two(string policy)
    {
        var time = new FakeTimeProvider();
        var network = new SeededNetwork(1, 0, new ServerOptions { Workers = 2, Policy = policy, Evaluates = false }, time);
        WorkerSession a = network.Connect(new WorkerOptions { Parameters = 1, Rank = 0 }, time);
        WorkerSession b = network.Connect(new WorkerOptions { Parameters = 1, Rank = 1 }, time);
        network.DeliverAll();
        return (network, a, b);
    }
}
