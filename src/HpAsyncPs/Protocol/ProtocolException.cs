using System;

namespace HpAsyncPs.Protocol;

/// <summary>A peer sent what the protocol does not allow. The message says what was expected; the connection closes.</summary>
public sealed class ProtocolException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Nothing is wrong with the peer: it may try again later.</summary>
    public bool MayRetry { get; init; }
}
