using System;

namespace HpAsyncPs.Learning.Generation;

/// <summary>
/// Logarithm and exponential from the four operations alone. Those are rounded the same on every machine; the functions of
/// <see cref="Math"/> come from its C library and may differ in the last bit. Right to about 15 digits.
/// </summary>
public static class PortableMath
{
    private const double Ln2 = 0.69314718055994530942;
    private const double SmallestNormal = 2.2250738585072014e-308;
    private const double Sqrt2 = 1.4142135623730951;
    private const int MantissaBits = 52;
    private const int Bias = 1023;
    private const long MantissaMask = (1L << MantissaBits) - 1;

    // Terms after which the series has no bits left, for what the arguments are reduced to.
    private const int LogTerms = 11;
    private const int ExpTerms = 15;

    /// <summary>Natural logarithm of a positive normal number.</summary>
    public static double Log(double value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, SmallestNormal);
        long bits = BitConverter.DoubleToInt64Bits(value);
        long exponent = (bits >> MantissaBits) - Bias;
        double mantissa = BitConverter.Int64BitsToDouble((bits & MantissaMask) | ((long)Bias << MantissaBits));
        if (mantissa > Sqrt2)
        {
            mantissa /= 2;
            exponent++;
        }

        // log m = 2 artanh s, s = (m - 1) / (m + 1), at most 0.172
        double s = (mantissa - 1) / (mantissa + 1);
        double square = s * s;
        double sum = 0;
        for (int term = LogTerms - 1; term >= 0; term--)
            sum = (sum * square) + (1.0 / ((2 * term) + 1));
        return (exponent * Ln2) + (2 * s * sum);
    }

    /// <summary>e to a power between -700 and 700.</summary>
    public static double Exp(double power)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Abs(power), 700);
        double twos = Math.Floor((power / Ln2) + 0.5);
        double rest = power - (twos * Ln2);
        double sum = 1;
        for (int term = ExpTerms; term >= 1; term--)
            sum = 1 + (sum * rest / term);
        return sum * BitConverter.Int64BitsToDouble(((long)twos + Bias) << MantissaBits);
    }
}
