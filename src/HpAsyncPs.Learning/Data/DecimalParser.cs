using System;
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace HpAsyncPs.Learning.Data;

/// <summary>Decimal numbers in bytes to single precision, rounded exactly as <see cref="float.Parse(string)"/> does.</summary>
internal static class DecimalParser
{
    /// <summary>How many bytes behind the one that ends a number must exist, whatever they are: eight are looked at at once.</summary>
    public const int BytesBehind = 7;

    /// <summary>What <see cref="Read"/> returns instead of a position.</summary>
    public const int NoNumber = -1;

    // Powers of ten that a double holds exactly; a mantissa up to 2^53 times or over one of them is rounded once.
    private const int LargestExactPower = 22;
    private const ulong LargestExactMantissa = 1UL << 53;

    // The bits that a double has and a float has not; where they are exactly one half, rounding twice could go wrong.
    private const long LostBits = 0x1FFFFFFF;
    private const long Half = 0x10000000;

    // Below this floats are subnormal and lose other bits.
    private const double SmallestNormal = 1.17549435082228750797e-38;

    // Longest run of digits that cannot overflow 64 bits.
    private const int MostDigits = 19;

    // Beyond this any exponent means zero or infinity; keeps the sum from overflowing.
    private const int ExponentCap = 100_000_000;

    private static readonly double[] Powers =
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];

    private static readonly ulong[] Shifts = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

    /// <summary>Reads [sign] digits [. digits] [e [sign] digits], stops at the first byte that cannot belong to it.</summary>
    /// <param name="text">Must hold a byte that is no part of a number, a line feed, and <see cref="BytesBehind"/> more.</param>
    /// <param name="start">Where the number starts.</param>
    /// <param name="value">The number.</param>
    /// <returns>The first byte after the number; <see cref="NoNumber"/> if there is none, or one too large for single precision.</returns>
    public static int Read(ReadOnlySpan<byte> text, int start, out float value)
    {
        // Positions are passed by value on this path: a local whose address is taken lives in memory.
        int at = start;
        int negative = text[at] == '-' ? 1 : 0;
        at += negative | (text[at] == '+' ? 1 : 0);

        int first = at;
        ulong mantissa = 0;
        uint digit;
        while ((digit = text[at] - (uint)'0') <= 9)
        {
            mantissa = unchecked((mantissa * 10) + digit);
            at++;
        }

        int digits = at - first;
        int scale = 0;
        if (text[at] == '.')
        {
            int point = ++at;
            mantissa = ReadDigits(text, ref at, mantissa);
            scale = point - at;
            digits -= scale;
        }

        value = 0;
        if (digits == 0)
            return NoNumber;
        if ((text[at] | 0x20) == 'e')
        {
            at = ReadExponent(text, at + 1, out int exponent);
            if (at == NoNumber)
                return NoNumber;
            scale += exponent;
        }

        if (digits <= MostDigits && mantissa <= LargestExactMantissa && scale is >= -LargestExactPower and <= LargestExactPower)
        {
            double exact = scale < 0 ? (long)mantissa / Powers[-scale] : (long)mantissa * Powers[scale];
            bool safe = (BitConverter.DoubleToInt64Bits(exact) & LostBits) != Half && exact is >= SmallestNormal and < float.MaxValue;
            if (safe || mantissa == 0)
            {
                value = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits((float)exact) | (negative << 31));
                return at;
            }
        }

        bool parsed = float.TryParse(text[start..at], NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        return parsed && float.IsFinite(value) ? at : NoNumber;
    }

    private static int ReadExponent(ReadOnlySpan<byte> text, int at, out int exponent)
    {
        bool negative = text[at] == '-';
        if (negative || text[at] == '+')
            at++;
        int first = at;
        exponent = 0;
        uint digit;
        while ((digit = text[at] - (uint)'0') <= 9)
        {
            exponent = Math.Min((exponent * 10) + (int)digit, ExponentCap);
            at++;
        }

        if (negative)
            exponent = -exponent;
        return at > first ? at : NoNumber;
    }

    /// <summary>Reads decimal digits, any number of them, also none; wraps around if they are more than 19.</summary>
    /// <param name="text">Must hold a byte that is no digit, and <see cref="BytesBehind"/> more.</param>
    /// <param name="position">Where the digits start; becomes the first byte after them.</param>
    /// <param name="value">Taken as the digits before these.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ReadDigits(ReadOnlySpan<byte> text, ref int position, ulong value)
    {
        unchecked
        {
            int count;
            do
            {
                // Lowest byte first. A byte that is no digit gets its high bit set; a carry out of it disturbs only those behind.
                ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(text[position..]) ^ 0x3030303030303030;
                ulong others = ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
                count = BitOperations.TrailingZeroCount(others) >> 3;
                if (count == 0)
                    return value;

                // Zeros in front, then pairs, then all: three multiplications for up to eight digits, without a branch.
                bytes <<= 64 - (8 * count);
                bytes = (bytes * 10) + (bytes >> 8);
                ulong upper = (bytes & 0x000000FF000000FF) * 0x000F424000000064;
                ulong lower = ((bytes >> 16) & 0x000000FF000000FF) * 0x0000271000000001;
                value = (value * Shifts[count]) + (uint)((upper + lower) >> 32);
                position += count;
            }
            while (count == 8);
            return value;
        }
    }
}
