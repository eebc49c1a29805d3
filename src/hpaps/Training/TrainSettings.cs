using System.Collections.Generic;

namespace HpAsyncPs.Cli.Training;

/// <summary>What the user asked for.</summary>
internal sealed record TrainSettings
{
    public required string Data { get; init; }

    public string? Test { get; init; }

    public double L2 { get; init; }

    public int Workers { get; init; }

    public required string Policy { get; init; }

    public double? Passes { get; init; }

    public double? Target { get; init; }

    public double? Reference { get; init; }

    public double? TimeLimit { get; init; }

    public ulong Seed { get; init; }

    /// <summary>Factor by rank, of the workers that act as slow machines.</summary>
    public IReadOnlyDictionary<int, double> Slow { get; init; } = new Dictionary<int, double>();

    /// <summary>Folder of the results, or null: one that is named by the time.</summary>
    public string? Output { get; init; }

    public bool Json { get; init; }
}
