using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>Several pulls of one worker that are not answered yet.</summary>
public sealed class OpenPullsTests
{
    private readonly ParameterServer _server = new(new ServerOptions { Evaluates = false }, new FakeTimeProvider(), 1UL << 32);
    private readonly Answers _answers = new();
    private readonly Peer _peer;
    private ulong _pushed;

    public OpenPullsTests()
    {
        _peer = _server.Opened(_answers);
        var join = new ArrayBufferWriter<byte>();
        new JoinMessage(-1, 1, 1, Aggregate.Sum, 1, [], []).Write(join);
        _server.Received(_peer, new FrameHeader(FrameKind.Join) { Session = 1 }, new ReadOnlySequence<byte>(join.WrittenMemory));
    }

    [Fact]
    public void Each_is_answered_in_its_order_as_soon_as_there_is_a_version_above_its_own()
    {
        Pull(0);
        Pull(0);
        Pull(1);
        Pull(0); // waits for the one before it
        Assert.Empty(_answers.Versions);
        Push();
        Assert.Equal([1UL, 1UL], _answers.Versions);
        Push();
        Assert.Equal([1UL, 1UL, 2UL, 2UL], _answers.Versions);
        Push();
        Assert.Equal(4, _answers.Versions.Count);
    }

    [Fact]
    public void Push_with_flag_pull_is_answered_with_a_snapshot_that_contains_it_and_counts_as_a_pull()
    {
        Push(FrameFlags.Pull);
        Assert.Equal([1UL], _answers.Versions);
        Push();
        Assert.Equal([1UL], _answers.Versions);
        Push(FrameFlags.Pull);
        Assert.Equal([1UL, 3UL], _answers.Versions);
        Assert.Equal([true, false, true], _answers.Followed); // acknowledgements behind which a snapshot goes out at once
        _pushed--;
        Push(FrameFlags.Pull); // the same again: it asks for nothing
        Assert.Equal([1UL, 3UL], _answers.Versions);
        Push();
        Assert.Equal([1UL, 3UL], _answers.Versions);
        for (int pull = 0; pull < Limits.OpenPulls; pull++)
            Pull(_pushed + 100);
        double before = _server.Sum[0];
        Push(FrameFlags.Pull);
        Assert.Equal(before, _server.Sum[0]); // refused whole
        Assert.Contains($"at most {Limits.OpenPulls} pulls open", _answers.Refused, StringComparison.Ordinal);
    }

    [Fact]
    public void One_more_than_the_limit_is_refused_and_as_many_are_not()
    {
        for (int round = 0; round < 3; round++)
        {
            for (int pull = 0; pull < Limits.OpenPulls; pull++)
                Pull(_pushed);
            Assert.Equal(round * Limits.OpenPulls, _answers.Versions.Count);
            Push();
        }

        for (int pull = 0; pull < Limits.OpenPulls; pull++)
            Pull(_pushed);
        Assert.Null(_answers.Refused);
        Pull(_pushed);
        Assert.Contains($"at most {Limits.OpenPulls} pulls open", _answers.Refused, StringComparison.Ordinal);
    }

    [Fact]
    public void No_answer_is_begun_while_the_connection_is_full()
    {
        Push();
        _answers.IsFull = true;
        for (int pull = 0; pull < 5; pull++)
            Pull(0);
        Assert.Single(_answers.Versions); // the one that filled it
        _server.Writable(_peer);
        Assert.Equal(2, _answers.Versions.Count);
        _answers.IsFull = false;
        Push();
        Assert.Equal(2, _answers.Versions.Count); // it has not said that it is writable
        _server.Writable(_peer);
        Assert.Equal(5, _answers.Versions.Count);
    }

    private void Pull(ulong version) =>
        _server.Received(_peer, new FrameHeader(FrameKind.Pull) { Session = 1, ShardVersion = version }, default);

    private void Push(FrameFlags flags = FrameFlags.None) => _server.Received(
        _peer,
        new FrameHeader(FrameKind.Push)
        {
            Session = 1,
            Codec = CodecId.Fp32,
            Sequence = ++_pushed,
            KeyCount = 1,
            Flags = FrameFlags.Last | flags,
            ShardVersion = _pushed - 1,
        },
        new ReadOnlySequence<byte>(new byte[sizeof(float)]));

    private sealed class Answers : IFrameSink
    {
        public string Peer => "a worker";

        public bool IsFull { get; set; }

        /// <summary>Of the snapshots.</summary>
        public List<ulong> Versions { get; } = [];

        public string? Refused { get; private set; }

        /// <summary>Of each acknowledgement: was another frame said to follow it?</summary>
        public List<bool> Followed { get; } = [];

        public bool SendFollowed(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            Send(header, payload);
            Followed[^1] = true;
            return !IsFull;
        }

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (header.Kind == FrameKind.Snapshot)
                Versions.Add(header.ShardVersion);
            if (header.Kind == FrameKind.Acknowledged)
                Followed.Add(false);
            if (header.Kind == FrameKind.Refused)
                Refused = TextMessage.Read(new ReadOnlySequence<byte>(payload.ToArray())).Text;
            return !IsFull;
        }

        public void Close()
        {
        }
    }
}
