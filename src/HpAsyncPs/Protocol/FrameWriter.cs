using System;
using System.Buffers;

namespace HpAsyncPs.Protocol;

/// <summary>Where frames go: a connection, or the in-memory network of the tests.</summary>
public interface IFrameSink
{
    /// <summary>The other end, for messages.</summary>
    string Peer { get; }

    /// <summary>
    /// Sends one frame; both arguments are copied before it returns. False when the sink has enough for now: go on
    /// when it says that it is writable again. A sink that has closed swallows frames.
    /// </summary>
    bool Send(FrameHeader header, ReadOnlySpan<byte> payload);

    /// <summary>The same for a frame that another one follows at once: a sink may send the two together.</summary>
    bool SendFollowed(FrameHeader header, ReadOnlySpan<byte> payload) => Send(header, payload);

    /// <summary>The other end may be another host: bytes may be what is waited for.</summary>
    bool HasLink => false;

    /// <summary>Bytes a second that the link takes, as measured lately; infinite: there is no link, or it was never full.</summary>
    double BytesPerSecond => double.PositiveInfinity;

    /// <summary>TCP segments that were sent again; 0 where there is no TCP, or the system does not tell.</summary>
    long RetransmittedSegments => 0;

    /// <summary>Closes after what was sent has gone.</summary>
    void Close();
}

/// <summary>Puts frames into a byte stream.</summary>
public static class FrameWriter
{
    /// <summary>Writes header and payload; payload length and checksum are filled in.</summary>
    public static void Write(IBufferWriter<byte> output, FrameHeader header, ReadOnlySpan<byte> payload)
    {
        header.PayloadLength = (uint)payload.Length;
        header.Write(output.GetSpan(FrameHeader.Bytes));
        output.Advance(FrameHeader.Bytes);
        while (!payload.IsEmpty)
        {
            Span<byte> room = output.GetSpan(1);
            int count = Math.Min(room.Length, payload.Length);
            payload[..count].CopyTo(room);
            output.Advance(count);
            payload = payload[count..];
        }
    }
}
