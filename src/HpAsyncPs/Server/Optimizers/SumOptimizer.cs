namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// x += rate * push: a plain sum. What a parameter server costs when it does no more than it must: for hpaps stress, and for whoever
/// only adds.
/// </summary>
public sealed class SumOptimizer : LinearOptimizer
{
    /// <inheritdoc/>
    public override string Name => "sum";

    /// <summary>1.</summary>
    public override double DefaultRate(double smoothness, int workers) => 1;

    /// <inheritdoc/>
    protected override double FactorOf(double rate) => rate;
}
