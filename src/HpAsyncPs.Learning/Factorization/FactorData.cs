namespace HpAsyncPs.Learning.Factorization;

/// <summary>A worker's part of the ratings: all ratings of its users, sorted by user.</summary>
public sealed record FactorData
{
    /// <summary>Mean of all training ratings of all workers; subtracted from every value here.</summary>
    public required double Mean { get; init; }

    /// <summary>Number of this worker's users.</summary>
    public int Users => UserIds.Length;

    /// <summary>Index of each local user among all users.</summary>
    public required int[] UserIds { get; init; }

    /// <summary>Where each user's ratings begin; one more than users.</summary>
    public required int[] UserStarts { get; init; }

    /// <summary>Local item of each rating: an index into <see cref="LocalItems"/>.</summary>
    public required int[] Items { get; init; }

    /// <summary>Each rating less the mean.</summary>
    public required float[] Values { get; init; }

    /// <summary>Index among all items of each item that this worker has ratings of.</summary>
    public required int[] LocalItems { get; init; }

    /// <summary>Number of this worker's ratings of each of its items.</summary>
    public required int[] LocalCounts { get; init; }

    /// <summary>Number of training ratings of each item, all workers together.</summary>
    public required int[] ItemCounts { get; init; }

    /// <summary>Local user of each held-out rating.</summary>
    public int[] TestUsers { get; init; } = [];

    /// <summary>Index among all items of each held-out rating.</summary>
    public int[] TestItems { get; init; } = [];

    /// <summary>Each held-out rating less the mean.</summary>
    public float[] TestValues { get; init; } = [];
}
