namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// x -= rate g. Source: Robbins, Monro, A Stochastic Approximation Method, Ann. Math. Statist. 22(3), 1951; applied as gradients
/// arrive: Agarwal, Duchi, Distributed Delayed Stochastic Optimization, NIPS 2011.
/// </summary>
public sealed class SgdOptimizer : LinearOptimizer
{
    /// <inheritdoc/>
    public override string Name => "sgd";

    /// <summary>
    /// 1 / (workers smoothness): a gradient is about as many updates old as there are other workers, and a delayed gradient step is
    /// stable below about pi/2 / (delay + 1/2) / smoothness.
    /// </summary>
    public override double DefaultRate(double smoothness, int workers) => smoothness > 0 ? 1 / (smoothness * workers) : 0;

    /// <inheritdoc/>
    protected override double FactorOf(double rate) => -rate;
}
