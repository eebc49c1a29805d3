using System;
using System.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>
/// The worker's side of the handshake, around whoever gets its frames afterwards. Nothing of the worker goes out before the server has proven
/// that it has the token too; a server that asks for no proof is refused, or anybody on the way could take the worker in.
/// </summary>
public sealed class TokenBearer : IFrameHandler
{
    private readonly Token _token;
    private readonly ulong _session;
    private readonly IFrameSink _sink;
    private readonly IFrameHandler _inner;
    private readonly Action _proven;
    private readonly byte[] _nonce = RandomBytes.Draw(Limits.NonceBytes);
    private byte[]? _serverNonce;
    private bool _isProven;
    private volatile string? _failure;
    private readonly Action<string> _distrusted;

    /// <param name="token">What both ends have.</param>
    /// <param name="session">The number that all frames of this worker carry; not 0.</param>
    /// <param name="sink">Where frames go.</param>
    /// <param name="inner">Gets what comes after the handshake, refusals, and the end.</param>
    /// <param name="proven">Called once both ends have proven it, on the thread that receives.</param>
    /// <param name="distrusted">Called with the reason if the server is not believed.</param>
    public TokenBearer(Token token, ulong session, IFrameSink sink, IFrameHandler inner, Action proven, Action<string>? distrusted = null)
    {
        _distrusted = distrusted ?? (why => inner.Violated(why, FrameFault.Other));
        ArgumentOutOfRangeException.ThrowIfZero(session);
        (_token, _session, _sink, _inner, _proven) = (token, session, sink, inner, proven);
    }

    /// <summary>Why the server was not believed, or null.</summary>
    public string? Failure => _failure;

    /// <summary>Says Hello.</summary>
    public void Begin() => Send(FrameKind.Hello, new HelloMessage(PeerRole.Worker, _nonce).Write);

    /// <inheritdoc/>
    public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_isProven || header.Kind == FrameKind.Refused)
        {
            _inner.Received(header, payload);
            return;
        }

        try
        {
            Answer(header, payload);
        }
        catch (ProtocolException e)
        {
            Fail(e.Message);
        }
    }

    /// <inheritdoc/>
    public void Violated(string reason, FrameFault fault) => _inner.Violated(reason, fault);

    /// <inheritdoc/>
    public void Writable()
    {
        if (_isProven)
            _inner.Writable();
    }

    /// <inheritdoc/>
    public void Closed(string? reason) => _inner.Closed(reason);

    private void Answer(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_failure is not null)
            return;
        switch (header.Kind)
        {
            case FrameKind.Challenge when _serverNonce is null:
                byte[] nonce = ChallengeMessage.Read(payload).Nonce;
                _serverNonce = nonce;
                Send(FrameKind.Proof, new ProofMessage(_token.Prove(PeerRole.Worker, PeerRole.Worker, _nonce, nonce, _session)).Write);
                break;
            case FrameKind.Proven when _serverNonce is not null:
                if (!_token.IsProof(ProofMessage.Read(payload).Code, PeerRole.Server, PeerRole.Worker, _nonce, _serverNonce, _session))
                    throw new ProtocolException("it did not prove that it has the token; somebody may be in between");
                _isProven = true;
                _proven();
                break;
            default:
                throw new ProtocolException($"it sent {header.Kind} and asked for no proof: it has no token, or somebody is in between; start it with --token-file");
        }
    }

    private void Fail(string failure)
    {
        _failure = $"The server {_sink.Peer} is not trusted: {failure}.";
        _distrusted(_failure);
        _sink.Close();
    }

    private void Send(FrameKind kind, Action<IBufferWriter<byte>> write)
    {
        var payload = new ArrayBufferWriter<byte>(Limits.HandshakeBytes);
        write(payload);
        _sink.Send(new FrameHeader(kind) { Session = _session }, payload.WrittenSpan);
    }
}
