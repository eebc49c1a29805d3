using System;
using Xunit;

namespace HpAsyncPs.Tests.Kernels;

/// <summary>Bit for bit. The sign and payload of a NaN are not defined; that it is one is.</summary>
internal static class SameBits
{
    public static void Of(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int j = 0; j < expected.Length; j++)
            Assert.True(Bits(expected[j]) == Bits(actual[j]), $"{what}: element {j} of {expected.Length} is {actual[j]:R} and should be {expected[j]:R}");
    }

    public static void Of(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int j = 0; j < expected.Length; j++)
            Assert.True(Bits(expected[j]) == Bits(actual[j]), $"{what}: element {j} of {expected.Length} is {actual[j]:R} and should be {expected[j]:R}");
    }

    public static void Of(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string what) =>
        Assert.True(expected.SequenceEqual(actual), $"{what}: {Convert.ToHexString(actual)} should be {Convert.ToHexString(expected)}");

    private static long Bits(double value) => double.IsNaN(value) ? -1 : BitConverter.DoubleToInt64Bits(value);

    private static int Bits(float value) => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value);
}
