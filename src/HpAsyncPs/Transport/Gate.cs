using System;
using System.Collections.Generic;
using System.Net;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>Why a connection was not let in.</summary>
public enum HandshakeFailure
{
    /// <summary>What it sent is no frame, no message, or of another version.</summary>
    Malformed,

    /// <summary>It did not begin with Hello, and a token is wanted.</summary>
    NoToken,

    /// <summary>It began with Hello, and there is no token here.</summary>
    UnexpectedToken,

    /// <summary>It is nobody that this server admits.</summary>
    WrongRole,

    /// <summary>Its proof does not agree.</summary>
    WrongProof,

    /// <summary>It took too long.</summary>
    TooSlow,

    /// <summary>It had to make room for somebody newer.</summary>
    Displaced,

    /// <summary>Its address has failed too often.</summary>
    ShutOut,

    /// <summary>TLS could not be agreed on.</summary>
    Tls,
}

/// <summary>
/// All connections of a server that are not admitted yet, and what they may cost: how many, how long, how often. No I/O; the thread that owns the
/// shard calls every method. A connection beyond the limit displaces the one that has been here longest without being admitted, if
/// that one has had <see cref="Grace"/>: who holds connections keeps nobody out, and who comes in a crowd is not thrown out by it.
/// </summary>
public sealed class Gate
{
    /// <summary>Time for a handshake that nobody is displaced in.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(1);

    private readonly GateLimits _limits;
    private readonly TimeProvider _time;
    private readonly int _most;
    private readonly int _mostHalfOpen;
    private readonly LinkedList<Gatekeeper> _halfOpen = new(); // the oldest first
    private readonly FailedHandshakes _failures;
    private readonly long[] _counts = new long[Enum.GetValues<HandshakeFailure>().Length];
    private long _saidAt;
    private long _unsaid;
    private string _lastUnsaid = "";
    private bool _hasSaid;

    /// <param name="limits">What strangers may cost.</param>
    /// <param name="workers">Of the job.</param>
    /// <param name="token">What they must have, or null.</param>
    /// <param name="time">The clock.</param>
    public Gate(GateLimits limits, int workers, Token? token, TimeProvider time)
    {
        _limits = limits;
        _time = time;
        Token = token;
        _most = limits.ConnectionsFor(workers);
        _mostHalfOpen = limits.HalfOpenFor(workers);
        _failures = new FailedHandshakes(limits.FailedHandshakes, time);
    }

    /// <summary>Gets a line now and then of who was refused.</summary>
    public Action<LogLine>? Log { get; init; }

    /// <summary>Connections that have not ended.</summary>
    public int Open { get; private set; }

    /// <summary>Of these, connections that are not admitted.</summary>
    public int HalfOpen => _halfOpen.Count;

    /// <summary>What a peer must prove that it has; null: nothing.</summary>
    internal Token? Token { get; }

    /// <summary>How often what has happened, in the order of <see cref="HandshakeFailure"/>.</summary>
    internal ReadOnlySpan<long> Counts => _counts;

    /// <summary>Is there room for another connection?</summary>
    public bool HasRoom => _halfOpen.Count < _mostHalfOpen && Open < _most;

    /// <summary>How often this has happened.</summary>
    public long CountOf(HandshakeFailure failure) => _counts[(int)failure];

    /// <summary>Whether nobody is let in from this address now. Counted.</summary>
    /// <param name="address">Null for a socket of this host.</param>
    public bool IsShutOut(IPAddress? address)
    {
        if (!_failures.IsShutOut(address))
            return false;
        Refused(HandshakeFailure.ShutOut, address!.ToString(), $"{_limits.FailedHandshakes} handshakes from there have failed within a minute");
        return true;
    }

    /// <summary>Makes room by ending the oldest connection that is not admitted, if it has had its time.</summary>
    public bool TryMakeRoom()
    {
        if (HasRoom)
            return true;
        if (_halfOpen.First is not { } oldest || _time.GetElapsedTime(oldest.Value.Since) < Grace)
            return false;
        Refused(HandshakeFailure.Displaced, oldest.Value.Peer, "it was not admitted yet, and others came");
        oldest.Value.CutOff();
        return HasRoom;
    }

    /// <summary>Whoever takes too long is refused, and what the log has not got yet is said. Call it every few milliseconds.</summary>
    public void Tick()
    {
        if (_unsaid > 0 && MaySay)
            Say(_lastUnsaid, _unsaid - 1);
        for (LinkedListNode<Gatekeeper>? node = _halfOpen.First; node is not null;)
        {
            LinkedListNode<Gatekeeper>? next = node.Next;
            if (_time.GetElapsedTime(node.Value.Since) < _limits.HandshakeTime)
                return;
            node.Value.Expire($"no request for admission within {_limits.HandshakeTime.TotalSeconds:0.###} s");
            node = next;
        }
    }

    /// <summary>A handshake has failed outside the connection's frames.</summary>
    /// <param name="failure">How.</param>
    /// <param name="peer">Who, for the log.</param>
    /// <param name="address">Null for a socket of this host.</param>
    /// <param name="reason">Why, for the log.</param>
    public void Failed(HandshakeFailure failure, string peer, IPAddress? address, string reason)
    {
        _failures.Add(address);
        Refused(failure, peer, reason);
    }

    internal long Entered(Gatekeeper keeper, out LinkedListNode<Gatekeeper> place)
    {
        Open++;
        place = _halfOpen.AddLast(keeper);
        return _time.GetTimestamp();
    }

    internal void Admitted(LinkedListNode<Gatekeeper> place)
    {
        if (place.List is not null)
            _halfOpen.Remove(place);
    }

    internal void Ended(LinkedListNode<Gatekeeper> place)
    {
        Open--;
        Admitted(place);
    }

    /// <summary>Counts, and says it, once a second at most.</summary>
    private void Refused(HandshakeFailure failure, string peer, string reason)
    {
        _counts[(int)failure]++;
        string line = $"connection from {peer} refused: {reason}";
        if (MaySay)
        {
            Say(line, _unsaid);
            return;
        }

        _unsaid++;
        _lastUnsaid = line;
    }

    private bool MaySay => !_hasSaid || _time.GetElapsedTime(_saidAt) >= LogInterval;

    private void Say(string line, long more)
    {
        Log?.Invoke(LogLine.Warning(more > 0 ? $"{line} ({more} more since the last such line)" : line));
        (_hasSaid, _saidAt, _unsaid) = (true, _time.GetTimestamp(), 0);
    }
}
