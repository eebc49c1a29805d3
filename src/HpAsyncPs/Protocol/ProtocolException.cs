using System;

namespace HpAsyncPs.Protocol;

/// <summary>What is wrong with a frame that is not accepted.</summary>
public enum FrameFault
{
    /// <summary>None of the others: a kind that does not belong here, a message that cannot be read.</summary>
    Other,

    /// <summary>It is no frame, or a checksum does not agree: something may have happened on the way.</summary>
    Unreadable,

    /// <summary>The codec is not known, or what it says contradicts itself.</summary>
    Codec,

    /// <summary>Payload or number of keys have another length than the protocol or the job has.</summary>
    WrongLength,

    /// <summary>Keys that do not exist.</summary>
    OutOfRange,

    /// <summary>It does not come next.</summary>
    OutOfTurn,

    /// <summary>A value is NaN or infinite.</summary>
    NotFinite,

    /// <summary>All values are finite, and a parameter would be larger than a limit allows.</summary>
    TooLarge,
}

/// <summary>A peer sent what the protocol does not allow. The message says what was expected; the connection closes.</summary>
public sealed class ProtocolException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Nothing is wrong with the peer: it may try again later.</summary>
    public bool MayRetry { get; init; }

    /// <summary>What is wrong.</summary>
    public FrameFault Fault { get; init; }
}
