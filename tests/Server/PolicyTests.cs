using System;
using System.Buffers;
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
        Assert.Contains("async, auto, bsp, bsp:1, ssp:S", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ssp:")]
    [InlineData("ssp:x")]
    [InlineData("ssp:-1")]
    [InlineData("ssp:1.5")]
    [InlineData("ssp:1000001")]
    public void Create_staleness_that_is_none_is_refused_with_an_example(string name)
    {
        string error = Assert.Throws<InputException>(() => PolicyNames.Create(name)).Message;
        Assert.Contains($"'{name}': the staleness must be a whole number from 0 to 1000000", error, StringComparison.Ordinal);
        Assert.Contains("as in ssp:3", error, StringComparison.Ordinal);
        Assert.Equal("ssp:12", PolicyNames.Create("ssp:12").Name);
    }

    [Theory]
    [InlineData("asp:foo")]
    [InlineData("asp:")]
    [InlineData("asp:Adam")]
    public void Create_optimiser_that_is_none_is_refused_with_those_there_are(string name)
    {
        string error = Assert.Throws<InputException>(() => PolicyNames.Create(name)).Message;
        Assert.Contains("use asp:sgd (which asp alone is), asp:adagrad or asp:adam", error, StringComparison.Ordinal);
        Assert.Equal("asp:sgd", PolicyNames.Create("asp").Name);
        Assert.Equal("asp:adam", PolicyNames.Create("asp:adam").Name);
        Assert.Equal("asp:sum", PolicyNames.Create("asp:sum").Name);
    }

    [Fact]
    public void Bsp_a_worker_may_have_a_snapshot_when_all_have_pushed_since_its_last_one()
    {
        var policy = new BspPolicy();
        Assert.False(policy.MayHave(clock: 1, rounds: 0, seenRounds: 0));
        Assert.True(policy.MayHave(clock: 1, rounds: 1, seenRounds: 0));
        Assert.False(policy.MayHave(clock: 2, rounds: 1, seenRounds: 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Ssp_a_worker_begins_no_step_more_than_S_pushes_ahead_and_is_let_go_one_by_one(int staleness)
    {
        (SeededNetwork network, WorkerSession a, WorkerSession b) = Two($"ssp:{staleness}");
        for (int behind = 0; behind < 5; behind++)
        {
            // a stands at behind + S pushes or, at first, none; b at behind. a goes as far as it is let.
            while (behind == 0 ? a.Pushed == 0 || a.HasNewer : a.HasNewer)
            {
                a.Take();
                Assert.True(a.TryPush([a.Pushed + 1f], 1));
                a.Pull();
                network.DeliverAll();
            }

            Assert.Equal((ulong)(behind + staleness + 1), a.Pushed); // the last of them begun S ahead, and completed
            b.Take();
            Assert.True(b.TryPush([1f + behind], 1));
            b.Pull();
            network.DeliverAll();
            Assert.True(b.HasNewer); // the slowest never waits
        }
    }

    [Fact]
    public void Ssp_a_worker_that_left_holds_nobody_up()
    {
        (SeededNetwork network, WorkerSession a, WorkerSession b) = Two("ssp:0");
        a.TryPush([4f], 1);
        a.Pull();
        network.DeliverAll();
        Assert.False(a.HasNewer);
        b.Leave("enough", default);
        network.DeliverAll();
        Assert.True(a.HasNewer);
    }

    [Fact]
    public void Ssp_a_pull_that_overtook_a_part_of_its_push_is_answered_after_the_whole_of_it()
    {
        const int parameters = Limits.ChunkParameters + 1;
        var server = new ParameterServer(new ServerOptions { Workers = 2, Policy = "ssp:0", Evaluates = false }, new FakeTimeProvider(), 1UL << 32);
        var toA = new Answers();
        Peer a = server.Opened(toA), b = server.Opened(new Answers());
        foreach (Peer peer in (Peer[])[a, b])
        {
            var join = new ArrayBufferWriter<byte>();
            new JoinMessage(-1, parameters, 1, Aggregate.Mean, 1, [], []).Write(join);
            server.Received(peer, new FrameHeader(FrameKind.Join) { Session = peer == a ? 1u : 2u }, new ReadOnlySequence<byte>(join.WrittenMemory));
        }

        Send(b, 0, Limits.ChunkParameters);
        Send(b, Limits.ChunkParameters, 1);
        Send(a, 0, Limits.ChunkParameters);
        server.Received(a, new FrameHeader(FrameKind.Pull) { Session = a.Session!.Id }, default);
        Assert.Equal(0, toA.Snapshots);
        Send(a, Limits.ChunkParameters, 1);
        Assert.Equal(1, toA.Snapshots);

        void Send(Peer from, int begin, int count) => server.Received(
            from,
            new FrameHeader(FrameKind.Push)
            {
                Session = from.Session!.Id,
                Codec = CodecId.Fp32,
                Sequence = 1,
                KeyBegin = (ulong)begin,
                KeyCount = (uint)count,
                Flags = begin + count == parameters ? FrameFlags.Last : FrameFlags.None,
            },
            new ReadOnlySequence<byte>(new byte[count * sizeof(float)]));
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

    private sealed class Answers : IFrameSink
    {
        public string Peer => "a worker";

        /// <summary>Snapshots that went out whole.</summary>
        public int Snapshots { get; private set; }

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (header.Kind == FrameKind.Snapshot && header.Flags.Has(FrameFlags.Last))
                Snapshots++;
            return true;
        }

        public void Close()
        {
        }
    }
}
