using System;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HpAsyncPs.Kernels;

/// <summary>
/// Finds the differences of largest magnitude. Magnitudes are compared as the bits of floats without their sign, in which infinity is
/// above all numbers and NaN above that, so what is not finite is found first.
/// </summary>
public static class TopKKernel
{
    private const int Lanes = 8;
    private const int UpperShift = 20; // eight bits of exponent and three of fraction
    private const int UpperBits = 31 - UpperShift;
    private const int LowerBits = UpperShift / 2;
    private const int Sample = 4096;
    private const int LeastToSample = 4 * Sample;

    /// <summary>Positions of the largest |x - h| that are not 0; among equals the first come first.</summary>
    /// <remarks>
    /// One sweep collects what is above a guess that a sample gives, somewhat more than is wanted; the border is found among those. If
    /// the guess was too high, a second sweep collects all. The guess changes the time that it takes and nothing else.
    /// </remarks>
    /// <param name="x">The new vector.</param>
    /// <param name="h">The reconstruction, of the same length.</param>
    /// <param name="most">How many, above 0; fewer if fewer are not 0.</param>
    /// <param name="magnitudes">Scratch, of the same length.</param>
    /// <param name="positions">Receives the positions, increasing, and is scratch beyond; of the same length.</param>
    /// <returns>How many there are.</returns>
    public static int Select(ReadOnlySpan<float> x, ReadOnlySpan<float> h, int most, Span<int> magnitudes, Span<int> positions)
    {
        if (h.Length != x.Length || magnitudes.Length != x.Length || positions.Length != x.Length || (most <= 0 && !x.IsEmpty))
            throw new ArgumentException($"{most} of {x.Length} elements were wanted, with {h.Length}, {magnitudes.Length} and {positions.Length}.");
        int guess = x.Length >= LeastToSample ? Guess(x, h, most) : 1;
        int found = Collect(x, h, guess, magnitudes, positions);
        if (found < most && guess > 1)
            found = Collect(x, h, 1, magnitudes, positions);
        if (found <= most)
            return found;
        int wanted = most;
        ReadOnlySpan<int> candidates = magnitudes[..found];
        int border = Refine(candidates, 0, UpperShift, UpperBits, ref wanted);
        border = Refine(candidates, border, LowerBits, LowerBits, ref wanted);
        border = Refine(candidates, border, 0, LowerBits, ref wanted);
        return Cut(candidates, border, wanted, positions);
    }

    /// <summary>A magnitude, at least 1, that somewhat more than are wanted will probably reach.</summary>
    private static int Guess(ReadOnlySpan<float> x, ReadOnlySpan<float> h, int most)
    {
        Span<int> sample = stackalloc int[Sample];
        int stride = x.Length / Sample;
        for (int k = 0; k < Sample; k++)
        {
            int at = (k * stride) + (int)((uint)k * 0x9e3779b9 % (uint)stride); // not the same column of every row
            sample[k] = BitConverter.SingleToInt32Bits(x[at] - h[at]) & int.MaxValue;
        }

        double expected = (double)most * Sample / x.Length;
        int wanted = (int)Math.Min(Sample, expected + (3 * Math.Sqrt(expected)) + 4);
        return Math.Max(1, Refine(sample, 0, UpperShift, UpperBits, ref wanted));
    }

    /// <summary>
    /// The border with some more bits: of those magnitudes that agree with it in the bits that it has, so many are wanted, and at least so many
    /// are not below it with the new bits. Says how many are wanted of those that agree in the new bits too.
    /// </summary>
    private static int Refine(ReadOnlySpan<int> magnitudes, int border, int shift, int bits, ref int wanted)
    {
        Span<int> bins = stackalloc int[1 << UpperBits];
        bins = bins[..(1 << bits)];
        bins.Clear();
        int upper = (int)((uint)border >> (shift + bits));
        foreach (int magnitude in magnitudes)
        {
            if ((int)((uint)magnitude >> (shift + bits)) == upper)
                bins[(magnitude >> shift) & ((1 << bits) - 1)]++;
        }

        int bin = bins.Length - 1;
        for (; bin > 0 && bins[bin] < wanted; bin--)
            wanted -= bins[bin];
        return border | (bin << shift);
    }

    /// <summary>Keeps the candidates above the border, and the first so many at it.</summary>
    private static int Cut(ReadOnlySpan<int> magnitudes, int border, int atBorder, Span<int> positions)
    {
        int kept = 0;
        for (int k = 0; k < magnitudes.Length; k++)
        {
            if (magnitudes[k] > border || (magnitudes[k] == border && atBorder-- > 0))
                positions[kept++] = positions[k];
        }

        return kept;
    }

    /// <summary>All magnitudes of this at least, and their positions.</summary>
    private static int Collect(ReadOnlySpan<float> x, ReadOnlySpan<float> h, int least, Span<int> magnitudes, Span<int> positions)
    {
        ref float x0 = ref MemoryMarshal.GetReference(x), h0 = ref MemoryMarshal.GetReference(h);
        nuint n = (nuint)x.Length, j = 0;
        int found = 0;
        Vector256<int> below = Vector256.Create(least - 1), magnitude = Vector256.Create(int.MaxValue);
        for (; j + Lanes <= n; j += Lanes)
        {
            Vector256<int> bits = (Vector256.LoadUnsafe(ref x0, j) - Vector256.LoadUnsafe(ref h0, j)).AsInt32() & magnitude;
            for (uint above = Vector256.GreaterThan(bits, below).ExtractMostSignificantBits(); above != 0; above &= above - 1)
                Add((int)j + BitOperations.TrailingZeroCount(above), x, h, magnitudes, positions, ref found);
        }

        for (int tail = (int)j; tail < x.Length; tail++)
        {
            if ((BitConverter.SingleToInt32Bits(x[tail] - h[tail]) & int.MaxValue) >= least)
                Add(tail, x, h, magnitudes, positions, ref found);
        }

        return found;
    }

    private static void Add(int at, ReadOnlySpan<float> x, ReadOnlySpan<float> h, Span<int> magnitudes, Span<int> positions, ref int found)
    {
        magnitudes[found] = BitConverter.SingleToInt32Bits(x[at] - h[at]) & int.MaxValue;
        positions[found++] = at;
    }
}
