using System.Buffers;
using MessagePack;

namespace HpAsyncPs.Protocol;

/// <summary>What an end of a connection is. The number goes into a proof, so that nobody's proof serves another.</summary>
public enum PeerRole : byte
{
    /// <summary>Trains and pushes.</summary>
    Worker = 1,

    /// <summary>Owns the shard.</summary>
    Server = 2,

    /// <summary>Only looks.</summary>
    Monitor = 3,
}

/// <summary>The first frame where a token is wanted; its header carries the session's number. MessagePack: [role, nonce].</summary>
/// <param name="Role">What the sender is.</param>
/// <param name="Nonce">32 random bytes.</param>
public sealed record HelloMessage(PeerRole Role, byte[] Nonce)
{
    private const int Fields = 2;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write((byte)Role);
        writer.Write(Nonce);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static HelloMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Hello, Fields,
        static (ref MessagePackReader reader) => new HelloMessage(
            (PeerRole)MessageParts.Within(reader.ReadInt32(), (int)PeerRole.Worker, (int)PeerRole.Monitor, "role"),
            MessageParts.Bytes(ref reader, Limits.NonceBytes, "A nonce")));
}

/// <summary>The server's half of what is to be proven over. MessagePack: [nonce].</summary>
/// <param name="Nonce">32 random bytes, drawn for this connection.</param>
public sealed record ChallengeMessage(byte[] Nonce)
{
    private const int Fields = 1;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Nonce);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static ChallengeMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Challenge, Fields,
        static (ref MessagePackReader reader) => new ChallengeMessage(MessageParts.Bytes(ref reader, Limits.NonceBytes, "A nonce")));
}

/// <summary>A proof of having the token (Proof, Proven). MessagePack: [code].</summary>
/// <param name="Code">The HMAC-SHA-256.</param>
public sealed record ProofMessage(byte[] Code)
{
    private const int Fields = 1;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Code);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static ProofMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Proof, Fields,
        static (ref MessagePackReader reader) => new ProofMessage(MessageParts.Bytes(ref reader, Limits.ProofBytes, "A proof")));
}
