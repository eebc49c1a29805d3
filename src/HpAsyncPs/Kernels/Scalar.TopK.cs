using System;

namespace HpAsyncPs.Kernels;

/// <summary>The reference for what of a delta travels.</summary>
public static partial class Scalar
{
    /// <summary>See <see cref="TopKKernel.Select"/>.</summary>
    public static int Select(ReadOnlySpan<float> x, ReadOnlySpan<float> h, int most, Span<int> positions)
    {
        long[] order = new long[x.Length];
        for (int j = 0; j < x.Length; j++)
            order[j] = ((long)(BitConverter.SingleToInt32Bits(x[j] - h[j]) & int.MaxValue) << 32) | (uint)(x.Length - j); // the first of equals is above
        Array.Sort(order);
        int found = 0;
        for (int k = order.Length - 1; k >= 0 && found < most && order[k] >> 32 != 0; k--)
            positions[found++] = x.Length - (int)(uint)order[k];
        positions[..found].Sort();
        return found;
    }

    /// <summary>See <see cref="DeltaKernel.LargestDifference"/>.</summary>
    public static float LargestDifference(ReadOnlySpan<float> x, ReadOnlySpan<float> h)
    {
        int largest = 0;
        for (int j = 0; j < x.Length; j++)
            largest = Math.Max(largest, BitConverter.SingleToInt32Bits(x[j] - h[j]) & int.MaxValue);
        return BitConverter.Int32BitsToSingle(largest);
    }
}
