using System;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// Many steps of one weight at once, v &lt;- shrink(v - step (g + (l2 + rho) (v - z)), step l1): between two touches the map is always the
/// same, and affine on each side of 0, so a power and, where v changes sign, a logarithm give the result of any number of steps.
/// </summary>
public sealed class LazySteps
{
    private readonly double[] _powers = new double[512];
    private double _rho;
    private Penalty _penalty;

    /// <summary>The length of a step: 1 / (curvature + l2 + rho).</summary>
    public double Step { get; private set; }

    /// <summary>What a step leaves of a distance: 1 - step (l2 + rho), and above 0 however large rho is.</summary>
    public double Contraction { get; private set; } = 1;

    /// <summary>The same for the intercept, which has no penalty: 1 - step rho.</summary>
    public double FreeContraction { get; private set; } = 1;

    /// <summary>Another step, rho or penalty.</summary>
    /// <param name="curvature">The largest of a row, scaled; above 0 where there are rows with entries.</param>
    /// <param name="rho">Weight of |v - z|^2 / 2, above 0.</param>
    /// <param name="penalty">l2 and l1.</param>
    public void Begin(double curvature, double rho, Penalty penalty)
    {
        _rho = rho;
        _penalty = penalty;
        Step = 1 / (curvature + penalty.L2 + rho);
        Contraction = curvature * Step; // 1 - step (l2 + rho) would be rounded to 0 where rho is large
        FreeContraction = (curvature + penalty.L2) * Step;
        _powers[0] = 1;
        for (int t = 1; t < _powers.Length; t++)
            _powers[t] = _powers[t - 1] * Contraction;
    }

    /// <summary>The weight after some steps.</summary>
    /// <param name="v">Before.</param>
    /// <param name="steps">How many.</param>
    /// <param name="z">Where it is drawn to.</param>
    /// <param name="gradient">The constant part of the slope.</param>
    /// <param name="j">Which weight.</param>
    public double Advance(double v, int steps, double z, double gradient, int j)
    {
        if (j < _penalty.First)
        {
            double free = z - (gradient / _rho);
            return free + ((v - free) * Math.Pow(FreeContraction, steps));
        }

        double limit = z - (gradient / (_penalty.L2 + _rho)); // the fixed point without l1
        return _penalty.L1 == 0 ? limit + ((v - limit) * Power(steps)) : AdvanceShrinking(v, steps, limit);
    }

    private double AdvanceShrinking(double v, int steps, double limit)
    {
        double a = Contraction, pull = _penalty.L2 + _rho, shift = _penalty.L1 / pull;
        while (steps > 0)
        {
            if (v != 0)
            {
                // On this side of 0 the map is affine and tends to its own fixed point; if that lies on this side, it stays here.
                double fixedPoint = v > 0 ? limit - shift : limit + shift;
                if (v * fixedPoint >= 0)
                    return fixedPoint + ((v - fixedPoint) * Power(steps));
                double crossing = Math.Log(fixedPoint / (fixedPoint - v)) / Math.Log(a);
                int within = (int)Math.Min(steps, Math.Max(0, Math.Floor(crossing)));
                v = fixedPoint + ((v - fixedPoint) * Power(within));
                steps -= within;
                if (steps == 0)
                    return v;
            }
            else if (Math.Abs(limit) <= shift)
            {
                return 0;
            }

            v = Penalty.Shrink((a * v) + (Step * pull * limit), Step * _penalty.L1);
            steps--;
        }

        return v;
    }

    private double Power(int steps) => steps < _powers.Length ? _powers[steps] : Math.Pow(Contraction, steps);
}
