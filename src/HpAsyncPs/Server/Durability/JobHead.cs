using System;
using System.Buffers;
using System.Buffers.Binary;
using System.IO;
using HpAsyncPs.Protocol;
using MessagePack;

namespace HpAsyncPs.Server.Durability;

/// <summary>
/// The head of a checkpoint: all but the vectors. Its length in bytes (4) and itself, in as many sections as it takes. MessagePack: [format, position, version, agreed, seconds, rate, policy, [rank ...]].
/// </summary>
internal sealed record JobHead
{
    private const int Format = 1;
    private const int Fields = 8;

    /// <summary>What comes from this position of the journal on is to be replayed.</summary>
    public required long Position { get; init; }

    /// <summary>The shard's.</summary>
    public required ulong Version { get; init; }

    /// <summary>What all agreed on when training began, as a request for admission.</summary>
    public required JoinMessage Agreed { get; init; }

    /// <summary>Of training so far.</summary>
    public required double Seconds { get; init; }

    /// <summary>Learning rate of an optimiser; 0 without one.</summary>
    public required double Rate { get; init; }

    /// <summary>Name of the policy.</summary>
    public required string Policy { get; init; }

    /// <summary>One for each rank.</summary>
    public required RankHead[] Ranks { get; init; }

    public void Write(IBufferWriter<byte> output)
    {
        var join = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields);
        writer.Write(Format);
        writer.Write(Position);
        writer.Write(Version);
        Agreed.Write(join);
        writer.Write(join.WrittenSpan);
        writer.Write(Seconds);
        writer.Write(Rate);
        writer.Write(Policy);
        writer.WriteArrayHeader(Ranks.Length);
        foreach (RankHead rank in Ranks)
        {
            join.ResetWrittenCount();
            rank.Write(ref writer, join);
        }

        writer.Flush();
    }

    /// <summary>Appends its length and itself.</summary>
    public void WriteWithLength(ArrayBufferWriter<byte> output)
    {
        var own = new ArrayBufferWriter<byte>();
        Write(own);
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(sizeof(int)), own.WrittenCount);
        output.Advance(sizeof(int));
        output.Write(own.WrittenSpan);
    }

    /// <summary>The first sections of a checkpoint; null: they do not make a whole head.</summary>
    /// <exception cref="InputException">It is of another release.</exception>
    public static JobHead? Read(CheckpointReader reader)
    {
        var head = new ArrayBufferWriter<byte>();
        int length = int.MaxValue;
        while (head.WrittenCount < length && reader.TryNext(out ReadOnlyMemory<byte> section))
        {
            ReadOnlySpan<byte> piece = section.Span;
            if (length == int.MaxValue && piece.Length > sizeof(int))
            {
                length = BinaryPrimitives.ReadInt32LittleEndian(piece);
                piece = piece[sizeof(int)..];
            }

            head.Write(piece);
        }

        return head.WrittenCount == length ? Read(head.WrittenMemory) : null;
    }

    /// <exception cref="InputException">It is of another release.</exception>
    public static JobHead Read(ReadOnlyMemory<byte> section)
    {
        try
        {
            var reader = new MessagePackReader(section);
            if (reader.ReadArrayHeader() != Fields || reader.ReadInt32() != Format)
                throw new InputException("The checkpoint was written by another release: go on with that one, or begin anew with another state folder.");
            var head = new JobHead
            {
                Position = reader.ReadInt64(),
                Version = reader.ReadUInt64(),
                Agreed = JoinMessage.Read(reader.ReadBytes() ?? throw new ProtocolException("nothing was agreed on")),
                Seconds = reader.ReadDouble(),
                Rate = reader.ReadDouble(),
                Policy = reader.ReadString() ?? "",
                Ranks = new RankHead[MessageParts.Within(reader.ReadArrayHeader(), 0, Limits.Workers, "the number of ranks")],
            };
            for (int rank = 0; rank < head.Ranks.Length; rank++)
                head.Ranks[rank] = RankHead.Read(ref reader);
            return head;
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or ProtocolException)
        {
            throw new InputException($"The head of the checkpoint cannot be read ({e.Message}): is it of another release?", e);
        }
    }
}

/// <summary>
/// What a checkpoint holds of a rank. MessagePack: [session, join, sequence, next key, clock, factor, weight, passes, passes before, uplink, downlink, generation, has left].
/// </summary>
internal sealed record RankHead
{
    private const int Fields = 13;

    public required ulong Session { get; init; }

    public required JoinMessage Join { get; init; }

    public required ulong Sequence { get; init; }

    public required uint NextKey { get; init; }

    /// <summary>Pushes as the policy counts them.</summary>
    public required ulong Clock { get; init; }

    /// <summary>Of its vector in the sum.</summary>
    public required double Factor { get; init; }

    /// <summary>Of its data in objective and passes.</summary>
    public required double Weight { get; init; }

    public required double Passes { get; init; }

    public required double PassesBefore { get; init; }

    public required long UplinkBytes { get; init; }

    public required long DownlinkBytes { get; init; }

    public required ulong Generation { get; init; }

    public required bool HasLeft { get; init; }

    public void Write(ref MessagePackWriter writer, ArrayBufferWriter<byte> join)
    {
        Join.Write(join);
        writer.WriteArrayHeader(Fields);
        writer.Write(Session);
        writer.Write(join.WrittenSpan);
        writer.Write(Sequence);
        writer.Write(NextKey);
        writer.Write(Clock);
        writer.Write(Factor);
        writer.Write(Weight);
        writer.Write(Passes);
        writer.Write(PassesBefore);
        writer.Write(UplinkBytes);
        writer.Write(DownlinkBytes);
        writer.Write(Generation);
        writer.Write(HasLeft);
    }

    public static RankHead Read(ref MessagePackReader reader)
    {
        if (reader.ReadArrayHeader() != Fields)
            throw new ProtocolException($"a rank has {Fields} fields");
        return new RankHead
        {
            Session = reader.ReadUInt64(),
            Join = JoinMessage.Read(reader.ReadBytes() ?? throw new ProtocolException("a rank without its request for admission")),
            Sequence = reader.ReadUInt64(),
            NextKey = reader.ReadUInt32(),
            Clock = reader.ReadUInt64(),
            Factor = reader.ReadDouble(),
            Weight = reader.ReadDouble(),
            Passes = reader.ReadDouble(),
            PassesBefore = reader.ReadDouble(),
            UplinkBytes = reader.ReadInt64(),
            DownlinkBytes = reader.ReadInt64(),
            Generation = reader.ReadUInt64(),
            HasLeft = reader.ReadBoolean(),
        };
    }
}
