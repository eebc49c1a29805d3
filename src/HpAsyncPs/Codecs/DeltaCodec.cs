using System;

namespace HpAsyncPs.Codecs;

/// <summary>How a chunk of a delta is coded. The numbers are those of the wire.</summary>
public enum DeltaCodec : byte
{
    /// <summary>All values, as <see cref="ValueCodec.Fp32"/>.</summary>
    Fp32 = 1,

    /// <summary>The rows that changed: see <see cref="RowsCodec"/>.</summary>
    Rows = 2,

    /// <summary>All values, as <see cref="ValueCodec.Bf16"/>.</summary>
    Bf16 = 3,

    /// <summary>All values, as <see cref="ValueCodec.Int8"/>.</summary>
    Int8 = 4,

    /// <summary>All values, as <see cref="ValueCodec.Int4"/>.</summary>
    Int4 = 5,

    /// <summary>The values of largest magnitude: see <see cref="TopKCodec"/>.</summary>
    TopK = 6,
}

/// <summary>What an encoder is to make of a delta.</summary>
public readonly record struct CodecSettings
{
    private CodecSettings(DeltaCodec codec, ValueCodec values, double ratio, int rowLength)
    {
        if (!ValueCoding.IsKnown(values))
            throw new ArgumentOutOfRangeException(nameof(values), values, "There is no such codec for values.");
        (Codec, Values, Ratio, RowLength) = (codec, values, ratio, rowLength);
    }

    /// <summary>Which.</summary>
    public DeltaCodec Codec { get; }

    /// <summary>How the values that travel are coded.</summary>
    public ValueCodec Values { get; }

    /// <summary>Of <see cref="DeltaCodec.TopK"/>: which part of the values travels.</summary>
    public double Ratio { get; }

    /// <summary>Of <see cref="DeltaCodec.Rows"/>: parameters in a row.</summary>
    public int RowLength { get; }

    /// <summary>If given, whole numbers and powers of two are rounded at random, with this seed, and damped; else to the nearest. Fp32 and bf16 round to the nearest in any case.</summary>
    public ulong? Seed { get; init; }

    /// <summary>All values.</summary>
    public static CodecSettings Dense(ValueCodec values) => new((DeltaCodec)values, values, 1, 1);

    /// <summary>Of each chunk the values of largest magnitude.</summary>
    /// <param name="ratio">Which part, above 0 and up to 1: of n values this times n rounded up.</param>
    /// <param name="values">How they are coded.</param>
    public static CodecSettings TopK(double ratio, ValueCodec values) => ratio is > 0 and <= 1
        ? new(DeltaCodec.TopK, values, ratio, 1)
        : throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The ratio is above 0 and at most 1.");

    /// <summary>Of each chunk the rows that changed.</summary>
    /// <param name="rowLength">Parameters in a row, at least 1.</param>
    /// <param name="values">How they are coded.</param>
    public static CodecSettings Rows(int rowLength, ValueCodec values) => rowLength >= 1
        ? new(DeltaCodec.Rows, values, 1, rowLength)
        : throw new ArgumentOutOfRangeException(nameof(rowLength), rowLength, "A row has at least one parameter.");
}
