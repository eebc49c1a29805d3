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
    private const int Bins = 1 << (31 - UpperShift);
    private const int LowerBits = UpperShift / 2;
    private const int Tile = 2048; // stays in the cache between the difference and its count

    /// <summary>Positions of the largest |x - h| that are not 0; among equals the first come first.</summary>
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
        // Two of them: one after the other in one bin would wait for each other.
        Span<int> even = stackalloc int[Bins], odd = stackalloc int[Bins];
        even.Clear();
        odd.Clear();
        for (int begin = 0; begin < x.Length; begin += Tile)
        {
            int count = Math.Min(Tile, x.Length - begin);
            Span<int> some = magnitudes.Slice(begin, count);
            Magnitudes(x.Slice(begin, count), h.Slice(begin, count), some);
            int j = 0;
            for (; j + 1 < some.Length; j += 2)
            {
                even[some[j] >> UpperShift]++;
                odd[some[j + 1] >> UpperShift]++;
            }

            if (j < some.Length)
                even[some[j] >> UpperShift]++;
        }

        for (int bin = 0; bin < Bins; bin++)
            even[bin] += odd[bin];
        int wanted = most;
        int border = Border(even, ref wanted) << UpperShift;
        int found = Collect(magnitudes, Math.Max(border, 1), positions);
        if (found <= most)
            return found;
        border = Refine(magnitudes, positions[..found], border, LowerBits, ref wanted);
        border = Refine(magnitudes, positions[..found], border, 0, ref wanted);
        return Cut(magnitudes, positions[..found], border, wanted);
    }

    /// <summary>The bin that has the last one wanted, from above; how many are wanted of that bin. The lowest, if there are too few.</summary>
    private static int Border(ReadOnlySpan<int> bins, ref int wanted)
    {
        int bin = bins.Length - 1;
        for (; bin > 0 && bins[bin] < wanted; bin--)
            wanted -= bins[bin];
        return bin;
    }

    /// <summary>The border with some more bits, from those candidates that agree with it in the bits it has.</summary>
    private static int Refine(ReadOnlySpan<int> magnitudes, ReadOnlySpan<int> candidates, int border, int shift, ref int wanted)
    {
        Span<int> bins = stackalloc int[1 << LowerBits];
        bins.Clear();
        int upper = border >> (shift + LowerBits);
        foreach (int position in candidates)
        {
            int magnitude = magnitudes[position];
            if (magnitude >> (shift + LowerBits) == upper)
                bins[(magnitude >> shift) & ((1 << LowerBits) - 1)]++;
        }

        return border | (Border(bins, ref wanted) << shift);
    }

    /// <summary>Keeps the candidates above the border, and the first so many at it.</summary>
    private static int Cut(ReadOnlySpan<int> magnitudes, Span<int> candidates, int border, int atBorder)
    {
        int kept = 0;
        foreach (int position in candidates)
        {
            int magnitude = magnitudes[position];
            if (magnitude > border || (magnitude == border && magnitude != 0 && atBorder-- > 0))
                candidates[kept++] = position;
        }

        return kept;
    }

    private static void Magnitudes(ReadOnlySpan<float> x, ReadOnlySpan<float> h, Span<int> magnitudes)
    {
        ref float x0 = ref MemoryMarshal.GetReference(x), h0 = ref MemoryMarshal.GetReference(h);
        ref int m0 = ref MemoryMarshal.GetReference(magnitudes);
        nuint n = (nuint)x.Length, j = 0;
        for (; j + Lanes <= n; j += Lanes)
            ((Vector256.LoadUnsafe(ref x0, j) - Vector256.LoadUnsafe(ref h0, j)).AsInt32() & Vector256.Create(int.MaxValue)).StoreUnsafe(ref m0, j);
        for (int tail = (int)j; tail < x.Length; tail++)
            magnitudes[tail] = BitConverter.SingleToInt32Bits(x[tail] - h[tail]) & int.MaxValue;
    }

    /// <summary>Positions of all magnitudes of this at least.</summary>
    private static int Collect(ReadOnlySpan<int> magnitudes, int least, Span<int> positions)
    {
        ref int m0 = ref MemoryMarshal.GetReference(magnitudes);
        nuint n = (nuint)magnitudes.Length, j = 0;
        int found = 0;
        Vector256<int> below = Vector256.Create(least - 1);
        for (; j + Lanes <= n; j += Lanes)
        {
            for (uint bits = Vector256.GreaterThan(Vector256.LoadUnsafe(ref m0, j), below).ExtractMostSignificantBits(); bits != 0; bits &= bits - 1)
                positions[found++] = (int)j + BitOperations.TrailingZeroCount(bits);
        }

        for (int tail = (int)j; tail < magnitudes.Length; tail++)
        {
            if (magnitudes[tail] >= least)
                positions[found++] = tail;
        }

        return found;
    }
}
