using System.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Transport;

/// <summary>Who gets a connection's frames. Called on the thread of the connection's loop, one call at a time.</summary>
public interface IFrameHandler
{
    /// <summary>A whole frame came in; the payload is valid during the call only.</summary>
    void Received(in FrameHeader header, in ReadOnlySequence<byte> payload);

    /// <summary>The peer sent what is no frame. Nothing more will be read; tell it, and close.</summary>
    void Violated(string reason, FrameFault fault);

    /// <summary>The connection can take more after <see cref="IFrameSink.Send"/> had returned false.</summary>
    void Writable();

    /// <summary>The connection has ended. The last call.</summary>
    /// <param name="reason">What happened, or null when the peer closed it in order.</param>
    void Closed(string? reason);
}
