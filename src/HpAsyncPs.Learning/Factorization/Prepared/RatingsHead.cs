using System;
using System.Buffers.Binary;
using System.IO.Hashing;
using HpAsyncPs.Learning.Data.Prepared;

namespace HpAsyncPs.Learning.Factorization.Prepared;

/// <summary>
/// How a file of prepared ratings begins; all numbers are little-endian. Behind it is what all workers need: for each item the end of its id and its training ratings (4 bytes each), the ids,
/// and for each block its users, its ratings, its held-out ratings, the bytes of its users' ids (4 bytes each) and its checksum (8). Then the blocks (<see cref="RatingsBlock"/>).
/// </summary>
internal sealed record RatingsHead
{
    /// <summary>Bytes of the head.</summary>
    public const int Bytes = PreparedHead.Bytes;

    /// <summary>Bytes of a block in the table.</summary>
    public const int TableEntryBytes = 24;

    /// <summary>Most blocks.</summary>
    public const int MostBlocks = 1 << 20;

    private const int Version = 1;
    private const int ChecksumOffset = Bytes - sizeof(ulong);

    /// <summary>As that of prepared rows, with another letter.</summary>
    public static ReadOnlySpan<byte> Magic => [0x89, (byte)'H', (byte)'P', (byte)'M', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n'];

    public int Blocks { get; init; }

    public int Users { get; init; }

    public int Items { get; init; }

    /// <summary>Bytes of the items' ids.</summary>
    public int IdBytes { get; init; }

    /// <summary>All ratings, those that are held out included.</summary>
    public long Ratings { get; init; }

    /// <summary>Share that was to be held out.</summary>
    public double Holdout { get; init; }

    /// <summary>Seed of what is held out.</summary>
    public ulong Seed { get; init; }

    /// <summary>Mean of the training ratings.</summary>
    public double Mean { get; init; }

    /// <summary>Their standard deviation.</summary>
    public double Scale { get; init; }

    /// <summary>Length of the whole file.</summary>
    public long Length { get; init; }

    /// <summary>Of what is between head and blocks, which has the checksums of the blocks.</summary>
    public ulong CommonChecksum { get; init; }

    /// <summary>Bytes between head and blocks.</summary>
    public long CommonBytes => (8L * Items) + IdBytes + ((long)TableEntryBytes * Blocks);

    public void Write(Span<byte> to)
    {
        to[..Bytes].Clear();
        Magic.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], Blocks);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], Users);
        BinaryPrimitives.WriteInt32LittleEndian(to[20..], Items);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], IdBytes);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], Ratings);
        BinaryPrimitives.WriteDoubleLittleEndian(to[40..], Holdout);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], Seed);
        BinaryPrimitives.WriteDoubleLittleEndian(to[56..], Mean);
        BinaryPrimitives.WriteDoubleLittleEndian(to[64..], Scale);
        BinaryPrimitives.WriteInt64LittleEndian(to[72..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(to[80..], CommonChecksum);
        BinaryPrimitives.WriteUInt64LittleEndian(to[ChecksumOffset..], XxHash3.HashToUInt64(to[..ChecksumOffset]));
    }

    /// <summary>Reads it, and checks all that can be without the rest of the file.</summary>
    /// <param name="from">The first bytes of a file that begins with <see cref="Magic"/>; fewer than <see cref="Bytes"/> if it has no more.</param>
    /// <param name="length">Length of the file.</param>
    /// <param name="source">Its path, for messages.</param>
    /// <exception cref="InputException">It is of another version, or damaged.</exception>
    public static RatingsHead Read(ReadOnlySpan<byte> from, long length, string source)
    {
        PreparedHead.Check(from, Version, source);
        var head = new RatingsHead
        {
            Blocks = BinaryPrimitives.ReadInt32LittleEndian(from[12..]),
            Users = BinaryPrimitives.ReadInt32LittleEndian(from[16..]),
            Items = BinaryPrimitives.ReadInt32LittleEndian(from[20..]),
            IdBytes = BinaryPrimitives.ReadInt32LittleEndian(from[24..]),
            Ratings = BinaryPrimitives.ReadInt64LittleEndian(from[32..]),
            Holdout = BinaryPrimitives.ReadDoubleLittleEndian(from[40..]),
            Seed = BinaryPrimitives.ReadUInt64LittleEndian(from[48..]),
            Mean = BinaryPrimitives.ReadDoubleLittleEndian(from[56..]),
            Scale = BinaryPrimitives.ReadDoubleLittleEndian(from[64..]),
            Length = BinaryPrimitives.ReadInt64LittleEndian(from[72..]),
            CommonChecksum = BinaryPrimitives.ReadUInt64LittleEndian(from[80..]),
        };
        PreparedHead.CheckLength(head.Length, length, source);
        bool good = head is { Blocks: >= 1 and <= MostBlocks, Users: >= 1, Items: >= 1, IdBytes: >= 0, Ratings: >= 1, Holdout: >= 0 and < 1 } && head.CommonBytes <= Math.Min(Array.MaxLength, length - Bytes)
            && double.IsFinite(head.Mean) && double.IsFinite(head.Scale) && head.Scale > 0;
        return good ? head : throw PreparedHead.Damaged(source, "is damaged: the numbers of its head do not fit each other");
    }
}
