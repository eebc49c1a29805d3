using System;
using HpAsyncPs.Codecs;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

public sealed class RowsCodecTests
{
    private const int RowLength = 3;

    [Fact]
    public void Encode_then_read_gives_the_changed_rows_in_place()
    {
        float[] delta = [0, 0, 0, 1, 2, 3, 0, 0, 0, 0, -0f, 4];
        int[] changed = new int[3];
        Assert.Equal(2, RowsCodec.FindChanged(delta, RowLength, changed));
        Assert.Equal([1, 3], changed[..2]);
        byte[] payload = new byte[200];
        ReadOnlySpan<byte> bytes = RowsCodec.Encode(delta, RowLength, changed.AsSpan(0, 2), 77, payload);
        Assert.Equal(RowsCodec.Bytes(2, RowLength), bytes.Length);
        Assert.Null(RowsCodec.Read(bytes, delta.Length, RowLength, out ChangedRows rows));
        Assert.Equal(77UL, rows.BaseVersion);
        float[] placed = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
        rows.CopyTo(placed);
        Assert.Equal([9f, 9, 9, 1, 2, 3, 9, 9, 9, 0, 0, 4], placed);
        float[] h = new float[12];
        double[] sum = new double[12];
        Assert.True(rows.StaysWithin(h, float.MaxValue));
        rows.Apply(2, h, sum);
        Assert.Equal(delta, h);
        Assert.Equal(Array.ConvertAll(delta, v => 2.0 * v), sum);
    }

    [Fact]
    public void FindChanged_more_than_fit_says_so()
    {
        float[] delta = [1, 0, 0, 1, 0, 0, 1, 0, 0];
        Assert.Equal(-1, RowsCodec.FindChanged(delta, RowLength, new int[2]));
        Assert.Equal(3, RowsCodec.FindChanged(delta, RowLength, new int[3]));
    }

    [Fact]
    public void StaysWithin_row_with_infinity_is_found()
    {
        float[] delta = [0, 0, 0, 1, float.PositiveInfinity, 3];
        ReadOnlySpan<byte> bytes = RowsCodec.Encode(delta, RowLength, [1], 0, new byte[100]);
        Assert.Null(RowsCodec.Read(bytes, 6, RowLength, out ChangedRows rows));
        Assert.False(rows.StaysWithin(new float[6], float.MaxValue));
    }

    [Fact]
    public void MostRows_payload_is_never_longer_than_the_dense_chunk()
    {
        foreach (int rowLength in new[] { 1, 2, 5, 33, 4096 })
        {
            for (int rows = 1; rows < 70; rows += 3)
            {
                int most = RowsCodec.MostRows(rows * rowLength, rowLength);
                Assert.True(most == 0 || RowsCodec.Bytes(most, rowLength) <= rows * rowLength * 4);
                Assert.True(RowsCodec.Bytes(most + 1, rowLength) > rows * rowLength * 4);
            }
        }
    }

    [Fact]
    public void Read_mutated_or_cut_payloads_are_refused_or_stay_in_range()
    {
        float[] delta = new float[30];
        delta[4] = 1;
        delta[28] = 2;
        byte[] good = RowsCodec.Encode(delta, RowLength, [1, 9], 5, new byte[400]).ToArray();
        var random = new Random(3);
        int refused = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = good[..(round % 4 == 0 ? random.Next(good.Length + 1) : good.Length)];
            for (int changes = random.Next(3); changes > 0 && bytes.Length > 0; changes--)
                bytes[random.Next(Math.Min(bytes.Length, 30))] = (byte)random.Next(256);
            if (RowsCodec.Read(bytes, delta.Length, RowLength, out ChangedRows rows) is not null)
                refused++;
            else
                rows.CopyTo(new float[delta.Length]); // throws if it leaves the range
        }

        Assert.InRange(refused, 5_000, 19_000);
    }
}
