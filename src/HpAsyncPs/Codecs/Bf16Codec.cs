using System;
using System.Runtime.InteropServices;

namespace HpAsyncPs.Codecs;

/// <summary>
/// Values as bf16: the upper half of a binary32, rounded to the nearest, ties to even. Little-endian, n values:
/// <code>
/// offset size field
///      0  2 n values         bf16: sign, 8 bits of exponent, 7 of fraction
/// </code>
/// Files that must agree: this one, Kernels/Bf16Kernel.cs, docs/codecs.md.
/// </summary>
public static class Bf16Codec
{
    /// <summary>Bytes of a value.</summary>
    public const int ValueBytes = sizeof(ushort);

    /// <summary>|x - h - c| is at most this times |x - h|, and at most <see cref="SmallestError"/> where x - h is subnormal.</summary>
    public const float RelativeError = 1f / 256;

    /// <summary>2^-134: half of the smallest difference of two bf16 numbers.</summary>
    public const float SmallestError = 4.5917748e-41f;

    /// <summary>The largest magnitude of values; infinity if one is infinite, NaN if one is NaN.</summary>
    public static float LargestMagnitude(ReadOnlySpan<byte> values)
    {
        int largest = 0;
        foreach (ushort bits in MemoryMarshal.Cast<byte, ushort>(values))
            largest = Math.Max(largest, bits & short.MaxValue); // in the order of the bits, NaN is above infinity
        return BitConverter.Int32BitsToSingle(largest << 16);
    }
}
