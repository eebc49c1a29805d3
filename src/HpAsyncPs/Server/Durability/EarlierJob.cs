using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server.Durability;

/// <summary>What a job on disk had reached, whoever contributed it: from there it goes on with another number of workers, or of servers.</summary>
public sealed record EarlierJob
{
    /// <summary>Name of its policy.</summary>
    public required string Policy { get; init; }

    /// <summary>How many workers it had; 0: it was written for any number.</summary>
    public required int Workers { get; init; }

    /// <summary>What they had agreed on, as a request for admission.</summary>
    public required JoinMessage Agreed { get; init; }

    /// <summary>Pushes that are in it, 1 at least.</summary>
    public required ulong Version { get; init; }

    /// <summary>Of training.</summary>
    public required double Seconds { get; init; }

    /// <summary>Passes over all data.</summary>
    public required double Passes { get; init; }

    /// <summary>Learning rate of an optimiser; 0 without one.</summary>
    public required double Rate { get; init; }

    /// <summary>The aggregate; with an optimiser the model, then each of the optimiser's states. Each as long as the shard.</summary>
    public required double[][] Values { get; init; }

    /// <summary>For each key the gradients that the optimiser counts; empty if it counts none.</summary>
    public required int[] Counts { get; init; }
}
