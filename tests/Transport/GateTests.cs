using System;
using System.Buffers;
using System.Collections.Generic;
using System.Net;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>What strangers may cost, on a clock that the test moves.</summary>
public sealed class GateTests
{
    private static readonly IPAddress Address = IPAddress.Parse("10.0.0.9");
    private readonly Clock _clock = new();
    private readonly List<string> _log = [];

    [Fact]
    public void Oldest_makes_room_once_it_has_had_its_time()
    {
        Gate gate = NewGate(new GateLimits { HalfOpen = 3, FailedHandshakes = 1 });
        Visitor[] visitors = [Enter(gate), Enter(gate), Enter(gate)];
        Assert.False(gate.TryMakeRoom());
        _clock.Advance(Gate.Grace);
        Assert.True(gate.TryMakeRoom());
        Assert.True(visitors[0].IsClosed);
        Assert.False(visitors[1].IsClosed);
        Assert.Equal(2, gate.HalfOpen);
        Assert.True(gate.TryMakeRoom()); // there is room: nobody else goes
        Assert.Equal(2, gate.HalfOpen);
        Assert.Equal(1, gate.CountOf(HandshakeFailure.Displaced));
        Assert.False(gate.IsShutOut(Address)); // it did nothing wrong
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(64, 64)]
    [InlineData(1000, 1000)]
    public void There_is_a_place_for_each_worker_that_is_not_admitted_yet(int workers, int places)
    {
        Gate gate = new(new GateLimits(), workers, null, _clock);
        for (int j = 0; j < places; j++)
        {
            Assert.True(gate.TryMakeRoom());
            Enter(gate);
        }

        Assert.False(gate.TryMakeRoom());
        _clock.Advance(Gate.Grace);
        Assert.True(gate.TryMakeRoom());
        Assert.Equal(places - 1, gate.HalfOpen);
        Assert.Equal(1, gate.CountOf(HandshakeFailure.Displaced));
    }

    [Fact]
    public void Connections_are_bounded_in_all_and_who_is_admitted_is_not_displaced()
    {
        Gate gate = NewGate(new GateLimits { Connections = 2 });
        Visitor admitted = Enter(gate);
        admitted.Receive(FrameKind.Join);
        admitted.Inner!.Send(new FrameHeader(FrameKind.Admitted), []);
        Visitor other = Enter(gate);
        Assert.Equal((2, 1), (gate.Open, gate.HalfOpen));
        Assert.False(gate.TryMakeRoom());
        _clock.Advance(Gate.Grace);
        Assert.True(gate.TryMakeRoom());
        Assert.True(other.IsClosed);
        Assert.False(admitted.IsClosed);
        admitted.Close();
        Assert.Equal((0, 0), (gate.Open, gate.HalfOpen));
    }

    [Fact]
    public void Who_takes_too_long_is_told()
    {
        Gate gate = NewGate(new GateLimits { HandshakeTime = TimeSpan.FromSeconds(3) });
        Visitor visitor = Enter(gate);
        _clock.Advance(TimeSpan.FromSeconds(2.9));
        gate.Tick();
        Assert.Null(visitor.Refusal);
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        gate.Tick();
        Assert.Contains("within 3 s", visitor.Refusal, StringComparison.Ordinal);
        gate.Tick();
        Assert.Equal(1, gate.CountOf(HandshakeFailure.TooSlow));
    }

    [Fact]
    public void Address_that_fails_too_often_is_shut_out_until_the_minute_is_over()
    {
        Gate gate = NewGate(new GateLimits { FailedHandshakes = 3 });
        for (int failure = 0; failure < 3; failure++)
        {
            Assert.False(gate.IsShutOut(Address));
            Enter(gate).Keeper.Violated("no frame", FrameFault.Unreadable);
        }

        Assert.True(gate.IsShutOut(Address));
        Assert.True(gate.IsShutOut(IPAddress.Parse("::ffff:10.0.0.9")));
        Assert.False(gate.IsShutOut(IPAddress.Parse("10.0.0.8")));
        Assert.False(gate.IsShutOut(null));
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.True(gate.IsShutOut(Address));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(gate.IsShutOut(Address));
    }

    [Fact]
    public void Addresses_of_one_network_of_IPv6_count_together_and_memory_is_bounded()
    {
        Gate gate = NewGate(new GateLimits { FailedHandshakes = 2 });
        gate.Failed(HandshakeFailure.WrongProof, "a", IPAddress.Parse("2001:db8::1"), "");
        gate.Failed(HandshakeFailure.WrongProof, "b", IPAddress.Parse("2001:db8::2"), "");
        Assert.True(gate.IsShutOut(IPAddress.Parse("2001:db8::3")));
        Assert.False(gate.IsShutOut(IPAddress.Parse("2001:db8:0:1::3")));
        for (int j = 0; j < 10_000; j++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            gate.Failed(HandshakeFailure.WrongProof, "c", new IPAddress(1000 + j), "");
        }

        Assert.False(gate.IsShutOut(IPAddress.Parse("2001:db8::3"))); // the oldest are forgotten
    }

    [Fact]
    public void Log_gets_one_line_a_second_and_the_number_of_the_others()
    {
        Gate gate = NewGate(new GateLimits());
        for (int j = 0; j < 1000; j++)
        {
            gate.Failed(HandshakeFailure.WrongProof, "peer", Address, "why");
            _clock.Advance(TimeSpan.FromMilliseconds(2));
        }

        Assert.Equal(2, _log.Count);
        Assert.Equal("connection from peer refused: why (499 more since the last such line)", _log[1]);
        _clock.Advance(TimeSpan.FromSeconds(1));
        gate.Tick();
        gate.Tick();
        Assert.Equal(3, _log.Count);
        Assert.Equal("connection from peer refused: why (498 more since the last such line)", _log[2]);
    }

    private Gate NewGate(GateLimits limits) => new(limits, 1, null, _clock) { Log = line => _log.Add(line.Text) };

    private static Visitor Enter(Gate gate) => new(gate);

    private sealed class Clock : TimeProvider
    {
        private long _now = 1_000_000;

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += (long)(time.TotalSeconds * TimestampFrequency);
    }

    private sealed class Visitor : IFrameSink, IFrameHandler
    {
        public Visitor(Gate gate) => Keeper = new Gatekeeper(gate, this, Address, sink =>
        {
            Inner = sink;
            return this;
        });

        public Gatekeeper Keeper { get; }

        public IFrameSink? Inner { get; private set; }

        public bool IsClosed { get; private set; }

        public string? Refusal { get; private set; }

        public string Peer => "visitor";

        public void Receive(FrameKind kind) => Keeper.Received(new FrameHeader(kind), default);

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
        {
            if (header.Kind == FrameKind.Refused)
                Refusal = TextMessage.Read(new(payload.ToArray())).Text;
            return true;
        }

        public void Close()
        {
            if (IsClosed)
                return;
            IsClosed = true;
            Keeper.Closed(null);
        }

        public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
        {
        }

        public void Violated(string reason, FrameFault fault)
        {
        }

        public void Writable()
        {
        }

        public void Closed(string? reason)
        {
        }
    }
}
