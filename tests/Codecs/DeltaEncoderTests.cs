using System;
using HpAsyncPs.Codecs;
using HpAsyncPs.Kernels;
using HpAsyncPs.Tests.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

/// <summary>What every codec promises, for chunks of many lengths and contents.</summary>
public sealed class DeltaEncoderTests
{
    private const float Limit = 1e18f;

    public static TheoryData<int> Lengths => [0, 6, 12, 18, 60, 66, 126, 132, 192, 600, 1020, 1026, 3072, 10_002];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Encode_then_any_use_of_it_does_at_the_other_end_what_plain_loops_do(int n)
    {
        foreach (CodecSettings settings in CodedChunks.All)
        {
            var encoder = new DeltaEncoder(settings, n);
            for (int kind = 0; kind < Contents.Kinds; kind++)
            {
                var random = new Random(n + kind);
                float[] x = new float[n], h = new float[n];
                Contents.Fill(kind, random, x, h);
                float[] before = (float[])h.Clone();
                byte[] payload = CodedChunks.Encode(encoder, settings, x, h, out DeltaCodec codec);
                Assert.InRange(payload.Length, 0, (4 * n) + 64);
                Assert.Null(Delta.Read(codec, payload, n, CodedChunks.RowLength, out Delta delta));
                Uses(delta, before, h, $"{settings}, {n} of kind {kind}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Decoded_plus_residual_is_the_input_within_the_bound(int n)
    {
        foreach (ValueCodec codec in new[] { ValueCodec.Bf16, ValueCodec.Int8, ValueCodec.Int4 })
        {
            var settings = CodecSettings.Dense(codec);
            var encoder = new DeltaEncoder(settings, n);
            for (int kind = 0; kind < Contents.Kinds; kind++)
            {
                float[] x = new float[n], h = new float[n], c = new float[n], input = new float[n];
                Contents.Fill(kind, new Random(n), x, h);
                for (int j = 0; j < n; j++)
                    input[j] = x[j] - h[j];
                byte[] payload = CodedChunks.Encode(encoder, settings, x, h, out DeltaCodec coded);
                Assert.Null(Delta.Read(coded, payload, n, 1, out Delta delta));
                delta.Decode(c);
                for (int j = 0; j < n; j++)
                {
                    if (!float.IsFinite(c[j]))
                        continue;
                    double bound = codec == ValueCodec.Bf16
                        ? Math.Max(Math.Abs(input[j]) * (double)Bf16Codec.RelativeError, Bf16Codec.SmallestError)
                        : BlockCodec.LargestError(input[j], BlockScale.FromBits(BitConverter.ToUInt16(payload, j / BlockScale.Values * BlockScale.Bytes)), codec);
                    Assert.True(Math.Abs((double)input[j] - c[j]) <= bound, $"{codec}, kind {kind}: {input[j]:R} at {j} became {c[j]:R}, the bound is {bound:g6}");
                }
            }
        }
    }

    [Fact]
    public void Encode_scale_is_the_smallest_that_fits()
    {
        var random = new Random(1);
        for (int round = 0; round < 2000; round++)
        {
            float[] x = [(float)(random.NextDouble() * Math.Pow(10, random.Next(-30, 30)))];
            foreach (ValueCodec codec in new[] { ValueCodec.Int8, ValueCodec.Int4 })
            {
                int most = codec == ValueCodec.Int8 ? 127 : 64;
                byte[] payload = CodedChunks.Encode(new DeltaEncoder(CodecSettings.Dense(codec), 1), CodecSettings.Dense(codec), x, new float[1], out _);
                ushort bits = BitConverter.ToUInt16(payload);
                Assert.True((double)BlockScale.FromBits(bits) * most >= x[0] * (1 - 1e-7));
                Assert.True((double)BlockScale.FromBits((ushort)(bits - 1)) * most < x[0]);
                if (codec == ValueCodec.Int8)
                    Assert.InRange((sbyte)payload[2], 125, 127);
                else
                    Assert.Equal(7, payload[2]); // 64
            }
        }
    }

    [Fact]
    public void Encode_the_same_vector_again_and_again_leaves_no_residual()
    {
        foreach (CodecSettings settings in CodedChunks.All)
        {
            const int n = 600;
            var encoder = new DeltaEncoder(settings, n);
            float[] x = new float[n], h = new float[n];
            Contents.Fill(8, new Random(3), x, new float[n]);
            for (int round = 0; round < 4000; round++)
                CodedChunks.Encode(encoder, settings, x, h, out _);
            SameBits.Of(x, h, settings.ToString());
        }
    }

    [Fact]
    public void Encode_at_random_is_right_on_average_but_for_the_damping()
    {
        foreach (ValueCodec codec in new[] { ValueCodec.Int8, ValueCodec.Int4 })
        {
            CodecSettings settings = CodecSettings.Dense(codec) with { Seed = 11 };
            var encoder = new DeltaEncoder(settings, BlockScale.Values);
            float damping = codec == ValueCodec.Int8 ? BlockScale.DampingInt8 : BlockScale.DampingInt4;
            float[] x = new float[BlockScale.Values], c = new float[BlockScale.Values];
            double[] mean = new double[BlockScale.Values];
            double squares = 0, variance = 0;
            Contents.Fill(0, new Random(5), x, new float[BlockScale.Values]);
            const int rounds = 20_000;
            float scale = 0;
            for (int round = 0; round < rounds; round++)
            {
                byte[] payload = CodedChunks.Encode(encoder, settings, x, new float[BlockScale.Values], out DeltaCodec coded);
                scale = BlockScale.FromBits(BitConverter.ToUInt16(payload));
                Assert.Null(Delta.Read(coded, payload, x.Length, 1, out Delta delta));
                delta.Decode(c);
                for (int j = 0; j < c.Length; j++)
                {
                    mean[j] += c[j] / rounds;
                    variance += Math.Pow((c[j] / damping) - x[j], 2) / rounds;
                }
            }

            foreach (float value in x)
                squares += (double)value * value;
            Assert.InRange(variance, 0, squares * ((1 / damping) - 1)); // omega

            for (int j = 0; j < x.Length; j++)
            {
                // The damped scale is rounded down to 8 bits; 6 standard errors of a mean of two values that are a scale apart, or twice the other.
                double error = codec == ValueCodec.Int8 ? scale / 2 : Math.Max(scale / 2, Math.Abs(x[j]) / Math.Sqrt(8));
                double slack = (6 * error / Math.Sqrt(rounds)) + (Math.Abs(x[j]) / 127);
                Assert.InRange(mean[j], (x[j] * damping) - slack, (x[j] * damping) + slack);
            }
        }
    }

    [Fact]
    public void Encode_at_random_depends_on_seed_and_call_alone()
    {
        float[] x = new float[1000];
        Contents.Fill(0, new Random(5), x, new float[1000]);
        CodecSettings settings = CodecSettings.Dense(ValueCodec.Int4) with { Seed = 1 };
        DeltaEncoder one = new(settings, 1000), same = new(settings, 1000), other = new(settings with { Seed = 2 }, 1000);
        byte[] first = CodedChunks.Encode(one, settings, x, new float[1000], out _);
        Assert.Equal(first, CodedChunks.Encode(same, settings, x, new float[1000], out _));
        Assert.NotEqual(first, CodedChunks.Encode(other, settings, x, new float[1000], out _));
        Assert.NotEqual(first, CodedChunks.Encode(one, settings, x, new float[1000], out _));
    }

    [Fact]
    public void TopK_has_the_largest_values_exactly_as_many_as_wanted()
    {
        foreach (ValueCodec codec in new[] { ValueCodec.Fp32, ValueCodec.Int4 })
        {
            foreach (double ratio in new[] { 1e-6, 0.01, 0.1, 0.5 })
            {
                const int n = 3000;
                CodecSettings settings = CodecSettings.TopK(ratio, codec);
                float[] x = new float[n], h = new float[n], c = new float[n];
                Contents.Fill(0, new Random(9), x, h);
                float[] before = (float[])h.Clone();
                int[] expected = new int[n];
                int most = Scalar.Select(x, h, (int)Math.Max(1, Math.Ceiling(ratio * n)), expected);
                byte[] payload = CodedChunks.Encode(new DeltaEncoder(settings, n), settings, x, h, out DeltaCodec coded);
                if (coded == DeltaCodec.Int4)
                {
                    Assert.Equal(0.5, ratio); // no longer than half of the values with their bitmap
                    continue;
                }

                Assert.Equal(DeltaCodec.TopK, coded);
                Assert.Equal(most, BitConverter.ToInt32(payload));
                Assert.Null(Delta.Read(coded, payload, n, 1, out Delta delta));
                delta.Decode(c);
                for (int j = 0; j < n; j++)
                {
                    if (Array.BinarySearch(expected, 0, most, j) < 0)
                        Assert.True(c[j] == 0 && before[j] == h[j]);
                    else if (codec == ValueCodec.Fp32)
                        Assert.Equal(x[j] - before[j], c[j]);
                }
            }
        }
    }

    [Fact]
    public void Rows_of_small_differences_wait_until_they_are_the_largest()
    {
        float[] x = new float[60], h = new float[60];
        x[0] = 1; // row 0
        x[13] = 1 / 65f; // row 2: a residual
        x[20] = 1 / 63f; // row 3
        CodecSettings settings = CodecSettings.Rows(CodedChunks.RowLength, ValueCodec.Int8);
        var encoder = new DeltaEncoder(settings, 60);
        Assert.Equal([0, 3], RowsOf(encoder, settings, x, h));
        Assert.Equal(x[20], h[20], 1e-4f); // which a scale of row 0 could not say
        x[0] = h[0];
        x[20] = h[20];
        Assert.Equal([2], RowsOf(encoder, settings, x, h));
        x[13] = h[13];
        Assert.Equal([], RowsOf(encoder, settings, x, h));
        CodecSettings exact = CodecSettings.Rows(CodedChunks.RowLength, ValueCodec.Fp32);
        x[0] = 1e9f;
        x[59] = 1e-9f;
        Assert.Equal([0, 9], RowsOf(new DeltaEncoder(exact, 60), exact, x, h));
    }

    [Fact]
    public void What_is_not_finite_travels_so_that_it_is_refused_and_leaves_a_block_as_it_was()
    {
        foreach (CodecSettings settings in CodedChunks.All)
        {
            foreach (float bad in new[] { float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                float[] x = new float[600], h = new float[600];
                Contents.Fill(10, new Random(4), x, h);
                x[433] = bad;
                byte[] payload = CodedChunks.Encode(new DeltaEncoder(settings, 600), settings, x, h, out DeltaCodec codec);
                Assert.Null(Delta.Read(codec, payload, 600, CodedChunks.RowLength, out Delta delta));
                Assert.False(float.IsFinite(delta.LargestMagnitude()));
                Assert.False(delta.StaysWithin(new float[600], float.MaxValue));
                if (settings.Values is ValueCodec.Int8 or ValueCodec.Int4)
                    Assert.False(Array.Exists(h, v => !float.IsFinite(v)));
            }
        }
    }

    [Fact]
    public void Settings_that_make_no_sense_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => CodecSettings.Dense((ValueCodec)2));
        Assert.Throws<ArgumentOutOfRangeException>(() => CodecSettings.TopK(0, ValueCodec.Int8));
        Assert.Throws<ArgumentOutOfRangeException>(() => CodecSettings.TopK(double.NaN, ValueCodec.Int8));
        Assert.Throws<ArgumentOutOfRangeException>(() => CodecSettings.Rows(0, ValueCodec.Int8));
        Assert.Throws<ArgumentException>(() => new DeltaEncoder(default, 10));
        var rows = new DeltaEncoder(CodecSettings.Rows(3, ValueCodec.Int8), 10);
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Encode(new float[10], new float[10], new byte[100], out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Encode(new float[9], new float[6], new byte[100], out _));
    }

    private static int[] RowsOf(DeltaEncoder encoder, CodecSettings settings, float[] x, float[] h)
    {
        byte[] payload = CodedChunks.Encode(encoder, settings, x, h, out DeltaCodec codec);
        Assert.Equal(DeltaCodec.Rows, codec);
        Assert.Null(RowsCodec.Read(payload, x.Length, CodedChunks.RowLength, out int count, out ValueCodec values, out PositionIndex.Reader positions, out _));
        Assert.Equal(settings.Values, values);
        int[] rows = new int[count];
        positions.Next(rows);
        return rows;
    }

    private static void Uses(Delta delta, float[] before, float[] encoded, string what)
    {
        int n = before.Length;
        float[] c = new float[n], marked = new float[n];
        delta.Decode(c);
        Array.Fill(marked, 12345);
        delta.CopyTo(marked);
        float largest = DeltaKernel.LargestMagnitude(c);
        Assert.True(float.IsNaN(largest) ? float.IsNaN(delta.LargestMagnitude()) : delta.LargestMagnitude() >= largest, what);
        bool stays = true;
        double[] sum = new double[n], sumExpected = new double[n];
        float[] h = (float[])before.Clone(), added = (float[])before.Clone(), hExpected = (float[])before.Clone(), scaled = (float[])before.Clone(), scaledExpected = (float[])before.Clone();
        for (int j = 0; j < n; j++)
        {
            sum[j] = sumExpected[j] = j;
            if (marked[j] == 12345)
            {
                Assert.Equal(0, c[j]);
                continue;
            }

            hExpected[j] += c[j];
            sumExpected[j] += 8139 * ((double)hExpected[j] - before[j]);
            scaledExpected[j] = (float)(before[j] + (0.3 * c[j]));
            stays &= MathF.Abs(hExpected[j]) <= Limit;
        }

        Assert.Equal(stays, delta.StaysWithin(before, Limit));
        delta.Apply(8139, h, sum);
        delta.AddTo(added);
        delta.AddScaled(0.3, scaled);
        SameBits.Of(hExpected, h, what);
        SameBits.Of(sumExpected, sum, what);
        SameBits.Of(hExpected, added, what);
        SameBits.Of(scaledExpected, scaled, what);
        if (float.IsFinite(largest))
            SameBits.Of(encoded, h, $"both ends, {what}");
    }
}
