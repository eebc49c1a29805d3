using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HpAsyncPs.Kernels;

/// <summary>
/// The sweeps of a push and a pull: deltas against reconstructions, in fp32, into sums in double. One source: 256-bit
/// vectors, which the compiler lowers to the machine's own, and a scalar tail. Products and sums are rounded one by one
/// (no fused multiply-add), so that both ends and every machine get the same bits. Spans that go together must have one
/// length; that is checked once a call.
/// </summary>
public static class DeltaKernel
{
    private const int Lanes = 8;

    /// <summary>Worker: c = x - h, then h += c. After it, x - h is the residual that a later delta will carry.</summary>
    /// <param name="x">The new vector.</param>
    /// <param name="h">The reconstruction, updated as the server will update it.</param>
    /// <param name="c">Receives the delta.</param>
    public static void Encode(ReadOnlySpan<float> x, Span<float> h, Span<float> c)
    {
        SameLength(x.Length, h.Length, c.Length);
        ref float x0 = ref MemoryMarshal.GetReference(x), h0 = ref MemoryMarshal.GetReference(h), c0 = ref MemoryMarshal.GetReference(c);
        nuint n = (nuint)x.Length, j = 0;
        for (; j + Lanes <= n; j += Lanes)
        {
            Vector256<float> before = Vector256.LoadUnsafe(ref h0, j);
            Vector256<float> delta = Vector256.LoadUnsafe(ref x0, j) - before;
            delta.StoreUnsafe(ref c0, j);
            (before + delta).StoreUnsafe(ref h0, j);
        }

        int tail = (int)j;
        Scalar.Encode(x[tail..], h[tail..], c[tail..]);
    }

    /// <summary>Server: would |h + c| be at most this in every element? NaN or infinity in c, or a sum that overflows, says no.</summary>
    public static bool StaysWithin(ReadOnlySpan<float> c, ReadOnlySpan<float> h, float limit)
    {
        SameLength(c.Length, h.Length, h.Length);
        ref float c0 = ref MemoryMarshal.GetReference(c), h0 = ref MemoryMarshal.GetReference(h);
        nuint n = (nuint)c.Length, j = 0;
        Vector256<float> most = Vector256.Create(limit);
        Vector256<float> finite = Vector256<float>.AllBitsSet;
        for (; j + Lanes <= n; j += Lanes)
        {
            Vector256<float> after = Vector256.LoadUnsafe(ref h0, j) + Vector256.LoadUnsafe(ref c0, j);
            finite &= Vector256.LessThanOrEqual(Vector256.Abs(after), most);
        }

        int tail = (int)j;
        return Vector256.EqualsAll(finite.AsUInt32(), Vector256<uint>.AllBitsSet) && Scalar.StaysWithin(c[tail..], h[tail..], limit);
    }

    /// <summary>
    /// Server: h += c, and sum += weight (h_new - h_old) in double. The sum takes what h really moved by and not c, so
    /// that sum stays the weighted sum of reconstructions however h + c was rounded.
    /// </summary>
    /// <param name="c">The delta, as it came.</param>
    /// <param name="weight">The worker's weight.</param>
    /// <param name="h">The worker's reconstruction.</param>
    /// <param name="sum">The weighted sum over workers.</param>
    public static void Apply(ReadOnlySpan<float> c, double weight, Span<float> h, Span<double> sum)
    {
        SameLength(c.Length, h.Length, sum.Length);
        ref float c0 = ref MemoryMarshal.GetReference(c), h0 = ref MemoryMarshal.GetReference(h);
        ref double s0 = ref MemoryMarshal.GetReference(sum);
        nuint n = (nuint)c.Length, j = 0;
        Vector256<double> w = Vector256.Create(weight);
        for (; j + Lanes <= n; j += Lanes)
        {
            Vector256<float> before = Vector256.LoadUnsafe(ref h0, j);
            Vector256<float> after = before + Vector256.LoadUnsafe(ref c0, j);
            after.StoreUnsafe(ref h0, j);
            (Vector256<double> afterLow, Vector256<double> afterHigh) = Vector256.Widen(after);
            (Vector256<double> beforeLow, Vector256<double> beforeHigh) = Vector256.Widen(before);
            (Vector256.LoadUnsafe(ref s0, j) + (w * (afterLow - beforeLow))).StoreUnsafe(ref s0, j);
            (Vector256.LoadUnsafe(ref s0, j + 4) + (w * (afterHigh - beforeHigh))).StoreUnsafe(ref s0, j + 4);
        }

        int tail = (int)j;
        Scalar.Apply(c[tail..], weight, h[tail..], sum[tail..]);
    }

    /// <summary>Server: snapshot = (float)(sum * scale).</summary>
    public static void Publish(ReadOnlySpan<double> sum, double scale, Span<float> snapshot)
    {
        SameLength(sum.Length, snapshot.Length, snapshot.Length);
        ref double s0 = ref MemoryMarshal.GetReference(sum);
        ref float x0 = ref MemoryMarshal.GetReference(snapshot);
        nuint n = (nuint)sum.Length, j = 0;
        Vector256<double> factor = Vector256.Create(scale);
        for (; j + Lanes <= n; j += Lanes)
        {
            Vector256<double> low = Vector256.LoadUnsafe(ref s0, j) * factor;
            Vector256<double> high = Vector256.LoadUnsafe(ref s0, j + 4) * factor;
            Vector256.Narrow(low, high).StoreUnsafe(ref x0, j);
        }

        int tail = (int)j;
        Scalar.Publish(sum[tail..], scale, snapshot[tail..]);
    }

    /// <summary>Worker: x = (float)(x + scale c), in double: adds deltas of its own that a snapshot does not contain yet.</summary>
    public static void AddScaled(ReadOnlySpan<float> c, double scale, Span<float> x)
    {
        SameLength(c.Length, x.Length, x.Length);
        ref float c0 = ref MemoryMarshal.GetReference(c), x0 = ref MemoryMarshal.GetReference(x);
        nuint n = (nuint)c.Length, j = 0;
        Vector256<double> factor = Vector256.Create(scale);
        for (; j + Lanes <= n; j += Lanes)
        {
            (Vector256<double> cLow, Vector256<double> cHigh) = Vector256.Widen(Vector256.LoadUnsafe(ref c0, j));
            (Vector256<double> xLow, Vector256<double> xHigh) = Vector256.Widen(Vector256.LoadUnsafe(ref x0, j));
            Vector256.Narrow(xLow + (factor * cLow), xHigh + (factor * cHigh)).StoreUnsafe(ref x0, j);
        }

        int tail = (int)j;
        Scalar.AddScaled(c[tail..], scale, x[tail..]);
    }

    /// <summary>Server: sum += weight h, in double. Makes a sum anew from reconstructions.</summary>
    public static void AddWeighted(ReadOnlySpan<float> h, double weight, Span<double> sum)
    {
        SameLength(h.Length, sum.Length, sum.Length);
        ref float h0 = ref MemoryMarshal.GetReference(h);
        ref double s0 = ref MemoryMarshal.GetReference(sum);
        nuint n = (nuint)h.Length, j = 0;
        Vector256<double> w = Vector256.Create(weight);
        for (; j + Lanes <= n; j += Lanes)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.LoadUnsafe(ref h0, j));
            (Vector256.LoadUnsafe(ref s0, j) + (w * low)).StoreUnsafe(ref s0, j);
            (Vector256.LoadUnsafe(ref s0, j + 4) + (w * high)).StoreUnsafe(ref s0, j + 4);
        }

        int tail = (int)j;
        Scalar.AddWeighted(h[tail..], weight, sum[tail..]);
    }

    /// <summary>
    /// Server: the largest |c|, 0 of none; infinity if one is infinite, NaN if one is NaN. Without the sign, floats are in the order of
    /// their bits, with infinity above all numbers and NaN above that.
    /// </summary>
    public static float LargestMagnitude(ReadOnlySpan<float> c)
    {
        ref float c0 = ref MemoryMarshal.GetReference(c);
        nuint n = (nuint)c.Length, j = 0;
        Vector256<int> first = Vector256<int>.Zero, second = first, magnitude = Vector256.Create(int.MaxValue);
        for (; j + (2 * Lanes) <= n; j += 2 * Lanes)
        {
            first = Vector256.Max(first, Vector256.LoadUnsafe(ref c0, j).AsInt32() & magnitude);
            second = Vector256.Max(second, Vector256.LoadUnsafe(ref c0, j + Lanes).AsInt32() & magnitude);
        }

        first = Vector256.Max(first, second);
        int largest = BitConverter.SingleToInt32Bits(Scalar.LargestMagnitude(c[(int)j..]));
        for (int lane = 0; lane < Lanes; lane++)
            largest = Math.Max(largest, first[lane]);
        return BitConverter.Int32BitsToSingle(largest);
    }

    /// <summary>The largest |x - h|, as <see cref="LargestMagnitude"/> has it of c.</summary>
    public static float LargestDifference(ReadOnlySpan<float> x, ReadOnlySpan<float> h)
    {
        SameLength(x.Length, h.Length, h.Length);
        ref float x0 = ref MemoryMarshal.GetReference(x), h0 = ref MemoryMarshal.GetReference(h);
        nuint n = (nuint)x.Length, j = 0;
        Vector256<int> most = Vector256<int>.Zero, magnitude = Vector256.Create(int.MaxValue);
        for (; j + Lanes <= n; j += Lanes)
            most = Vector256.Max(most, (Vector256.LoadUnsafe(ref x0, j) - Vector256.LoadUnsafe(ref h0, j)).AsInt32() & magnitude);
        int tail = (int)j, largest = BitConverter.SingleToInt32Bits(Scalar.LargestDifference(x[tail..], h[tail..]));
        for (int lane = 0; lane < Lanes; lane++)
            largest = Math.Max(largest, most[lane]);
        return BitConverter.Int32BitsToSingle(largest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SameLength(int a, int b, int c)
    {
        if (a != b || b != c)
            throw new ArgumentException($"Spans of one length were expected; these have {a}, {b} and {c} elements.");
    }
}
