using System.Buffers;
using MessagePack;

namespace HpAsyncPs.Protocol;

/// <summary>
/// The worker of a rank is lost for good: train its part of the data as well, in a session of its own that joins with that rank.
/// MessagePack: [rank]. A worker that cannot read that part does nothing, and the server gives the job up in time.
/// </summary>
/// <param name="Rank">Whose part.</param>
public sealed record AdoptMessage(int Rank)
{
    private const int Fields = 1;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Rank);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static AdoptMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Adopt, Fields,
        static (ref MessagePackReader reader) => new AdoptMessage(MessageParts.Within(reader.ReadInt32(), 0, Limits.Workers - 1, "rank")));
}
