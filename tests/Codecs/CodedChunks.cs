using System;
using HpAsyncPs.Codecs;

namespace HpAsyncPs.Tests.Codecs;

/// <summary>Every way to code a chunk, and what the tests of all of them need.</summary>
internal static class CodedChunks
{
    public const int RowLength = 6;

    public static readonly CodecSettings[] All = Make();

    /// <summary>Codes a chunk as these settings say; h moves.</summary>
    public static byte[] Encode(DeltaEncoder encoder, CodecSettings settings, ReadOnlySpan<float> x, Span<float> h, out DeltaCodec codec)
    {
        byte[] payload = new byte[DeltaEncoder.MostBytes(settings, x.Length)];
        return payload[..encoder.Encode(x, h, payload, out codec)];
    }

    private static CodecSettings[] Make()
    {
        ValueCodec[] values = [ValueCodec.Fp32, ValueCodec.Bf16, ValueCodec.Int8, ValueCodec.Int4];
        var all = new CodecSettings[8 * values.Length];
        int at = 0;
        foreach (ValueCodec codec in values)
        {
            foreach (CodecSettings settings in new[] { CodecSettings.Dense(codec), CodecSettings.TopK(0.01, codec), CodecSettings.TopK(0.3, codec), CodecSettings.Rows(RowLength, codec) })
            {
                all[at++] = settings;
                all[at++] = settings with { Seed = 5 };
            }
        }

        return all;
    }
}
