using System.Collections.Generic;

namespace HpAsyncPs.Cli.Submitting;

/// <summary>A job of Slurm, as it was asked for.</summary>
internal sealed record SlurmJob
{
    public required int Nodes { get; init; }

    public required int Workers { get; init; }

    /// <summary>Processors of each rank, or null: as the cluster has it.</summary>
    public int? Cpus { get; init; }

    /// <summary>Limit of time as Slurm writes it, or null: that of the partition.</summary>
    public string? Time { get; init; }

    /// <summary>Seconds before that at which the server is told.</summary>
    public required int SignalBefore { get; init; }

    /// <summary>Does it keep what it goes on from when it is started again?</summary>
    public required bool Requeues { get; init; }

    /// <summary>How often it may start itself again, or null: the script's own.</summary>
    public int? Restarts { get; init; }

    public string? Partition { get; init; }

    public string? Account { get; init; }

    public required string Name { get; init; }

    /// <summary>More flags of sbatch.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <summary>Local folder of each node for a copy of the data, or null.</summary>
    public string? Stage { get; init; }

    /// <summary>Folder of the programs.</summary>
    public required string Bin { get; init; }

    /// <summary>File to write to, or null: standard output.</summary>
    public string? Script { get; init; }
}
