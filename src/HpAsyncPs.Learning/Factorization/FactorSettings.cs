namespace HpAsyncPs.Learning.Factorization;

/// <summary>Settings of matrix factorisation. The defaults are for ratings in units of their standard deviation.</summary>
public sealed record FactorSettings
{
    /// <summary>Most factors.</summary>
    public const int MostRank = 512;

    /// <summary>Least weight decay: below it a user with few ratings has no single best row.</summary>
    public const double LeastDecay = 1e-4;

    /// <summary>Factors of each user and item.</summary>
    public int Rank { get; init; } = 32;

    /// <summary>Weight decay of factors and biases, a step.</summary>
    public double Decay { get; init; } = 0.05;

    /// <summary>Step size at the start.</summary>
    public double Step { get; init; } = 0.025;

    /// <summary>Factor on the step size for each pass of the whole job over all data.</summary>
    public double StepDecay { get; init; } = 0.95;

    /// <summary>Factors begin evenly spread between minus this and this.</summary>
    public double Start { get; init; } = 0.02;

    /// <summary>Largest factor by which a worker with few of an item's ratings lengthens its steps.</summary>
    public double LargestScale { get; init; } = 16;

    /// <summary>Bytes of the item rows that are worked on at a time: half a megabyte fits the second-level caches of today.</summary>
    public int BlockBytes { get; init; } = 512 << 10;

    /// <summary>Seed of the start, of what is held out and of the order of users.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Where a factor of a row begins: a hash of its place, the same at every worker and at the server.</summary>
    /// <param name="row">Item, or the complement of a user.</param>
    /// <param name="k">Which factor.</param>
    public float StartOf(long row, int k)
    {
        unchecked
        {
            ulong h = ((ulong)row * 0x9E3779B97F4A7C15) ^ (((ulong)k + 1) * 0xC2B2AE3D27D4EB4F) ^ (Seed * 0x165667B19E3779F9);
            h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCD;
            h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53;
            h ^= h >> 33;
            return (float)((((h >> 40) * (1.0 / (1 << 24))) - 0.5) * 2 * Start);
        }
    }
}
