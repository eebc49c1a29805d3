using System;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// Many steps of one weight at once, v &lt;- shrink(v - step (g + (l2 + rho) (v - z)), step l1): between two touches the map is always the
/// same, and affine on each side of 0, so a power and, where v changes sign, a logarithm give the result of any number of steps.
/// </summary>
internal sealed class LazySteps
{
    private readonly double[] _powers = new double[512];
    private double _step;
    private double _rho;
    private double _l1;
    private Penalty _penalty;

    /// <summary>What a step leaves of a distance: 1 - step (l2 + rho), above 0.</summary>
    public double Contraction { get; private set; } = 1;

    /// <summary>Another step, rho or penalty.</summary>
    public void Begin(double step, double rho, Penalty penalty)
    {
        _step = step;
        _rho = rho;
        _penalty = penalty;
        _l1 = step * penalty.L1;
        Contraction = 1 - (step * (penalty.L2 + rho));
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
            return free + ((v - free) * Math.Pow(1 - (_step * _rho), steps));
        }

        double limit = z - (gradient / (_penalty.L2 + _rho)); // the fixed point without l1
        return _l1 == 0 ? limit + ((v - limit) * Power(steps)) : AdvanceShrinking(v, steps, limit);
    }

    private double AdvanceShrinking(double v, int steps, double limit)
    {
        double a = Contraction, shift = _l1 / (1 - a);
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

            v = Penalty.Shrink((a * v) + ((1 - a) * limit), _l1);
            steps--;
        }

        return v;
    }

    private double Power(int steps) => steps < _powers.Length ? _powers[steps] : Math.Pow(Contraction, steps);
}
