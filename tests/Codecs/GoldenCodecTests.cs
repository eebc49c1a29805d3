using System;
using System.Globalization;
using System.IO;
using HpAsyncPs.Codecs;
using HpAsyncPs.Tests.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

/// <summary>The bytes that docs/codecs.md promises, in both directions.</summary>
public sealed class GoldenCodecTests
{
    [Fact]
    public void Fp32_is_as_documented() => Same("fp32", CodecSettings.Dense(ValueCodec.Fp32), [1, -2.5f, 0.15625f], [1, -2.5f, 0.15625f]);

    [Fact]
    public void Bf16_is_as_documented() => Same(
        "bf16", CodecSettings.Dense(ValueCodec.Bf16), [1, -2.5f, 1.00390625f, 1.01171875f, 3.1415927f, 1e-40f, 3.4e38f, float.NaN],
        [1, -2.5f, 1, 1.015625f, 3.140625f, 65536 * float.Epsilon, float.PositiveInfinity, float.NaN]);

    [Fact]
    public void Int8_is_as_documented()
    {
        Same("int8", CodecSettings.Dense(ValueCodec.Int8), [127, -126.5f, 2.5f, -0.25f, 0], [127, -126, 2, 0, 0]);
        Same("int8-not-finite", CodecSettings.Dense(ValueCodec.Int8), [1, float.NaN, 2], [float.NaN, float.NaN, float.NaN]);
    }

    [Fact]
    public void Int4_is_as_documented()
    {
        float[] x = new float[67], c = new float[67];
        for (int j = 0; j < 64; j++)
        {
            x[j] = (j % 2 == 0 ? 1 : -1) * (j + 1);
            int power = j + 1 >= 48 ? 64 : j + 1 >= 24 ? 32 : j + 1 >= 12 ? 16 : j + 1 >= 6 ? 8 : j + 1 >= 3 ? 4 : j + 1;
            c[j] = (j % 2 == 0 ? 1 : -1) * power;
        }

        const float scale = 0.0157470703125f; // 1.001 / 64 rounded up
        (x[64], x[65], x[66]) = (-1.001f, 0.0078f, 0.0079f);
        (c[64], c[65], c[66]) = (-64 * scale, 0, scale);
        Same("int4", CodecSettings.Dense(ValueCodec.Int4), x, c);
        Same("int4-tiny", CodecSettings.Dense(ValueCodec.Int4), [1e-38f, -2e-38f, 0], [0, 0, 0]);
    }

    [Fact]
    public void TopK_is_as_documented()
    {
        float[] x = new float[600];
        (x[0], x[3], x[300], x[599]) = (1, -2.5f, 0.15625f, 4);
        Same("topk-gaps", CodecSettings.TopK(0.0066, ValueCodec.Fp32), x, x);
        x = new float[24];
        (x[1], x[2], x[5], x[9], x[23]) = (7, -7, 3, 1, -1);
        Same("topk-bitmap", CodecSettings.TopK(0.2, ValueCodec.Fp32), x, x);
    }

    [Fact]
    public void Rows_are_as_documented()
    {
        float[] x = new float[200];
        (x[4], x[5], x[8], x[9]) = (64, -2, 0.125f, 8);
        Same("rows-int4", CodecSettings.Rows(2, ValueCodec.Int4), x, x);
    }

    private static void Same(string name, CodecSettings settings, float[] x, float[] c)
    {
        byte[] golden = Read(name);
        float[] decoded = new float[x.Length];
        byte[] payload = CodedChunks.Encode(new DeltaEncoder(settings, x.Length), settings, x, new float[x.Length], out DeltaCodec codec);
        Assert.Equal(settings.Codec, codec);
        SameBits.Of(golden, payload, name);
        Assert.Null(Delta.Read(codec, golden, x.Length, settings.RowLength, out Delta delta));
        delta.Decode(decoded);
        SameBits.Of(c, decoded, name);
    }

    private static byte[] Read(string name)
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "codecs.md"));
        int begin = page.IndexOf($"```{name}\n", StringComparison.Ordinal);
        Assert.True(begin >= 0, $"docs/codecs.md has no block '{name}'");
        begin += name.Length + 4;
        string[] bytes = page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)].Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return Array.ConvertAll(bytes, value => byte.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
