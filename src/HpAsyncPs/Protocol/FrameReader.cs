using System;
using System.Buffers;

namespace HpAsyncPs.Protocol;

/// <summary>Cuts frames out of a byte stream. Every field is checked before its payload is waited for.</summary>
public static class FrameReader
{
    /// <summary>The same with the largest payload that the protocol has.</summary>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out FrameHeader header, out ReadOnlySequence<byte> payload) =>
        TryRead(ref buffer, Limits.ChunkBytes, out header, out payload);

    /// <summary>
    /// Takes one whole frame off the front of <paramref name="buffer"/>. Returns false, and leaves the buffer as it
    /// was, when the frame has not arrived whole.
    /// </summary>
    /// <param name="buffer">What has arrived.</param>
    /// <param name="mostPayload">Bytes that a payload may have here, at most <see cref="Limits.ChunkBytes"/>.</param>
    /// <param name="header">The frame's.</param>
    /// <param name="payload">In place.</param>
    /// <exception cref="ProtocolException">The bytes are not a frame of this protocol, or break a limit.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, int mostPayload, out FrameHeader header, out ReadOnlySequence<byte> payload)
    {
        payload = default;
        header = default;
        if (buffer.Length < FrameHeader.Bytes)
            return false;

        bool intact;
        if (buffer.FirstSpan.Length >= FrameHeader.Bytes)
        {
            intact = FrameHeader.TryRead(buffer.FirstSpan[..FrameHeader.Bytes], out header);
        }
        else
        {
            Span<byte> copy = stackalloc byte[FrameHeader.Bytes];
            buffer.Slice(0, FrameHeader.Bytes).CopyTo(copy);
            intact = FrameHeader.TryRead(copy, out header);
        }

        Check(header, intact);
        if (header.PayloadLength > mostPayload)
            throw new ProtocolException($"A {header.Kind} frame announces {header.PayloadLength} bytes; a frame has at most {mostPayload} here, "
                + "as the number of workers and admission decide.")
            { Fault = FrameFault.WrongLength };
        if (buffer.Length < FrameHeader.Bytes + (long)header.PayloadLength)
            return false;
        payload = buffer.Slice(FrameHeader.Bytes, header.PayloadLength);
        if (header.PayloadChecksum != 0 && header.PayloadChecksum != Crc32C.Of(payload))
            throw new ProtocolException($"The checksum of the payload of a {header.Kind} frame does not agree: the link or the peer corrupts data.") { Fault = FrameFault.Unreadable };
        buffer = buffer.Slice(payload.End);
        return true;
    }

    private static void Check(in FrameHeader header, bool intact)
    {
        if (header.Magic != FrameHeader.MagicValue)
        {
            throw new ProtocolException(
                $"Expected an HpAsyncPs frame, got bytes that start with 0x{header.Magic:x8}: is this a port of hpaps-server?")
            { Fault = FrameFault.Unreadable };
        }

        if (header.Protocol != Limits.ProtocolVersion)
        {
            throw new ProtocolException($"The peer speaks protocol {header.Protocol}, this program speaks {Limits.ProtocolVersion}: "
                + "run the same release at both ends.")
            { Fault = FrameFault.Unreadable };
        }

        if (!intact)
            throw new ProtocolException("The checksum of a frame header does not agree: the link or the peer corrupts data.") { Fault = FrameFault.Unreadable };
        if (header.Shard != 0 || (header.Flags & ~(FrameFlags.Last | FrameFlags.Evaluate | FrameFlags.Final | FrameFlags.Pull | FrameFlags.Own | FrameFlags.Retry | FrameFlags.Change | FrameFlags.Half)) != 0)
            throw new ProtocolException("A frame uses a field that this version reserves: shard or a flag.");
        if (header.Flags.Has(FrameFlags.Own) && header.Kind != FrameKind.Snapshot)
            throw new ProtocolException($"A {header.Kind} frame has flag own, which only a snapshot may have.");
        if (header.Flags.Has(FrameFlags.Change) && (header.Kind != FrameKind.Snapshot || header.Flags.Has(FrameFlags.Own)))
            throw new ProtocolException($"A {header.Kind} frame has flag change, which only a snapshot of the aggregate may have.");
        if (header.Flags.Has(FrameFlags.Retry) && header.Kind != FrameKind.Refused)
            throw new ProtocolException($"A {header.Kind} frame has flag retry, which only a refusal may have.");
        if (header.Flags.Has(FrameFlags.Half) && (header.Kind is not (FrameKind.Push or FrameKind.Snapshot) || (header.Flags & (FrameFlags.Own | FrameFlags.Evaluate)) != 0))
            throw new ProtocolException($"A {header.Kind} frame has flag half, which only a push or a snapshot to train from may have.");
        if (header.Flags.Has(FrameFlags.Pull) && !(header.Kind == FrameKind.Push && header.Flags.Has(FrameFlags.Last)))
            throw new ProtocolException($"A {header.Kind} frame has flag pull, which only the last chunk of a push may have.");
        switch (header.Kind)
        {
            case FrameKind.Push or FrameKind.Snapshot or FrameKind.Model:
                CheckChunk(header);
                break;
            case FrameKind.Acknowledged or FrameKind.Pull or FrameKind.Heartbeat or FrameKind.Check or FrameKind.Collect:
                if (header.PayloadLength != 0)
                    throw new ProtocolException($"A {header.Kind} frame has no payload; this one announces {header.PayloadLength} bytes.") { Fault = FrameFault.WrongLength };
                break;
            case (>= FrameKind.Join and <= FrameKind.Members) or FrameKind.Adopt or FrameKind.Codec or FrameKind.Pace:
                if (header.PayloadLength is 0 or > Limits.ControlBytes)
                {
                    throw new ProtocolException($"A {header.Kind} message has 1 to {Limits.ControlBytes} bytes; "
                        + $"this one announces {header.PayloadLength}.")
                    { Fault = FrameFault.WrongLength };
                }

                break;
            case >= FrameKind.Hello and <= FrameKind.Proven:
                if (header.PayloadLength is 0 or > Limits.HandshakeBytes)
                    throw new ProtocolException($"A {header.Kind} message has 1 to {Limits.HandshakeBytes} bytes; this one announces {header.PayloadLength}.") { Fault = FrameFault.WrongLength };
                break;
            default:
                throw new ProtocolException($"Unknown frame kind {(byte)header.Kind}.");
        }
    }

    private static void CheckChunk(in FrameHeader header)
    {
        bool fits = header.Codec switch
        {
            CodecId.Fp32 => header.PayloadLength == header.KeyCount * sizeof(float),
            >= CodecId.Rows and <= CodecId.TopK => header.PayloadLength <= header.KeyCount * sizeof(float), // else it would have been sent as fp32
            _ => throw new ProtocolException($"Unknown codec {(byte)header.Codec} in a {header.Kind} frame.") { Fault = FrameFault.Codec },
        };
        if (header.Kind == FrameKind.Model && header.Codec != CodecId.Fp32)
            throw new ProtocolException($"What a server collects is fp32; this has codec {header.Codec}.") { Fault = FrameFault.Codec };
        bool isValues = header.Kind == FrameKind.Snapshot && !header.Flags.Has(FrameFlags.Change);
        if (isValues && header.Codec is not (CodecId.Fp32 or CodecId.Rows))
            throw new ProtocolException($"A snapshot that is no change is fp32 or rows; this one has codec {header.Codec}.") { Fault = FrameFault.Codec };
        if (header.KeyCount is 0 or > Limits.ChunkParameters || !fits)
        {
            throw new ProtocolException($"A {header.Kind} chunk has 1 to {Limits.ChunkParameters} keys of at most 4 bytes; "
                + $"this one announces {header.KeyCount} keys in {header.PayloadLength} bytes, codec {header.Codec}.")
            { Fault = FrameFault.WrongLength };
        }

        if (header.KeyBegin > Limits.Parameters || header.KeyBegin + header.KeyCount > Limits.Parameters)
            throw new ProtocolException($"Keys from {header.KeyBegin} on, {header.KeyCount} of them, exceed {Limits.Parameters} parameters.") { Fault = FrameFault.OutOfRange };
    }
}
