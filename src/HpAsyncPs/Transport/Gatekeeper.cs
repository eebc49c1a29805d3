using System;
using System.Buffers;
using System.Collections.Generic;
using System.Net;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>
/// The server's side of the handshake of one connection, between it and the shard. The shard hears of a peer only when it has proven that it
/// has the token, or, where none is wanted, with its first frame. After that every frame must carry the session that was proven.
/// </summary>
public sealed class Gatekeeper : IFrameHandler, IFrameSink
{
    // How a handshake of TLS begins, as the reader of frames prints it.
    private const string TlsRecord = "010316:";

    private readonly Gate _gate;
    private readonly IFrameSink _sink;
    private readonly IPAddress? _address;
    private readonly Func<IFrameSink, IFrameHandler> _open;
    private readonly LinkedListNode<Gatekeeper> _place;
    private HelloMessage? _hello;
    private byte[]? _nonce;
    private ulong _session;
    private IFrameHandler? _inner;
    private bool _isAdmitted;
    private bool _isRefused;

    /// <param name="gate">Of the server.</param>
    /// <param name="sink">The connection.</param>
    /// <param name="address">Of the peer; null for a socket of this host.</param>
    /// <param name="open">Makes the handler of those that are let in; it sends to what it is given.</param>
    public Gatekeeper(Gate gate, IFrameSink sink, IPAddress? address, Func<IFrameSink, IFrameHandler> open)
    {
        (_gate, _sink, _address, _open) = (gate, sink, address, open);
        Since = gate.Entered(this, out _place);
    }

    /// <inheritdoc/>
    public string Peer => _sink.Peer;

    /// <inheritdoc/>
    public bool HasLink => _sink.HasLink;

    /// <inheritdoc/>
    public double BytesPerSecond => _sink.BytesPerSecond;

    /// <inheritdoc/>
    public long RetransmittedSegments => _sink.RetransmittedSegments;

    /// <summary>When it came, by the gate's clock.</summary>
    internal long Since { get; }

    /// <inheritdoc/>
    public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_isRefused)
            return;
        if (_inner is not null)
        {
            Pass(header, payload);
            return;
        }

        try
        {
            Judge(header, payload);
        }
        catch (ProtocolException e)
        {
            Refuse(HandshakeFailure.Malformed, e.Message);
        }
    }

    /// <inheritdoc/>
    public void Violated(string reason, FrameFault fault)
    {
        if (_inner is null)
            Refuse(HandshakeFailure.Malformed, reason.Contains(TlsRecord, StringComparison.Ordinal) ? $"{reason} These bytes are TLS: start this server with --tls-cert and --tls-key, or that worker without --tls-ca." : reason);
        else
            _inner.Violated(reason, fault);
    }

    /// <inheritdoc/>
    public void Writable() => _inner?.Writable();

    /// <inheritdoc/>
    public void Closed(string? reason)
    {
        _gate.Ended(_place);
        _inner?.Closed(reason);
    }

    /// <inheritdoc/>
    public bool Send(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        Note(header.Kind);
        return _sink.Send(header, payload);
    }

    /// <inheritdoc/>
    public bool SendFollowed(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        Note(header.Kind);
        return _sink.SendFollowed(header, payload);
    }

    /// <inheritdoc/>
    public void Close() => _sink.Close();

    /// <summary>It took too long.</summary>
    internal void Expire(string reason)
    {
        if (_isRefused)
            return; // it is on its way out, for as long as connections may take for that
        if (_inner is null)
        {
            Refuse(HandshakeFailure.TooSlow, reason);
            return;
        }

        _isRefused = true;
        _inner.Violated(reason, FrameFault.Other);
    }

    /// <summary>Ends it at once.</summary>
    internal void CutOff()
    {
        _isRefused = true;
        if (_sink is Connection connection)
            connection.CutOff(null);
        else
            _sink.Close();
    }

    private void Pass(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_session != 0 && header.Session != _session)
            _inner!.Violated($"A frame names session {header.Session}; this connection has proven {_session}.", FrameFault.Other);
        else
            _inner!.Received(header, payload);
    }

    private void Judge(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_gate.Token is not { } token)
        {
            if (header.Kind == FrameKind.Hello)
            {
                Refuse(HandshakeFailure.UnexpectedToken, "This server has no token to prove: start it with --token-file, or the worker without.");
                return;
            }

            Open();
            Pass(header, payload);
        }
        else if (_hello is null)
        {
            Greet(header, payload);
        }
        else
        {
            Verify(token, header, payload);
        }
    }

    private void Greet(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (header.Kind != FrameKind.Hello)
        {
            Refuse(HandshakeFailure.NoToken, "This server admits only who has its token: give --token-file with a copy of the file that the server has.");
            return;
        }

        HelloMessage hello = HelloMessage.Read(payload);
        if (hello.Role != PeerRole.Worker || header.Session == 0)
        {
            Refuse(HandshakeFailure.WrongRole, $"Only workers with a session's number are admitted here, not a {hello.Role} with {header.Session}.");
            return;
        }

        (_hello, _session, _nonce) = (hello, header.Session, RandomBytes.Draw(Limits.NonceBytes));
        Send(FrameKind.Challenge, new ChallengeMessage(_nonce).Write);
    }

    private void Verify(Token token, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (header.Kind != FrameKind.Proof || header.Session != _session)
            throw new ProtocolException($"A proof of session {_session} comes next, not {header.Kind} of session {header.Session}.");
        ProofMessage proof = ProofMessage.Read(payload);
        if (!token.IsProof(proof.Code, PeerRole.Worker, _hello!.Role, _hello.Nonce, _nonce, _session))
        {
            Refuse(HandshakeFailure.WrongProof, "The token is another than the server's: give --token-file with a copy of the file that the server has.");
            return;
        }

        byte[] own = token.Prove(PeerRole.Server, _hello.Role, _hello.Nonce, _nonce, _session);
        _nonce = null;
        Open(); // first: the answer can come in before the call that sends returns
        Send(FrameKind.Proven, new ProofMessage(own).Write);
    }

    private void Open() => _inner = _open(this);

    private void Note(FrameKind kind)
    {
        if (kind != FrameKind.Admitted || _isAdmitted)
            return;
        _isAdmitted = true;
        _gate.Admitted(_place);
        (_sink as Connection)?.Widen();
    }

    private void Refuse(HandshakeFailure failure, string reason)
    {
        if (_isRefused)
            return;
        _isRefused = true;
        _gate.Failed(failure, Peer, _address, reason);
        Send(FrameKind.Refused, new TextMessage(reason).Write, failure == HandshakeFailure.TooSlow ? FrameFlags.Retry : FrameFlags.None);
        _sink.Close();
    }

    private void Send(FrameKind kind, Action<IBufferWriter<byte>> write, FrameFlags flags = FrameFlags.None)
    {
        var payload = new ArrayBufferWriter<byte>(Limits.HandshakeBytes);
        write(payload);
        _sink.Send(new FrameHeader(kind) { Session = _session, Flags = flags }, payload.WrittenSpan);
    }
}
