using System;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Codecs;

/// <summary>What both ends of a session compare now and then: a checksum of the same part of their reconstructions, bit for bit.</summary>
public static class VectorChecksum
{
    /// <summary>XXH3, 64 bits, of the floats as they are on the wire.</summary>
    public static ulong Of(ReadOnlySpan<float> values) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(values));
}
