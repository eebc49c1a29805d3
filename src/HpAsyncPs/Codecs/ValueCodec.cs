using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Codecs;

/// <summary>How a sequence of values is coded: a whole chunk, or the values that <see cref="RowsCodec"/> and <see cref="TopKCodec"/> pick of it.</summary>
public enum ValueCodec : byte
{
    /// <summary>Little-endian binary32, as they are.</summary>
    Fp32 = 1,

    /// <summary>See <see cref="Bf16Codec"/>.</summary>
    Bf16 = 3,

    /// <summary>See <see cref="BlockCodec"/>.</summary>
    Int8 = 4,

    /// <summary>See <see cref="BlockCodec"/>.</summary>
    Int4 = 5,
}

/// <summary>Sequences of values: one switch a call, never one a value.</summary>
public static class ValueCoding
{
    /// <summary>A range that is decoded begins at a multiple of this.</summary>
    public const int Align = BlockScale.Values;

    /// <summary>Is there such a codec?</summary>
    public static bool IsKnown(ValueCodec codec) => codec is ValueCodec.Fp32 or ValueCodec.Bf16 or ValueCodec.Int8 or ValueCodec.Int4;

    /// <summary>Bytes of a sequence; at most 4 for each value, except that a sequence of one value has 3 at least.</summary>
    /// <param name="codec">A known one.</param>
    /// <param name="count">Values.</param>
    public static long Bytes(ValueCodec codec, int count) => codec switch
    {
        ValueCodec.Fp32 => (long)count * sizeof(float),
        ValueCodec.Bf16 => (long)count * Bf16Codec.ValueBytes,
        ValueCodec.Int8 => BlockCodec.Int8Bytes(count),
        ValueCodec.Int4 => BlockCodec.Int4Bytes(count),
        _ => throw Unknown(codec),
    };

    /// <summary>Null when a sequence is well-formed, else what is wrong with it. NaN and infinity are well-formed: they are not finite.</summary>
    /// <param name="codec">Any number.</param>
    /// <param name="bytes">As they came.</param>
    /// <param name="count">Values.</param>
    public static string? Check(ValueCodec codec, ReadOnlySpan<byte> bytes, int count)
    {
        if (!IsKnown(codec))
            return $"there is no codec {(int)codec} for values";
        if (bytes.Length != Bytes(codec, count))
            return $"{count} values of codec {(int)codec} have {Bytes(codec, count)} bytes; these are {bytes.Length}";
        return codec is ValueCodec.Int8 or ValueCodec.Int4 ? BlockCodec.Check(bytes, count, codec == ValueCodec.Int4) : null;
    }

    /// <summary>c = x - h as the codec can say it; h += c.</summary>
    /// <param name="codec">A known one.</param>
    /// <param name="x">The new values.</param>
    /// <param name="h">The reconstruction, of the same length.</param>
    /// <param name="bytes">Exactly <see cref="Bytes"/> long.</param>
    /// <param name="dither">How whole numbers and powers of two are rounded.</param>
    public static void Encode(ValueCodec codec, ReadOnlySpan<float> x, Span<float> h, Span<byte> bytes, Dither dither)
    {
        switch (codec)
        {
            case ValueCodec.Fp32: DeltaKernel.Encode(x, h, MemoryMarshal.Cast<byte, float>(bytes)); break;
            case ValueCodec.Bf16: Bf16Kernel.Encode(x, h, bytes); break;
            case ValueCodec.Int8: BlockKernel.EncodeInt8(x, h, BlockCodec.Scales(bytes, x.Length), BlockCodec.Values(bytes, x.Length), dither); break;
            case ValueCodec.Int4: BlockKernel.EncodeInt4(x, h, BlockCodec.Scales(bytes, x.Length), BlockCodec.Values(bytes, x.Length), dither); break;
            default: throw Unknown(codec);
        }
    }

    /// <summary>Part of a sequence, decoded into the buffer, or where it came if it is fp32.</summary>
    /// <param name="codec">A known one.</param>
    /// <param name="bytes">A whole sequence that was checked.</param>
    /// <param name="count">Values of the sequence.</param>
    /// <param name="from">First value wanted, a multiple of <see cref="Align"/>.</param>
    /// <param name="buffer">As long as the part.</param>
    public static ReadOnlySpan<float> Decode(ValueCodec codec, ReadOnlySpan<byte> bytes, int count, int from, Span<float> buffer)
    {
        switch (codec)
        {
            case ValueCodec.Fp32:
                return MemoryMarshal.Cast<byte, float>(bytes).Slice(from, buffer.Length);
            case ValueCodec.Bf16:
                Bf16Kernel.Decode(bytes.Slice(from * Bf16Codec.ValueBytes, buffer.Length * Bf16Codec.ValueBytes), buffer);
                break;
            case ValueCodec.Int8:
                BlockKernel.DecodeInt8(BlockCodec.ScalesOf(bytes, from, buffer.Length), BlockCodec.Values(bytes, count).Slice(from, buffer.Length), buffer);
                break;
            case ValueCodec.Int4:
                BlockKernel.DecodeInt4(BlockCodec.ScalesOf(bytes, from, buffer.Length), BlockCodec.Values(bytes, count).Slice(from / 2, (buffer.Length + 1) / 2), buffer);
                break;
            default:
                throw Unknown(codec);
        }

        return buffer;
    }

    /// <summary>
    /// At least the largest magnitude in a sequence; exactly that of fp32 and bf16, 128 (int8) or 64 (int4) times the largest scale otherwise. Infinity if a value is infinite or could be, NaN if one is NaN.
    /// </summary>
    /// <param name="codec">A known one.</param>
    /// <param name="bytes">A whole sequence that was checked.</param>
    /// <param name="count">Values.</param>
    public static float LargestMagnitude(ValueCodec codec, ReadOnlySpan<byte> bytes, int count) => codec switch
    {
        ValueCodec.Fp32 => DeltaKernel.LargestMagnitude(MemoryMarshal.Cast<byte, float>(bytes)),
        ValueCodec.Bf16 => Bf16Codec.LargestMagnitude(bytes),
        ValueCodec.Int8 => BlockCodec.LargestScale(bytes, count) * -sbyte.MinValue,
        ValueCodec.Int4 => BlockCodec.LargestScale(bytes, count) * BlockScale.MostInt4,
        _ => throw Unknown(codec),
    };

    private static ArgumentOutOfRangeException Unknown(ValueCodec codec) => new(nameof(codec), codec, "There is no such codec for values.");
}
