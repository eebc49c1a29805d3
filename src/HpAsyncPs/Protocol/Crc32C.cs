using System;
using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Protocol;

/// <summary>CRC-32C (Castagnoli), as in RFC 3720, on the processor's own instruction.</summary>
public static class Crc32C
{
    /// <summary>The checksum of some bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Append(uint.MaxValue, bytes);

    /// <summary>The checksum of bytes in several pieces.</summary>
    public static uint Of(in ReadOnlySequence<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (ReadOnlyMemory<byte> piece in bytes)
            crc = Append(crc, piece.Span);
        return ~crc;
    }

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        for (int j = 0; j < words.Length; j++)
            crc = BitOperations.Crc32C(crc, words[j]);
        foreach (byte last in bytes[(words.Length * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, last);
        return crc;
    }
}
