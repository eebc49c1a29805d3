using System.Buffers;
using MessagePack;

namespace HpAsyncPs.Protocol;

/// <summary>
/// How slow a worker is beside the others, where they wait for each other: it does so much less between two pushes. Before the snapshot from which it counts.
/// MessagePack: [lag].
/// </summary>
/// <param name="Lag">Its seconds for a pass over its data over those of the worker that sets the pace; from 1 to <see cref="MostLag"/>.</param>
public readonly record struct PaceMessage(double Lag)
{
    /// <summary>Slower than that is not told.</summary>
    public const double MostLag = 1e6;

    private const int Fields = 1;

    /// <summary>Appends the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Lag);
        writer.Flush();
    }

    /// <summary>Reads and checks a message.</summary>
    /// <exception cref="ProtocolException">It is malformed or out of limits.</exception>
    public static PaceMessage Read(ReadOnlySequence<byte> payload) => MessageParts.Parse(payload, FrameKind.Pace, Fields,
        static (ref MessagePackReader reader) => new PaceMessage(MessageParts.Finite(reader.ReadDouble(), "lag") is >= 1 and <= MostLag and var lag
            ? lag
            : throw new ProtocolException("The lag of a worker is from 1 to 1,000,000.")));
}
