using System;

namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// x -= rate g. Source: Robbins, Monro, A Stochastic Approximation Method, Ann. Math. Statist. 22(3), 1951; applied as gradients
/// arrive: Agarwal, Duchi, Distributed Delayed Stochastic Optimization, NIPS 2011.
/// </summary>
public sealed class SgdOptimizer : IServerOptimizer
{
    private double _rate;

    /// <inheritdoc/>
    public string Name => "sgd";

    /// <inheritdoc/>
    public int StatePerParameter => 0;

    /// <summary>
    /// 1 / (workers smoothness): a gradient is about as many updates old as there are other workers, and a delayed gradient step is
    /// stable below about pi/2 / (delay + 1/2) / smoothness.
    /// </summary>
    public double DefaultRate(double smoothness, int workers) => smoothness > 0 ? 1 / (smoothness * workers) : 0;

    /// <inheritdoc/>
    public void Start(int parameters, double rate) => _rate = rate;

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<float> gradient, int key, Span<double> x)
    {
        for (int j = 0; j < gradient.Length; j++)
            x[j] -= _rate * gradient[j];
    }
}
