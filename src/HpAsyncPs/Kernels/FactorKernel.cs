using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HpAsyncPs.Kernels;

/// <summary>
/// Stochastic gradient steps of biased matrix factorisation, r ~ mean + b_u + b_i + p.q. Factors are padded to a multiple of
/// <see cref="Lanes"/>; padding stays zero. One source of 256-bit vectors. Method: S. Funk, Netflix Update, 2006; Y. Koren,
/// R. Bell, C. Volinsky, Matrix Factorization Techniques for Recommender Systems, IEEE Computer 42(8), 2009.
/// </summary>
public static class FactorKernel
{
    /// <summary>Factors are padded to a multiple of this.</summary>
    public const int Lanes = 8;

    /// <summary>All ratings of one user, one step each, in the order given.</summary>
    /// <param name="p">The user's factors, padded.</param>
    /// <param name="userBias">The user's bias.</param>
    /// <param name="items">Index of each rating's item.</param>
    /// <param name="values">Each rating, less the mean of all.</param>
    /// <param name="q">Factors of all items, a padded row each.</param>
    /// <param name="itemBiases">Bias of each item.</param>
    /// <param name="itemScales">Factor on the step of each item.</param>
    /// <param name="step">Step size.</param>
    /// <param name="largestItemStep">Bound on the scaled step of an item.</param>
    /// <param name="decay">Regularisation of factors and biases.</param>
    public static void UserSteps(
        Span<float> p, ref float userBias, ReadOnlySpan<int> items, ReadOnlySpan<float> values, Span<float> q,
        Span<float> itemBiases, ReadOnlySpan<float> itemScales, float step, float largestItemStep, float decay)
    {
        nuint width = (nuint)p.Length;
        ref float p0 = ref MemoryMarshal.GetReference(p);
        float bias = userBias;
        for (int r = 0; r < items.Length; r++)
        {
            int item = items[r];
            ref float q0 = ref MemoryMarshal.GetReference(q.Slice(item * (int)width, (int)width));
            float itemBias = itemBiases[item], itemStep = Math.Min(step * itemScales[item], largestItemStep);
            float error = values[r] - bias - itemBias - Dot(ref p0, ref q0, width);
            Vector256<float> pGain = Vector256.Create(step * error), qGain = Vector256.Create(itemStep * error);
            Vector256<float> pKeep = Vector256.Create(1 - (step * decay)), qKeep = Vector256.Create(1 - (itemStep * decay));
            for (nuint k = 0; k < width; k += Lanes)
            {
                Vector256<float> x = Vector256.LoadUnsafe(ref p0, k), y = Vector256.LoadUnsafe(ref q0, k);
                Vector256.MultiplyAddEstimate(pGain, y, pKeep * x).StoreUnsafe(ref p0, k);
                Vector256.MultiplyAddEstimate(qGain, x, qKeep * y).StoreUnsafe(ref q0, k);
            }

            bias += step * (error - (decay * bias));
            itemBiases[item] = itemBias + (itemStep * (error - (decay * itemBias)));
        }

        userBias = bias;
    }

    /// <summary>Sum of the squared errors of one user's ratings.</summary>
    /// <param name="p">The user's factors, padded.</param>
    /// <param name="userBias">The user's bias.</param>
    /// <param name="items">Index of each rating's item.</param>
    /// <param name="values">Each rating, less the mean of all.</param>
    /// <param name="q">Factors of all items, a padded row each.</param>
    /// <param name="itemBiases">Bias of each item.</param>
    public static double SquaredError(
        ReadOnlySpan<float> p, float userBias, ReadOnlySpan<int> items, ReadOnlySpan<float> values, ReadOnlySpan<float> q,
        ReadOnlySpan<float> itemBiases)
    {
        double sum = 0;
        for (int r = 0; r < items.Length; r++)
        {
            int item = items[r];
            double error = values[r] - userBias - itemBiases[item] - Dot(p, q.Slice(item * p.Length, p.Length));
            sum += error * error;
        }

        return sum;
    }

    /// <summary>p.q of two padded rows.</summary>
    public static float Dot(ReadOnlySpan<float> p, ReadOnlySpan<float> q)
    {
        if (p.Length != q.Length || p.Length % Lanes != 0)
            throw new ArgumentException($"Padded rows of one length were expected; these have {p.Length} and {q.Length} elements.");
        return Dot(ref MemoryMarshal.GetReference(p), ref MemoryMarshal.GetReference(q), (nuint)p.Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot(ref float p0, ref float q0, nuint width)
    {
        Vector256<float> even = Vector256<float>.Zero, odd = Vector256<float>.Zero;
        nuint k = 0;
        for (; k + (2 * Lanes) <= width; k += 2 * Lanes)
        {
            even = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref p0, k), Vector256.LoadUnsafe(ref q0, k), even);
            odd = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref p0, k + Lanes), Vector256.LoadUnsafe(ref q0, k + Lanes), odd);
        }

        if (k < width)
            even = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref p0, k), Vector256.LoadUnsafe(ref q0, k), even);
        return Vector256.Sum(even + odd);
    }
}
