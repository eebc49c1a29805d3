using System;
using System.Globalization;

namespace HpAsyncPs.Codecs;

/// <summary>
/// How a job's deltas are coded, as users write it: <c>auto</c>, <c>fp32</c>, <c>bf16</c>, <c>int8</c>, <c>int4</c>, or <c>topk:RATIO[:VALUES]</c> with one of those for its values.
/// In a model with rows only the rows that changed travel, in any of them but topk; <c>rows[:VALUES]</c> is the same as VALUES.
/// </summary>
public sealed record CodecSpec
{
    /// <summary>What help texts say.</summary>
    public const string Help = "auto, fp32, bf16, int8, int4 or topk:RATIO[:VALUES] (of each chunk only the part RATIO of the values that changed most, as VALUES; int8 if not given); int8 and int4 round at random where :stochastic[:SEED] follows";

    private const string TopKName = "topk";
    private const string RowsName = "rows";
    private const string StochasticName = "stochastic";
    private const ulong BetweenStreams = 0x9e3779b97f4a7c15; // odd, so that streams differ

    private CodecSpec(string name, ValueCodec values, double? ratio) => (Name, Values, Ratio) = (name, values, ratio);

    /// <summary>Values as they are.</summary>
    public static CodecSpec Fp32 { get; } = new("fp32", ValueCodec.Fp32, null);

    /// <summary>Whole numbers are rounded at random, with this seed, and damped; null: to the nearest.</summary>
    public ulong? Seed { get; private init; }

    /// <summary>The server chooses, and chooses again.</summary>
    public static CodecSpec Auto { get; } = new("auto", ValueCodec.Fp32, null);

    /// <summary>As it is written.</summary>
    public string Name { get; }

    /// <summary>How values are coded.</summary>
    public ValueCodec Values { get; }

    /// <summary>Which part of them travels; null: all.</summary>
    public double? Ratio { get; }

    /// <summary>All values, coded so.</summary>
    public static CodecSpec Of(ValueCodec values) => values switch
    {
        ValueCodec.Bf16 => Parse("bf16"),
        ValueCodec.Int8 => Parse("int8"),
        ValueCodec.Int4 => Parse("int4"),
        _ => Fp32,
    };

    /// <summary>Reads a codec.</summary>
    /// <exception cref="FormatException">There is no such codec; says which there are.</exception>
    public static CodecSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        if (text == Auto.Name)
            return Auto;
        if (parts.Length == 1 && ValuesOf(text) is { } dense)
            return new CodecSpec(text, dense, null);
        if (parts is [RowsName] or [RowsName, _] && ValuesOf(parts.Length == 2 ? parts[1] : Fp32.Name) is { } values)
            return new CodecSpec(parts.Length == 2 ? parts[1] : Fp32.Name, values, null);
        if (parts is [TopKName, _] or [TopKName, _, _] && ValuesOf(parts.Length == 3 ? parts[2] : "int8") is { } some
            && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double ratio) && ratio is > 0 and <= 1)
            return new CodecSpec(text, some, ratio);
        if (parts is ["int8" or "int4", StochasticName] or ["int8" or "int4", StochasticName, _] && ulong.TryParse(parts.Length == 3 ? parts[2] : "1", NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
            return new CodecSpec(text, ValuesOf(parts[0])!.Value, null) { Seed = seed };
        throw new FormatException($"'{text}' is no codec: there are {Help}; RATIO is above 0 and at most 1");
    }

    /// <summary>What encoders of a model are to do.</summary>
    /// <param name="rowLength">Parameters in a row of the model.</param>
    /// <param name="stream">Whose they are: encoders of different numbers round differently at random.</param>
    public CodecSettings For(int rowLength, ulong stream = 0)
    {
        CodecSettings settings = Ratio is { } ratio ? CodecSettings.TopK(ratio, Values) : rowLength > 1 ? CodecSettings.Rows(rowLength, Values) : CodecSettings.Dense(Values);
        return Seed is { } seed ? settings with { Seed = seed + (stream * BetweenStreams) } : settings;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static ValueCodec? ValuesOf(string name) => name switch
    {
        "fp32" => ValueCodec.Fp32,
        "bf16" => ValueCodec.Bf16,
        "int8" => ValueCodec.Int8,
        "int4" => ValueCodec.Int4,
        _ => null,
    };
}
