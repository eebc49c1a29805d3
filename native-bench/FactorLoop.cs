using System;
using System.Globalization;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Bench;

/// <summary>
/// Steps of factorisation for some seconds on one core, on ratings sorted by user, items drawn with a heavy tail; prints one JSON
/// object. For pairs with the same loop in plain C, in turn: a benchmark's own statistics say nothing of another program's noise.
/// </summary>
internal static class FactorLoop
{
    public const string Option = "--factor-loop";

    private const int Rank = 32;
    private const int Users = 6000;

    /// <param name="arguments">RATINGS SECONDS [ITEMS]</param>
    public static void Run(ReadOnlySpan<string> arguments)
    {
        int ratings = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        double seconds = double.Parse(arguments[1], CultureInfo.InvariantCulture);
        int items = arguments.Length > 2 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : 4000;
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

        Sweep(p, which, values, q, biases, scales); // the compiler's last word
        long count = 0, start = TimeProvider.System.GetTimestamp();
        double took;
        do
        {
            Sweep(p, which, values, q, biases, scales);
            count++;
            took = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        }
        while (took < seconds);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{{\"what\":\"factor-loop\",\"rank\":{Rank},\"items\":{items},\"ratings_per_second\":{count * (double)ratings / took:0}}}"));
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
