using System;
using HpAsyncPs.Codecs;
using HpAsyncPs.Tests.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

public sealed class RowsCodecTests
{
    private const int RowLength = 3;

    [Fact]
    public void Encode_then_read_gives_the_changed_rows_in_place()
    {
        float[] x = [0, 0, 0, 1, 2, 3, 0, 0, 0, 0, -0f, 4], h = new float[12];
        CodecSettings settings = CodecSettings.Rows(RowLength, ValueCodec.Fp32);
        byte[] payload = CodedChunks.Encode(new DeltaEncoder(settings, x.Length), settings, x, h, out DeltaCodec codec);
        Assert.Equal(DeltaCodec.Rows, codec);
        Assert.Equal(RowsCodec.Bytes([1, 3], 4, RowLength, ValueCodec.Fp32), payload.Length);
        Assert.Equal(x, h);
        Assert.Null(Delta.Read(codec, payload, x.Length, RowLength, out Delta rows));
        float[] placed = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], applied = new float[12];
        rows.CopyTo(placed);
        Assert.Equal([9f, 9, 9, 1, 2, 3, 9, 9, 9, 0, 0, 4], placed);
        double[] sum = new double[12];
        Assert.True(rows.StaysWithin(applied, float.MaxValue));
        rows.Apply(2, applied, sum);
        Assert.Equal(x, applied);
        Assert.Equal(Array.ConvertAll(x, v => 2.0 * v), sum);
    }

    /// <summary>Rows longer than what is decoded at a time, at all their places, with scales that have nothing to do with each other.</summary>
    [Fact]
    public void Rows_of_any_length_are_coded_each_for_itself()
    {
        foreach (int rowLength in new[] { 2, 33, 64, 65, 129, 1024, 1025, 2500 })
        {
            foreach (ValueCodec values in new[] { ValueCodec.Fp32, ValueCodec.Bf16, ValueCodec.Int8, ValueCodec.Int4 })
            {
                var random = new Random(rowLength);
                float[] x = new float[9 * rowLength], h = new float[9 * rowLength], expected = new float[9 * rowLength], decoded = new float[9 * rowLength];
                byte[] alone = new byte[ValueCoding.Bytes(values, rowLength)];
                foreach (int row in new[] { 1, 4, 8 })
                {
                    for (int j = row * rowLength; j < (row + 1) * rowLength; j++)
                        x[j] = (float)((random.NextDouble() - 0.5) * Math.Pow(10, -(row % 4)));
                    ValueCoding.Encode(values, x.AsSpan(row * rowLength, rowLength), expected.AsSpan(row * rowLength, rowLength), alone, default);
                }

                CodecSettings settings = CodecSettings.Rows(rowLength, values);
                byte[] payload = CodedChunks.Encode(new DeltaEncoder(settings, x.Length), settings, x, h, out DeltaCodec codec);
                Assert.Equal(DeltaCodec.Rows, codec);
                SameBits.Of(expected, h, settings.ToString());
                SameBits.Of(alone, payload.AsSpan(payload.Length - alone.Length), "the last row");
                Assert.Null(Delta.Read(codec, payload, x.Length, rowLength, out Delta delta));
                delta.Decode(decoded);
                SameBits.Of(expected, decoded, settings.ToString());
            }
        }
    }

    [Fact]
    public void StaysWithin_row_with_infinity_is_found()
    {
        float[] x = [0, 0, 0, 1, float.PositiveInfinity, 3, 0, 0, 0];
        CodecSettings settings = CodecSettings.Rows(RowLength, ValueCodec.Fp32);
        byte[] payload = CodedChunks.Encode(new DeltaEncoder(settings, 9), settings, x, new float[9], out DeltaCodec codec);
        Assert.Equal(DeltaCodec.Rows, codec);
        Assert.Null(Delta.Read(codec, payload, 9, RowLength, out Delta delta));
        Assert.False(delta.StaysWithin(new float[9], float.MaxValue));
        Assert.Equal(float.PositiveInfinity, delta.LargestMagnitude());
    }

    [Fact]
    public void Encode_payload_is_never_longer_than_the_values_as_they_are()
    {
        foreach (int rowLength in new[] { 2, 5, 33, 4096 })
        {
            foreach (ValueCodec values in new[] { ValueCodec.Fp32, ValueCodec.Bf16, ValueCodec.Int8, ValueCodec.Int4 })
            {
                CodecSettings settings = CodecSettings.Rows(rowLength, values);
                for (int rows = 1; rows < 70; rows += 3)
                {
                    float[] x = new float[rows * rowLength];
                    x.AsSpan().Fill(1);
                    var encoder = new DeltaEncoder(settings, x.Length);
                    for (int changed = 0; changed <= rows; changed += 3)
                    {
                        float[] h = (float[])x.Clone();
                        int[] which = new int[changed];
                        for (int k = 0; k < changed; k++)
                            h[(which[k] = rows - changed + k) * rowLength] = 0;
                        byte[] payload = CodedChunks.Encode(encoder, settings, x, h, out DeltaCodec codec);
                        long bytes = RowsCodec.Bytes(which, rows, rowLength, values);
                        Assert.Equal(bytes < x.Length * sizeof(float) ? DeltaCodec.Rows : (DeltaCodec)values, codec);
                        Assert.Equal(codec == DeltaCodec.Rows ? bytes : ValueCoding.Bytes(values, x.Length), payload.Length);
                        Assert.InRange(payload.Length, 0, x.Length * sizeof(float));
                    }
                }
            }
        }
    }
}
