using System;
using System.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Policies;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>Rounds and open pulls of more workers than a word has bits: a push looks only at those that it concerns, and finds all of them.</summary>
public sealed class ManyWorkersTests
{
    private const int Workers = 130;

    private readonly CountingBarrier _barrier = new();
    private readonly ParameterServer _server;
    private readonly Random _random = new(5);
    private readonly Worker[] _workers = new Worker[Workers];

    public ManyWorkersTests()
    {
        _server = new(new ServerOptions { Evaluates = false, Workers = Workers, Policy = "bsp" }, new FakeTimeProvider(), 1UL << 32, _barrier);
        for (int rank = 0; rank < Workers; rank++)
        {
            _workers[rank] = new Worker();
            Peer peer = _workers[rank].Connection = _server.Opened(_workers[rank]);
            var join = new ArrayBufferWriter<byte>();
            new JoinMessage(rank, 1, 1, Aggregate.Mean, 1, [], []).Write(join);
            _server.Received(peer, new FrameHeader(FrameKind.Join) { Session = (ulong)rank + 1 }, new ReadOnlySequence<byte>(join.WrittenMemory));
        }
    }

    [Fact]
    public void Snapshots_go_to_all_who_asked_when_the_last_one_has_pushed_also_when_some_have_left()
    {
        int left = 0;
        for (uint round = 1; round <= 5; round++)
        {
            _barrier.Asked = 0;
            _random.Shuffle(_workers.AsSpan(left));
            for (int j = left; j < Workers; j++)
            {
                Push(_workers[j]);
                Send(_workers[j], new FrameHeader(FrameKind.Pull), []);
                Assert.Equal(round - (j < Workers - 1 ? 1 : 0), _workers[left].Rounds);
            }

            for (int j = left; j < Workers; j++)
                Assert.Equal((round, round), (_workers[j].Snapshots, _workers[j].Rounds));
            Assert.InRange(_barrier.Asked, Workers - left, 6 * (Workers - left)); // a push does not look at those who wait
            for (int leaving = 0; leaving < 20; leaving++)
                Leave(_workers[left++]);
        }
    }

    [Fact]
    public void One_that_leaves_while_all_wait_for_it_ends_the_round()
    {
        for (int j = 0; j < Workers - 1; j++)
        {
            Push(_workers[j]);
            Send(_workers[j], new FrameHeader(FrameKind.Pull), []);
        }

        Leave(_workers[Workers - 1]);
        for (int j = 0; j < Workers - 1; j++)
            Assert.Equal((1U, 1U), (_workers[j].Snapshots, _workers[j].Rounds));
    }

    private void Push(Worker worker) => Send(worker,
        new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, Sequence = ++worker.Pushed, KeyCount = 1, Flags = FrameFlags.Last }, new byte[sizeof(float)]);

    private void Leave(Worker worker)
    {
        var text = new ArrayBufferWriter<byte>();
        new TextMessage("done").Write(text);
        Send(worker, new FrameHeader(FrameKind.Leave), text.WrittenSpan.ToArray());
    }

    private void Send(Worker worker, FrameHeader header, byte[] payload)
    {
        header.Session = worker.Connection!.Session?.Id ?? 0;
        _server.Received(worker.Connection, header, new ReadOnlySequence<byte>(payload));
    }

    /// <summary>The policy, and how often it was asked.</summary>
    private sealed class CountingBarrier : IPolicy
    {
        private readonly BspPolicy _policy = new(exchanges: 1);

        public int Asked { get; set; }

        public string Name => _policy.Name;

        public bool WorkersWait => _policy.WorkersWait;

        public int Exchanges => _policy.Exchanges;

        public bool MayHave(ulong clock, ulong rounds, ulong seenRounds)
        {
            Asked++;
            return _policy.MayHave(clock, rounds, seenRounds);
        }
    }

    private sealed class Worker : IFrameSink
    {
        public Peer? Connection { get; set; }

        public ulong Pushed { get; set; }

        public uint Snapshots { get; private set; }

        /// <summary>Of the last snapshot.</summary>
        public uint Rounds { get; private set; }

        public string Peer => "a worker";

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (header.Kind == FrameKind.Snapshot)
                (Snapshots, Rounds) = (Snapshots + 1, header.Rounds);
            return true;
        }

        public void Close()
        {
        }
    }
}
