using System;
using System.Globalization;
using System.Text;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Numbers as the reader takes them, against float.Parse.</summary>
public sealed class LibsvmNumberTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("+0.0e5")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("-.5E+1")]
    [InlineData("3.4028235e38")]
    [InlineData("1e-45")]
    [InlineData("7e-46")]
    [InlineData("1e-50")]
    [InlineData("1e-99999999999999999999")]
    [InlineData("0e99999999999999999999")]
    [InlineData("1.17549435e-38")]
    [InlineData("16777217")]
    [InlineData("16777217.0000001")]
    [InlineData("16777217.0000000000000000000000000000001")]
    [InlineData("1.00000005960464477539062500000000000001")]
    [InlineData("1.000000059604644775390625")]
    [InlineData("1.00000005960464478")]
    [InlineData("9007199254740993")]
    [InlineData("18446744073709551616")]
    [InlineData("0.00000000000000000000000000000000000001")]
    [InlineData("123456789012345678901234567890")]
    public void Number_is_rounded_as_by_Parse(string text) => Compare([text]);

    [Fact]
    public void Random_numbers_are_rounded_as_by_Parse()
    {
        var random = new Random(11);
        string[] texts = new string[200_000];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = (i % 5) switch
            {
                0 => random.NextDouble().ToString("F6"),
                1 => BitConverter.Int32BitsToSingle(random.Next() & 0x7f7fffff).ToString("R"),
                2 => Midpoint(random).ToString("R"),
                3 => random.NextInt64(-1L << random.Next(63), 1L << random.Next(63)).ToString(),
                _ => $"{random.Next()}.{random.Next(100_000)}e{random.Next(-60, 29)}",
            };
        }

        Compare(texts);
    }

    [Fact]
    public void Number_of_a_million_digits_is_rounded_as_by_Parse() =>
        Compare([$"0.{new string('3', 1_000_000)}", $"{new string('0', 1_000_000)}7.5", $"1{new string('0', 1_000_000)}e-1000000"]);

    // Exactly between two floats: where rounding to double first goes wrong.
    private static double Midpoint(Random random)
    {
        float low = BitConverter.Int32BitsToSingle(random.Next(0x3a000000, 0x47000000));
        return ((double)low + MathF.BitIncrement(low)) / 2;
    }

    private static void Compare(string[] texts)
    {
        var file = new StringBuilder("0");
        for (int i = 0; i < texts.Length; i++)
            file.Append($" {i + 1}:{texts[i]}");
        SparseRows rows = LibsvmFiles.Read(Encoding.ASCII.GetBytes(file.ToString()), RowPart.All, TextFile.DefaultBlockBytes);
        Assert.Equal(texts.Length, rows.Values.Length);
        for (int i = 0; i < texts.Length; i++)
        {
            float expected = float.Parse(texts[i], CultureInfo.InvariantCulture);
            bool same = BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(rows.Values[i]);
            Assert.True(same, $"{texts[i]}: {rows.Values[i]:R}, not {expected:R}");
        }
    }
}
