using System;

namespace HpAsyncPs.Learning.Classification;

/// <summary>l2/2 |w|^2 + l1 |w|_1 over all weights but the first, if that is the intercept.</summary>
/// <param name="L2">Counted into the smooth part of the objective.</param>
/// <param name="L1">Handled by its proximal operator.</param>
/// <param name="HasIntercept">The first weight is free.</param>
public readonly record struct Penalty(double L2, double L1, bool HasIntercept)
{
    /// <summary>The first weight that is penalised.</summary>
    public int First => HasIntercept ? 1 : 0;

    /// <summary>Weight of w_j^2 / 2.</summary>
    public double L2Of(int j) => j < First ? 0 : L2;

    /// <summary>Weight of |w_j|.</summary>
    public double L1Of(int j) => j < First ? 0 : L1;

    /// <summary>Its value.</summary>
    public double Of(ReadOnlySpan<float> weights)
    {
        double squares = 0, sizes = 0;
        foreach (float weight in weights[Math.Min(First, weights.Length)..])
        {
            squares += (double)weight * weight;
            sizes += Math.Abs(weight);
        }

        return (0.5 * L2 * squares) + (L1 * sizes);
    }

    /// <summary>The proximal operator of t |.|: soft thresholding.</summary>
    public static double Shrink(double value, double t) => value > t ? value - t : value < -t ? value + t : 0;

    /// <summary>weights = prox of step times l1 |.|_1 at an aggregate.</summary>
    public void Shrink(ReadOnlySpan<float> aggregate, double step, Span<float> weights)
    {
        if (L1 == 0)
        {
            aggregate.CopyTo(weights);
            return;
        }

        for (int j = 0; j < weights.Length; j++)
            weights[j] = (float)Shrink(aggregate[j], step * L1Of(j));
    }

    /// <summary>
    /// Euclidean norm of (z - prox(z - step g)) / step, which is that of the gradient where there is no l1, and 0 only at the optimum.
    /// </summary>
    public double Residual(ReadOnlySpan<float> z, ReadOnlySpan<double> gradient, double step)
    {
        double sum = 0;
        for (int j = 0; j < z.Length; j++)
        {
            double r = L1 == 0 ? gradient[j] : (z[j] - Shrink(z[j] - (step * gradient[j]), step * L1Of(j))) / step;
            sum += r * r;
        }

        return Math.Sqrt(sum);
    }
}
