using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server.Durability;

/// <summary>What a record is.</summary>
internal enum RecordKind
{
    /// <summary>Journal: a frame, header and payload.</summary>
    Frame = 1,

    /// <summary>Checkpoint: a section.</summary>
    Section = 2,

    /// <summary>Checkpoint: the end, with the number of sections in 8 bytes.</summary>
    End = 3,
}

/// <summary>
/// The unit of journals and checkpoints, little-endian:
/// <code>
/// offset size field
///      0    8 checksum  XXH3 of all that follows, padding included, with the seed of the file
///      8    8 position  where the record begins in the journal or the checkpoint
///     16    4 length    bytes of the body
///     20    4 kind      RecordKind
///     24    n body, zeros up to a multiple of 8
/// </code>
/// Seed and position keep what an earlier file left on the disk, whole and with a right checksum, from passing for a record of this one.
/// </summary>
internal static class DiskRecord
{
    public const int PositionOffset = 8;
    public const int LengthOffset = 16;
    public const int HeadBytes = 24;

    /// <summary>Most bytes of a body: two chunks and what describes them.</summary>
    public const int MostBody = (2 * Limits.ChunkBytes) + 4096;

    /// <summary>Records begin at multiples of this.</summary>
    public const int Alignment = 8;

    public const int MostBytes = HeadBytes + MostBody;

    /// <summary>Bytes of a record with a body of that many.</summary>
    public static int SizeOf(int body) => HeadBytes + ((body + Alignment - 1) & -Alignment);

    public static ulong LengthAndKind(int length, RecordKind kind) => (uint)length | ((ulong)kind << 32);
}
