using System;
using System.Globalization;
using HpAsyncPs.Codecs;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

/// <summary>What is refused, and what is said of it; and what looks odd and is not refused.</summary>
public sealed class DeltaReadTests
{
    [Theory]
    [InlineData(1, 2, "0000803f 0000", "2 values of codec 1 have 8 bytes; these are 6")]
    [InlineData(3, 2, "803f 803f 80", "2 values of codec 3 have 4 bytes; these are 5")]
    [InlineData(4, 2, "803f 01", "2 values of codec 4 have 4 bytes; these are 3")]
    [InlineData(4, 2, "80bf 0101", "the scale of block 0 is -1: neither 0")]
    [InlineData(4, 2, "0080 0000", "the scale of block 0 is -0: neither 0")]
    [InlineData(4, 2, "807f 0000", "the scale of block 0 is Infinity")]
    [InlineData(5, 2, "c0ff 00", "the scale of block 0 is NaN")] // of negative sign
    [InlineData(5, 2, "7f00 00", "the scale of block 0 is 1.166e-38")]
    [InlineData(5, 2, "0100 00", "the scale of block 0 is 9.184e-41")]
    [InlineData(5, 3, "803f 11 11", "the last 4 bits are used by no value")]
    [InlineData(0, 1, "00000000", "there is no codec 0")]
    [InlineData(7, 1, "00000000", "there is no codec 7")]
    [InlineData(6, 9, "00000000 0101 00", "at least 8 bytes")]
    [InlineData(6, 9, "0a000000 0104 0000 00", "10 values do not fit a chunk of 9 keys")]
    [InlineData(6, 9, "ffffffff 0104 0000 00", "4294967295 values do not fit")]
    [InlineData(6, 9, "00000000 0001 0000", "an index has form 1 or 2; this one has 0")]
    [InlineData(6, 9, "00000000 0101 0100", "are reserved, and 0; these are 1 and 0")]
    [InlineData(6, 9, "00000000 0101 0001", "are reserved, and 0; these are 0 and 1")]
    [InlineData(6, 9, "00000000 0102 0000", "there is no codec 2 for values")]
    [InlineData(6, 9, "01000000 0104 0000 80 803f01", "1 bytes of gaps for 1 values have 1 and reach position 129 of 9")]
    [InlineData(6, 9, "01000000 0104 0000 09803f01", "reach position 10 of 9")]
    [InlineData(6, 9, "01000000 0104 0000 0000803f01", "for 1 values have 2")]
    [InlineData(6, 900, "01000000 0104 0000 00ff803f01", "for 1 values have 1 and reach position 256 of 900")]
    [InlineData(6, 900, "01000000 0104 0000 ff803f01", "for 1 values have 0")]
    [InlineData(6, 9, "02000000 0104 0000 00803f", "do not fit 11 bytes")]
    [InlineData(6, 9, "01000000 0204 0000 01803f01", "a bitmap of 9 has 2 bytes; this one has 1")]
    [InlineData(6, 9, "01000000 0204 0000 0300803f01", "the bitmap has 2 of 1 values")]
    [InlineData(6, 9, "01000000 0204 0000 0002803f01", "the last bits of the bitmap are used by nothing")]
    [InlineData(6, 9, "01000000 0204 0000 0100807f01", "the scale of block 0")]
    [InlineData(2, 8, "00000000 010100", "at least 8 bytes")]
    [InlineData(2, 8, "00000000 0101 0100", "are reserved, and 0; these are 1 and 0")]
    [InlineData(2, 8, "00000000 0101 0001", "are reserved, and 0; these are 0 and 1")]
    [InlineData(2, 8, "00000000 0100 0000", "there is no codec 0 for values")]
    [InlineData(2, 8, "00000000 0102 0000", "there is no codec 2 for values")]
    [InlineData(2, 8, "00000000 0001 0000", "an index has form 1 or 2; this one has 0")]
    [InlineData(2, 8, "00000000 0301 0000", "an index has form 1 or 2; this one has 3")]
    [InlineData(2, 8, "00000000 0101 0000 00", "1 bytes of gaps for 0 values have 1 and reach position 1 of 4")]
    [InlineData(2, 8, "05000000 0105 0000 00", "5 rows of 2 parameters do not fit a chunk of 8 keys")]
    [InlineData(2, 8, "ffffffff 0105 0000 00", "4294967295 rows of 2 parameters do not fit a chunk of 8 keys")]
    [InlineData(2, 9, "01000000 0105 0000 00", "1 rows of 2 parameters do not fit a chunk of 9 keys")]
    [InlineData(2, 8, "02000000 0105 0000 803f00803f", "2 rows of 2 parameters of codec 5 and their index do not fit 13 bytes")]
    [InlineData(2, 8, "01000000 0104 0000 04 803f0101", "1 bytes of gaps for 1 values have 1 and reach position 5 of 4")]
    [InlineData(2, 8, "01000000 0104 0000 ff 803f0101", "for 1 values have 0")]
    [InlineData(2, 8, "01000000 0104 0000 803f0101", "0 bytes of gaps for 1 values have 0")]
    [InlineData(2, 8, "01000000 0204 0000 03 803f0101", "the bitmap has 2 of 1 values")]
    [InlineData(2, 8, "01000000 0204 0000 10 803f0101", "the last bits of the bitmap are used by nothing")]
    [InlineData(2, 8, "01000000 0204 0000 0100 803f0101", "a bitmap of 4 has 1 bytes; this one has 2")]
    [InlineData(2, 8, "01000000 0105 0000 01 80bf01", "row 0 of the payload: the scale of block 0 is -1")]
    [InlineData(2, 8, "02000000 0105 0000 0100 803f01 807f01", "row 1 of the payload: the scale of block 0 is Infinity")]
    public void Read_what_is_malformed_is_refused_and_said(int codec, int keys, string hex, string expected)
    {
        string? wrong = Delta.Read((DeltaCodec)codec, Bytes(hex), keys, 2, out _);
        Assert.NotNull(wrong);
        Assert.Contains(expected, wrong, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 1, "803f 80", -128f)]
    [InlineData(5, 1, "803f 08", 0f)] // a sign alone
    [InlineData(5, 1, "803f 0f", -64f)]
    [InlineData(5, 2, "8000 97", 7.52316385e-37f)]
    [InlineData(4, 1, "0000 05", 0f)]
    [InlineData(6, 9, "01000000 0104 0000 03803f02", 0f)]
    [InlineData(6, 0, "00000000 0101 0000", float.NaN)]
    [InlineData(6, 0, "00000000 0203 0000", float.NaN)]
    [InlineData(6, 8, "01000000 0204 0000 01803f02", 2f)]
    [InlineData(2, 0, "00000000 0105 0000", float.NaN)]
    [InlineData(2, 8, "01000000 0205 0000 01 803f43", 4f)]
    public void Read_what_encoders_do_not_write_and_is_clear_is_taken(int codec, int keys, string hex, float first)
    {
        Assert.Null(Delta.Read((DeltaCodec)codec, Bytes(hex), keys, 2, out Delta delta));
        float[] c = new float[keys];
        delta.Decode(c);
        Assert.Equal(first, keys == 0 ? float.NaN : c[0], 1e-43f);
    }

    [Theory]
    [InlineData("c07f 0101", float.NaN)]
    [InlineData("817f 0000", float.NaN)]
    [InlineData("7f7f 0202", float.PositiveInfinity)]
    [InlineData("7f7f 0001", float.PositiveInfinity)] // the bound is; the value is not
    public void LargestMagnitude_of_scales_that_are_not_finite_or_overflow_says_so(string hex, float expected)
    {
        Assert.Null(Delta.Read(DeltaCodec.Int8, Bytes(hex), 2, 1, out Delta delta));
        Assert.Equal(expected, delta.LargestMagnitude());
        Assert.Equal(hex.EndsWith("0001", StringComparison.Ordinal), delta.StaysWithin(new float[2], float.MaxValue));
    }

    [Theory]
    [InlineData("807e 71", float.PositiveInfinity)]
    [InlineData("807c 11", float.PositiveInfinity)] // the bound does; the values do not
    [InlineData("7f7c 71", 3.3895314e38f)]
    public void LargestMagnitude_of_powers_of_two_is_64_times_the_scale(string hex, float expected)
    {
        Assert.Null(Delta.Read(DeltaCodec.Int4, Bytes(hex), 2, 1, out Delta delta));
        Assert.Equal(expected, delta.LargestMagnitude());
    }

    [Fact]
    public void Uses_spans_of_another_length_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Use(static (delta, x) => delta.StaysWithin(x, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Use(static (delta, x) => delta.AddTo(x)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Use(static (delta, x) => delta.AddScaled(1, x)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Use(static (delta, x) => delta.Decode(x)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Use(static (delta, x) => delta.CopyTo(x)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Use(static (delta, x) => delta.Apply(1, x, new double[2])));
        Assert.Throws<ArgumentOutOfRangeException>(() => Use(static (delta, _) => delta.Apply(1, new float[2], new double[3])));
    }

    private delegate void Using(Delta delta, float[] x);

    private static void Use(Using use)
    {
        Assert.Null(Delta.Read(DeltaCodec.Int8, Bytes("803f 0101"), 2, 1, out Delta delta));
        use(delta, new float[3]);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal).ToUpper(CultureInfo.InvariantCulture));
}
