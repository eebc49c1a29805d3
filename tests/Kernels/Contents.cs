using System;

namespace HpAsyncPs.Tests.Kernels;

/// <summary>What a vector may hold that a codec must have an answer for.</summary>
internal static class Contents
{
    /// <summary>How many kinds there are.</summary>
    public const int Kinds = 11;

    private static readonly float[] Special =
    [
        0f, -0f, 1f, -1f, float.Epsilon, -float.Epsilon, 1.1754942e-38f, 1.17549435e-38f, float.MaxValue, float.MinValue, float.NaN,
        float.PositiveInfinity, float.NegativeInfinity, 1e-20f, 3.1415927f, 16777216f, 1e30f, 0.5f, 1.5f, 2.5f, -3.5f,
    ];

    /// <summary>Fills x and h.</summary>
    public static void Fill(int kind, Random random, Span<float> x, Span<float> h)
    {
        h.Clear();
        for (int j = 0; j < x.Length; j++)
        {
            float even = (float)((random.NextDouble() * 2) - 1);
            switch (kind)
            {
                case 0: (x[j], h[j]) = (even, (float)(random.NextDouble() - 0.5)); break;
                case 1: (x[j], h[j]) = (random.Next(6) == 0 ? Special[random.Next(Special.Length)] : even, random.Next(40) == 0 ? Special[random.Next(Special.Length)] : 0); break;
                case 2: x[j] = 0; break;
                case 3: (x[j], h[j]) = (-0f, -0f); break;
                case 4: x[j] = -2.75f; break;
                case 5: x[j] = even * 1e-38f; break; // around the smallest normal, and below
                case 6: x[j] = even * 1.5e-36f; break; // whose scale is around the smallest normal
                case 7: x[j] = even * float.MaxValue; break;
                case 8: x[j] = even * MathF.Pow(10, random.Next(-12, 13)); break;
                case 9: x[j] = random.Next(-255, 256) / 2f; break; // ties
                default: (x[j], h[j]) = (random.Next(50) == 0 ? even : 0, -0f); break;
            }
        }
    }
}
