using System;
using System.CommandLine;
using HpAsyncPs.Programs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.ServerProgram;

/// <summary>The options that bound what strangers cost.</summary>
internal sealed class GateOptions
{
    private const int LeastFrame = 1024;
    private static readonly GateLimits Defaults = new();

    private readonly Option<int?> _connections = new Option<int?>("--max-connections") { HelpName = "N", Description = $"Most connections at a time, admitted or not; by default the workers and {GateLimits.Spare}." }.Within(2, 1 << 20);
    private readonly Option<int?> _halfOpen = new Option<int?>("--max-half-open") { HelpName = "N", Description = $"Most connections at a time that are not admitted; one more ends the oldest of them. By default as many as the workers, and {GateLimits.Spare} at least." }.Within(1, 1 << 20);
    private readonly Option<double> _handshakeTimeout = new Option<double>("--handshake-timeout") { HelpName = "S", Description = "Seconds that a connection may take to be admitted.", DefaultValueFactory = _ => Defaults.HandshakeTime.TotalSeconds }.Within(0.1, 3600);
    private readonly Option<int> _frame = new Option<int>("--max-frame") { HelpName = "BYTES", Description = "Most bytes of a message before admission.", DefaultValueFactory = _ => Defaults.FirstFrameBytes }.Within(LeastFrame, Limits.ControlBytes);
    private readonly Option<long?> _memory = new Option<long?>("--max-memory-per-peer") { HelpName = "BYTES", Description = "Most memory of a connection once it is admitted; by default what five chunks and a half of the job take." }.Within(1 << 20, 1L << 30);
    private readonly Option<int> _failed = new Option<int>("--max-failed-handshakes") { HelpName = "N", Description = "Handshakes of one address that may fail in a minute; then nobody is let in from there until the minute is over.", DefaultValueFactory = _ => Defaults.FailedHandshakes }.Within(1, int.MaxValue);

    public Option[] All => [_connections, _halfOpen, _handshakeTimeout, _frame, _memory, _failed];

    public GateLimits Of(ParseResult parsed) => new()
    {
        Connections = parsed.GetValue(_connections),
        HalfOpen = parsed.GetValue(_halfOpen),
        HandshakeTime = TimeSpan.FromSeconds(parsed.GetValue(_handshakeTimeout)),
        FirstFrameBytes = parsed.GetValue(_frame),
        BytesOfPeer = parsed.GetValue(_memory),
        FailedHandshakes = parsed.GetValue(_failed),
    };
}
