using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <summary>
/// A push that the worker's newest snapshot does not contain yet, coded, chunk by chunk: as it goes out, and goes out again over another connection.
/// No chunk is longer than its floats.
/// </summary>
internal sealed class PendingPush(FloatBuffer room, int chunkKeys) : IDisposable
{
    private readonly int[] _lengths = new int[(room.Length + chunkKeys - 1) / chunkKeys];
    private readonly CodecId[] _codecs = new CodecId[(room.Length + chunkKeys - 1) / chunkKeys];

    /// <summary>The first key that is not encoded yet.</summary>
    public int Encoded { get; set; }

    public ulong Sequence { get; set; }

    public ulong FromVersion { get; set; }

    public uint PassesQ8 { get; set; }

    /// <summary>It is the first half of a round of two exchanges.</summary>
    public bool IsHalf { get; set; }

    /// <summary>It asks for a snapshot too.</summary>
    public bool Pulls { get; set; }

    /// <summary>A check goes out behind it.</summary>
    public bool HasCheck { get; set; }

    /// <summary>Checksum of the reconstruction of that chunk, after this push.</summary>
    public (int Chunk, ulong Checksum) Check { get; set; }

    /// <summary>Where a chunk is to be encoded.</summary>
    public Span<byte> Room(int begin, int count) => MemoryMarshal.AsBytes(room.Span.Slice(begin, count));

    /// <summary>A chunk is encoded.</summary>
    public void Set(int begin, int count, CodecId codec, int length)
    {
        (_codecs[begin / chunkKeys], _lengths[begin / chunkKeys]) = (codec, length);
        Encoded = begin + count;
    }

    public CodecId Codec(int begin) => _codecs[begin / chunkKeys];

    public ReadOnlySpan<byte> Payload(int begin, int count) => Room(begin, count)[.._lengths[begin / chunkKeys]];

    public void Dispose() => room.Dispose();
}
