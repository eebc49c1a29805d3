namespace HpAsyncPs.Learning.Factorization;

/// <summary>Settings of matrix factorisation; the defaults are good for rating data on a scale of about five.</summary>
public sealed record FactorSettings
{
    /// <summary>Factors of each user and item.</summary>
    public int Rank { get; init; } = 32;

    /// <summary>Weight decay of factors and biases, a step.</summary>
    public double Decay { get; init; } = 0.05;

    /// <summary>Step size at the start.</summary>
    public double Step { get; init; } = 0.02;

    /// <summary>Factor on the step size for each pass of the whole job over all data.</summary>
    public double StepDecay { get; init; } = 0.95;

    /// <summary>Factors begin evenly spread between minus this and this.</summary>
    public double Start { get; init; } = 0.05;

    /// <summary>Largest factor by which a worker with few of an item's ratings lengthens its steps.</summary>
    public double LargestScale { get; init; } = 16;

    /// <summary>Seed of the start and of the order of users.</summary>
    public ulong Seed { get; init; } = 1;
}
