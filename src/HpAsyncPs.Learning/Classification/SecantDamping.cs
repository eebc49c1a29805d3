using System;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// theta of steps that all workers make from the same z with the same aggregated gradient g. Along the way s that the aggregate went since, the secant of the gradient tells how far it should have gone: with
/// r = s.g_new / s.g_old a quadratic has its least value along s at 1 / (1 - r) of it. r below 0: all together went too far, as mean(H_i^-1) does where the rows of a worker tell little of some directions;
/// above 0: not far enough. All workers see the same z and g, so their theta agree without a message. The secant is that of J. Barzilai, J. Borwein, Two-Point Step Size Gradient Methods, IMA J. Numerical Analysis 8, 1988.
/// </summary>
public sealed class SecantDamping
{
    /// <summary>The least theta: below it the guard's rho is what shortens steps.</summary>
    public const double Least = 0.35;

    /// <summary>The largest theta.</summary>
    public const double Most = 1.5;

    private float[] _z = [];
    private double[] _gradient = [];

    /// <summary>What the next step is to be multiplied by; 1 before anything is known.</summary>
    public double Theta { get; private set; } = 1;

    /// <summary>A step is about to be made.</summary>
    /// <param name="z">What from; as long each time.</param>
    /// <param name="gradient">The aggregated gradient there; as long.</param>
    public void Observe(ReadOnlySpan<float> z, ReadOnlySpan<double> gradient)
    {
        if (_z.Length == 0)
        {
            (_z, _gradient) = (z.ToArray(), gradient.ToArray());
            return;
        }

        double before = 0, after = 0;
        for (int j = 0; j < z.Length; j++)
        {
            double way = z[j] - _z[j];
            before += _gradient[j] * way;
            after += gradient[j] * way;
        }

        z.CopyTo(_z);
        gradient.CopyTo(_gradient);
        if (before < 0) // it went down; else what is seen is no step of this theta
            Theta = Math.Clamp(after > before ? Theta / (1 - (after / before)) : Most, Least, Most);
    }
}
