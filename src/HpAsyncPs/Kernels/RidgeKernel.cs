using System;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace HpAsyncPs.Kernels;

/// <summary>
/// The best factors and bias of one user for given items: the minimum of sum (r - b_i - b_u - p.q)^2 + n decay (|p|^2 + b_u^2),
/// by normal equations and Cholesky's method. Method: Y. Zhou, D. Wilkinson, R. Schreiber, R. Pan, Large-scale Parallel
/// Collaborative Filtering for the Netflix Prize, AAIM 2008.
/// </summary>
public static class RidgeKernel
{
    private const int Lanes = FactorKernel.Lanes;

    // So many ratings are added to the equations at once: the sums are loaded and stored once for them.
    private const int Batch = 4;

    /// <summary>Floats of scratch for rows of this padded width.</summary>
    public static int Scratch(int width) => (Stride(width) * (width + 2)) + ((Batch + 1) * Stride(width));

    /// <summary>Solves for one user; one without ratings gets zeros.</summary>
    /// <param name="p">Receives the factors, padded.</param>
    /// <param name="items">Index of each rating's item.</param>
    /// <param name="values">Each rating, less the mean of all.</param>
    /// <param name="q">Factors of all items, a padded row each.</param>
    /// <param name="itemBiases">Bias of each item.</param>
    /// <param name="decay">Regularisation for each rating, above zero.</param>
    /// <param name="scratch">As long as <see cref="Scratch"/> says; overwritten.</param>
    /// <returns>The user's bias.</returns>
    public static float Solve(
        Span<float> p, ReadOnlySpan<int> items, ReadOnlySpan<float> values, ReadOnlySpan<float> q, ReadOnlySpan<float> itemBiases,
        float decay, Span<float> scratch)
    {
        p.Clear();
        if (items.IsEmpty)
            return 0;
        int width = p.Length, stride = Stride(width), unknowns = width + 1;
        Span<float> sums = scratch[..(stride * (unknowns + 1))], rows = scratch.Slice(sums.Length, Batch * stride);
        Span<float> right = scratch.Slice(sums.Length + rows.Length, stride);
        sums.Clear();
        right.Clear();
        for (int from = 0; from < items.Length; from += Batch)
        {
            rows.Clear();
            for (int b = 0; b < Math.Min(Batch, items.Length - from); b++)
            {
                int item = items[from + b];
                Span<float> row = rows.Slice(b * stride, stride);
                q.Slice(item * width, width).CopyTo(row);
                row[width] = 1;
                TensorPrimitives.MultiplyAdd(row, values[from + b] - itemBiases[item], right, right);
            }

            Add(sums, rows, unknowns, stride);
        }

        for (int i = 0; i < unknowns; i++)
            sums[(i * stride) + i] += items.Length * decay;
        Factorise(sums, unknowns, stride);
        Substitute(sums, right, unknowns, stride);
        right[..width].CopyTo(p);
        return right[width];
    }

    // The length of a row with the one for the bias behind the factors, padded.
    private static int Stride(int width) => width + Lanes;

    // Where the vector begins that holds an element: what it has before that is computed too, and never read.
    private static nuint From(int element) => (nuint)(element / Lanes * Lanes);

    /// <summary>Adds the outer products of some rows with themselves to the upper triangle, two of its rows at a time.</summary>
    private static void Add(Span<float> sums, ReadOnlySpan<float> rows, int unknowns, int stride)
    {
        ref float s0 = ref MemoryMarshal.GetReference(sums), r0 = ref MemoryMarshal.GetReference(rows);
        nuint length = (nuint)stride;
        for (int i = 0; i < unknowns; i += 2)
        {
            Vector256<float> a = Vector256.Create(rows[i]), b = Vector256.Create(rows[stride + i]);
            Vector256<float> c = Vector256.Create(rows[(2 * stride) + i]), d = Vector256.Create(rows[(3 * stride) + i]);
            Vector256<float> e = Vector256.Create(rows[i + 1]), f = Vector256.Create(rows[stride + i + 1]);
            Vector256<float> g = Vector256.Create(rows[(2 * stride) + i + 1]), h = Vector256.Create(rows[(3 * stride) + i + 1]);
            nuint row = (nuint)i * length, next = row + length;
            for (nuint k = From(i); k < length; k += Lanes)
            {
                Vector256<float> one = Vector256.LoadUnsafe(ref r0, k), two = Vector256.LoadUnsafe(ref r0, length + k);
                Vector256<float> three = Vector256.LoadUnsafe(ref r0, (2 * length) + k), four = Vector256.LoadUnsafe(ref r0, (3 * length) + k);
                Vector256<float> sum = Vector256.MultiplyAddEstimate(a, one, Vector256.LoadUnsafe(ref s0, row + k));
                Vector256<float> other = Vector256.MultiplyAddEstimate(e, one, Vector256.LoadUnsafe(ref s0, next + k));
                sum = Vector256.MultiplyAddEstimate(b, two, sum);
                other = Vector256.MultiplyAddEstimate(f, two, other);
                sum = Vector256.MultiplyAddEstimate(c, three, sum);
                other = Vector256.MultiplyAddEstimate(g, three, other);
                Vector256.MultiplyAddEstimate(d, four, sum).StoreUnsafe(ref s0, row + k);
                Vector256.MultiplyAddEstimate(h, four, other).StoreUnsafe(ref s0, next + k);
            }
        }
    }

    /// <summary>The upper triangle of A becomes U with U^T U = A, and its diagonal 1 over that of U.</summary>
    private static void Factorise(Span<float> a, int unknowns, int stride)
    {
        ref float a0 = ref MemoryMarshal.GetReference(a);
        nuint length = (nuint)stride;
        for (int j = 0; j < unknowns; j++)
        {
            nuint pivot = (nuint)j * length;
            float scale = 1 / MathF.Sqrt(a[(j * stride) + j]);
            for (nuint k = From(j); k < length; k += Lanes)
                (Vector256.Create(scale) * Vector256.LoadUnsafe(ref a0, pivot + k)).StoreUnsafe(ref a0, pivot + k);
            for (int i = j + 1; i < unknowns; i++)
            {
                nuint row = (nuint)i * length;
                Vector256<float> factor = Vector256.Create(-a[(j * stride) + i]);
                for (nuint k = From(i); k < length; k += Lanes)
                    Vector256.MultiplyAddEstimate(factor, Vector256.LoadUnsafe(ref a0, pivot + k), Vector256.LoadUnsafe(ref a0, row + k)).StoreUnsafe(ref a0, row + k);
            }

            a[(j * stride) + j] = scale;
        }
    }

    /// <summary>Solves U^T U x = y in place.</summary>
    private static void Substitute(ReadOnlySpan<float> u, Span<float> y, int unknowns, int stride)
    {
        for (int i = 0; i < unknowns; i++)
        {
            y[i] *= u[(i * stride) + i];
            int rest = unknowns - i - 1;
            TensorPrimitives.MultiplyAdd(u.Slice((i * stride) + i + 1, rest), -y[i], y.Slice(i + 1, rest), y.Slice(i + 1, rest));
        }

        for (int i = unknowns - 1; i >= 0; i--)
        {
            int rest = unknowns - i - 1;
            y[i] = (y[i] - TensorPrimitives.Dot(u.Slice((i * stride) + i + 1, rest), y.Slice(i + 1, rest))) * u[(i * stride) + i];
        }
    }
}
