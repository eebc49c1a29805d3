using System;

namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// x -= rate g / (sqrt(sum of all g^2) + 1e-10), for each parameter by itself: steps shrink as 1 / sqrt(time), and parameters that are
/// seldom touched keep long ones. Source: Duchi, Hazan, Singer, Adaptive Subgradient Methods for Online Learning and Stochastic
/// Optimization, JMLR 12, 2011, the diagonal form.
/// </summary>
public sealed class AdagradOptimizer : IServerOptimizer
{
    private const double Epsilon = 1e-10;

    private double _rate;
    private double[] _squares = [];

    /// <inheritdoc/>
    public string Name => "adagrad";

    /// <inheritdoc/>
    public int StatePerParameter => 1;

    /// <summary>0.1: the length of the first step of each parameter.</summary>
    public double DefaultRate(double smoothness, int workers) => 0.1;

    /// <inheritdoc/>
    public void Start(int parameters, double rate) => (_rate, _squares) = (rate, new double[parameters]);

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<float> gradient, int key, Span<double> x)
    {
        Span<double> squares = _squares.AsSpan(key, gradient.Length);
        for (int j = 0; j < gradient.Length; j++)
        {
            double g = gradient[j];
            squares[j] += g * g;
            x[j] -= _rate * g / (Math.Sqrt(squares[j]) + Epsilon);
        }
    }
}
