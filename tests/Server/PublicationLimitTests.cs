using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>Slow readers hold publications: how many there are, and who waits for whom.</summary>
public sealed class PublicationLimitTests
{
    private const int Workers = 4;
    private readonly int _chunk = Limits.ChunkKeys(1, Workers);
    private readonly FakeTimeProvider _time = new();
    private readonly ParameterServer _server;
    private readonly Peer[] _peers = new Peer[Workers];
    private readonly Reader[] _readers = new Reader[Workers];
    private ulong _pushed;

    public PublicationLimitTests()
    {
        _server = new(new ServerOptions { Workers = Workers, Evaluates = false }, _time, 1UL << 32);
        for (int rank = 0; rank < Workers; rank++)
        {
            _peers[rank] = _server.Opened(_readers[rank] = new Reader());
            var join = new ArrayBufferWriter<byte>();
            new JoinMessage(rank, _chunk + 1, 1, Aggregate.Sum, 1, [], []).Write(join);
            _server.Received(_peers[rank], new FrameHeader(FrameKind.Join) { Session = (ulong)rank + 1 }, new ReadOnlySequence<byte>(join.WrittenMemory));
        }
    }

    [Fact]
    public void One_stopped_reader_delays_nobody()
    {
        Stop(0);
        for (ulong version = 2; version <= 20; version++)
        {
            Push();
            for (int rank = 1; rank < Workers; rank++)
            {
                Pull(rank);
                Assert.Equal(version, _readers[rank].Whole[^1]);
            }
        }
    }

    [Fact]
    public void Who_finds_two_publications_held_gets_the_newest_as_soon_as_one_is_let_go()
    {
        Stop(0);
        Stop(1);
        Push();
        Pull(2);
        Pull(3);
        Assert.Empty(_readers[2].Whole);
        Push();
        _readers[1].IsFull = false;
        _server.Writable(_peers[1]);
        Assert.Equal([2UL], _readers[1].Whole);
        Assert.Equal([4UL], _readers[2].Whole);
        Assert.Equal([4UL], _readers[3].Whole);
    }

    [Fact]
    public void Acknowledgement_waits_for_no_snapshot_that_cannot_be_had()
    {
        Push(FrameFlags.Pull);
        Assert.Equal((1, 0), (_readers[3].Followed, _readers[3].Alone));
        Stop(0);
        Stop(1);
        Assert.Equal((1, 2), (_readers[3].Followed, _readers[3].Alone));
        Push(FrameFlags.Pull);
        Assert.Equal((1, 3), (_readers[3].Followed, _readers[3].Alone));
        Assert.Equal([1UL], _readers[3].Whole);
    }

    [Fact]
    public void Reader_that_goes_away_lets_go_too()
    {
        Stop(0);
        Stop(1);
        Push();
        Pull(2);
        Assert.Empty(_readers[2].Whole);
        _server.Received(_peers[0], new FrameHeader(FrameKind.Leave) { Session = _peers[0].Session!.Id }, Text("done"));
        Assert.Equal([3UL], _readers[2].Whole);
    }

    [Fact]
    public void Readers_that_take_longer_than_two_seconds_are_given_one_each_and_the_others_go_on()
    {
        Stop(0);
        Stop(1);
        Push();
        Pull(2);
        Wait(1.9);
        Assert.Empty(_readers[2].Whole);
        Wait(0.2);
        Assert.Equal([3UL], _readers[2].Whole);
        Push();
        Pull(2);
        Assert.Equal([3UL, 4UL], _readers[2].Whole);
        Stop(2);
        Push();
        Pull(3);
        Assert.Empty(_readers[3].Whole);
        Wait(2.1);
        Assert.Equal([6UL], _readers[3].Whole);
    }

    [Fact]
    public void Model_is_had_at_the_end_though_readers_hold_all_that_there_may_be()
    {
        Stop(0);
        Stop(1);
        Push();
        _server.RequestStop("stopped");
        _server.Tick();
        Assert.NotNull(_server.Result().Model);
    }

    /// <summary>After one more push this worker asks for the model, and stops reading in the middle of it.</summary>
    private void Stop(int rank)
    {
        Push();
        _readers[rank].IsFull = true;
        Pull(rank);
        Assert.Equal(1, _readers[rank].Begun);
    }

    private void Wait(double seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        foreach (Peer peer in _peers)
            _server.Received(peer, new FrameHeader(FrameKind.Heartbeat) { Session = peer.Session!.Id }, default);
        _server.Tick();
    }

    private void Pull(int rank) => _server.Received(
        _peers[rank], new FrameHeader(FrameKind.Pull) { Session = _peers[rank].Session!.Id, ShardVersion = _pushed - 1 }, default);

    private void Push(FrameFlags flags = FrameFlags.None)
    {
        _pushed++;
        foreach ((int begin, int count) in ((int, int)[])[(0, _chunk), (_chunk, 1)])
        {
            var header = new FrameHeader(FrameKind.Push)
            {
                Session = _peers[3].Session!.Id,
                Codec = CodecId.Fp32,
                Sequence = _pushed,
                KeyBegin = (ulong)begin,
                KeyCount = (uint)count,
                Flags = begin > 0 ? FrameFlags.Last | flags : FrameFlags.None,
            };
            _server.Received(_peers[3], header, new ReadOnlySequence<byte>(new byte[count * sizeof(float)]));
        }
    }

    private static ReadOnlySequence<byte> Text(string text)
    {
        var output = new ArrayBufferWriter<byte>();
        new TextMessage(text).Write(output);
        return new ReadOnlySequence<byte>(output.WrittenMemory);
    }

    private sealed class Reader : IFrameSink
    {
        public string Peer => "a worker";

        public bool IsFull { get; set; }

        /// <summary>Snapshots whose first chunk has come, and no more.</summary>
        public int Begun { get; private set; }

        /// <summary>Versions of the snapshots that came whole.</summary>
        public List<ulong> Whole { get; } = [];

        /// <summary>Acknowledgements that a frame was said to follow, and others.</summary>
        public int Followed { get; private set; }

        public int Alone { get; private set; }

        public bool SendFollowed(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            Followed++;
            Alone--;
            return Send(header, payload);
        }

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            Alone += header.Kind == FrameKind.Acknowledged ? 1 : 0;
            if (header.Kind == FrameKind.Snapshot && header.Flags.Has(FrameFlags.Last))
                Whole.Add(header.ShardVersion);
            if (header.Kind == FrameKind.Snapshot)
                Begun += header.Flags.Has(FrameFlags.Last) ? -1 : 1;
            return !IsFull;
        }

        public void Close()
        {
        }
    }
}
