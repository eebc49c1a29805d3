using System;
using System.Buffers.Binary;
using System.IO.Hashing;

namespace HpAsyncPs.Learning.Data.Prepared;

/// <summary>
/// How a prepared file begins; all numbers are little-endian. Behind it are the blocks (<see cref="PreparedBlock"/>), then for each block its rows, its
/// entries (4 bytes each) and its checksum (8), then the name of what it was made of.
/// </summary>
internal sealed record PreparedHead
{
    /// <summary>Bytes of the head.</summary>
    public const int Bytes = 128;

    /// <summary>Bytes of a block in the table.</summary>
    public const int TableEntryBytes = 16;

    /// <summary>Longest name of a source, in bytes.</summary>
    public const int LongestName = 4096;

    /// <summary>The format that this reads and writes.</summary>
    public const int Version = 1;

    private const int ChecksumOffset = Bytes - sizeof(ulong);

    /// <summary>Begins with a byte that no text has, and has line ends, which a transfer as text would change.</summary>
    public static ReadOnlySpan<byte> Magic => [0x89, (byte)'H', (byte)'P', (byte)'R', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n'];

    public long Rows { get; init; }

    public long Entries { get; init; }

    /// <summary>Number of columns.</summary>
    public int Features { get; init; }

    public float MinLabel { get; init; }

    public float MaxLabel { get; init; }

    /// <summary>The seed of the order.</summary>
    public ulong Seed { get; init; }

    public int Blocks { get; init; }

    /// <summary>Bytes of the name behind the table.</summary>
    public int NameBytes { get; init; }

    /// <summary>Length of the whole file.</summary>
    public long Length { get; init; }

    /// <summary>Of table and name; since the table has the blocks' checksums, of all rows.</summary>
    public ulong TableChecksum { get; init; }

    /// <summary>Where the table begins.</summary>
    public long TableOffset => Length - NameBytes - (Blocks * (long)TableEntryBytes);

    public void Write(Span<byte> to)
    {
        to[..Bytes].Clear();
        Magic.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], Blocks);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Rows);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], Entries);
        BinaryPrimitives.WriteInt32LittleEndian(to[32..], Features);
        BinaryPrimitives.WriteSingleLittleEndian(to[36..], MinLabel);
        BinaryPrimitives.WriteSingleLittleEndian(to[40..], MaxLabel);
        BinaryPrimitives.WriteInt32LittleEndian(to[44..], NameBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], Seed);
        BinaryPrimitives.WriteInt64LittleEndian(to[56..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(to[64..], TableChecksum);
        BinaryPrimitives.WriteUInt64LittleEndian(to[ChecksumOffset..], XxHash3.HashToUInt64(to[..ChecksumOffset]));
    }

    /// <summary>Reads it, and checks all that can be without the rest of the file.</summary>
    /// <param name="from">The first bytes of a file that begins with <see cref="Magic"/>; fewer than <see cref="Bytes"/> if it has no more.</param>
    /// <param name="length">Length of the file.</param>
    /// <param name="source">Its path, for messages.</param>
    /// <exception cref="InputException">It is of another version, or damaged.</exception>
    public static PreparedHead Read(ReadOnlySpan<byte> from, long length, string source)
    {
        Check(from, Version, source);
        var head = new PreparedHead
        {
            Blocks = BinaryPrimitives.ReadInt32LittleEndian(from[12..]),
            Rows = BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            Entries = BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
            Features = BinaryPrimitives.ReadInt32LittleEndian(from[32..]),
            MinLabel = BinaryPrimitives.ReadSingleLittleEndian(from[36..]),
            MaxLabel = BinaryPrimitives.ReadSingleLittleEndian(from[40..]),
            NameBytes = BinaryPrimitives.ReadInt32LittleEndian(from[44..]),
            Seed = BinaryPrimitives.ReadUInt64LittleEndian(from[48..]),
            Length = BinaryPrimitives.ReadInt64LittleEndian(from[56..]),
            TableChecksum = BinaryPrimitives.ReadUInt64LittleEndian(from[64..]),
        };
        CheckLength(head.Length, length, source);
        if (head.Blocks < 1 || head.Rows < head.Blocks || head.Entries < 0 || head.Features < 0 || head.NameBytes is < 0 or > LongestName || head.TableOffset < Bytes)
            throw Damaged(source, "is damaged: the numbers of its head do not fit each other");
        return head;
    }

    /// <summary>Refuses a head, of prepared rows or of ratings, that is cut off, of another version, or damaged.</summary>
    /// <param name="from">The head.</param>
    /// <param name="own">The version that is read.</param>
    /// <param name="source">Path of the file, for messages.</param>
    /// <exception cref="InputException">It is one.</exception>
    public static void Check(ReadOnlySpan<byte> from, int own, string source)
    {
        if (from.Length < Bytes)
            throw Damaged(source, $"is cut off after {from.Length} bytes, within its head");
        int version = BinaryPrimitives.ReadInt32LittleEndian(from[8..]);
        if (version != own)
            throw new InputException($"{source}: has version {version} of the prepared form, and this program reads version {own}; prepare it again with this version of hpaps");
        if (BinaryPrimitives.ReadUInt64LittleEndian(from[ChecksumOffset..]) != XxHash3.HashToUInt64(from[..ChecksumOffset]))
            throw Damaged(source, "is damaged: the checksum of its head is wrong");
    }

    /// <summary>Refuses a file that has been cut off, or is too long.</summary>
    /// <exception cref="InputException">It is one.</exception>
    public static void CheckLength(long expected, long length, string source)
    {
        if (length != expected)
            throw Damaged(source, length < expected ? $"is cut off: it has {length} of {expected} bytes" : $"has {length} bytes, and should have {expected}: something follows its end");
    }

    /// <summary>The error for a file that is not what was written.</summary>
    /// <param name="source">Its path.</param>
    /// <param name="what">What is wrong.</param>
    public static InputException Damaged(string source, string what) => new($"{source}: {what}; copy it again, or prepare it again");
}
