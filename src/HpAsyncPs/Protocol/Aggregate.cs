namespace HpAsyncPs.Protocol;

/// <summary>What the aggregate is.</summary>
public enum Aggregate
{
    /// <summary>The average of the workers' vectors by weight: sum_i w_i h_i / sum_i w_i.</summary>
    Mean,

    /// <summary>The plain sum of the workers' vectors; weights are ignored.</summary>
    Sum,

    /// <summary>The server's own vector: workers push gradients, which an optimiser at the server applies. Policy asp.</summary>
    Optimized,
}
