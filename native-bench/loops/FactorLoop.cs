using System;
using System.Globalization;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Bench.Loops;

/// <summary>Steps of factorisation, on ratings sorted by user, items drawn with a heavy tail.</summary>
internal static class FactorLoop
{
    public const int Items = 4000;

    private const int Rank = 32;
    private const int Users = 6000;

    /// <returns>One JSON object.</returns>
    public static string Run(int ratings, double seconds, int items)
    {
        float[] p = Spread(Users * Rank), q = Spread(items * Rank), biases = new float[items], scales = new float[items];
        Array.Fill(scales, 1f);
        int[] which = new int[ratings];
        float[] values = new float[ratings];
        ulong state = 1;
        for (int r = 0; r < ratings; r++)
        {
            double u = Next(ref state);
            (which[r], values[r]) = ((int)(items * u * u), 1 + (int)(5 * Next(ref state)) - 3);
        }

        Sweep(p, which, values, q, biases, scales); // caches and pages
        var meter = new Meter(seconds);
        do
            Sweep(p, which, values, q, biases, scales);
        while (meter.Next());
        return string.Create(CultureInfo.InvariantCulture,
            $"{{\"what\":\"factor\",\"rank\":{Rank},\"items\":{items},\"ratings_per_second\":{meter.Sweeps * (double)ratings / meter.Seconds:0}}}");
    }

    private static void Sweep(float[] p, int[] which, float[] values, float[] q, float[] biases, float[] scales)
    {
        float userBias = 0;
        for (int user = 0; user < Users; user++)
        {
            int begin = (int)((long)user * which.Length / Users), end = (int)((user + 1L) * which.Length / Users);
            FactorKernel.UserSteps(p.AsSpan(user * Rank, Rank), ref userBias, which.AsSpan(begin, end - begin), values.AsSpan(begin, end - begin),
                q, biases, scales, 0.01f, 1f, 0.05f);
        }
    }

    private static float[] Spread(int count)
    {
        float[] values = new float[count];
        ulong state = 7;
        for (int j = 0; j < count; j++)
            values[j] = 0.1f * (float)Next(ref state);
        return values;
    }

    // Xorshift: G. Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003.
    private static double Next(ref ulong state)
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (state >> 11) * (1.0 / (1UL << 53));
    }
}
