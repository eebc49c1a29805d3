using System;

namespace HpAsyncPs.Programs.Rendezvous;

/// <summary>
/// Which process this is of those that a launcher has started together, as variables say. The launcher nearest to the process counts: Open MPI, then PMI (MPICH's Hydra,
/// Intel MPI, srun --mpi=pmi2), then PMIx, then Slurm. Under mpirun in a job of Slurm the variables of Slurm are those of mpirun's own helpers, and say nothing about this process.
/// </summary>
/// <param name="Launcher">Its name.</param>
/// <param name="Rank">Of the process, servers and workers counted alike.</param>
/// <param name="Size">How many processes were started together.</param>
/// <param name="LocalRank">Among those on this host, where that is known.</param>
/// <param name="Launch">What this launch has and no other, where the launcher says so: processes with the same are numbered together.</param>
/// <param name="Hosts">On which hosts they are, where that is known.</param>
internal sealed record Placement(string Launcher, int Rank, int Size, int? LocalRank, string? Launch, string[] Hosts)
{
    private const string ByHand = "Give --part I/N, or start it by srun or mpirun.";

    // Steps of Slurm that no srun has made, such as a batch script, have the numbers from here on.
    private const uint FirstSpecialStep = 0xFFFFFFF0;

    /// <summary>Null where no launcher says anything; a batch script of Slurm is no process of several.</summary>
    /// <param name="variables">Those of the process.</param>
    /// <exception cref="InputException">They are incomplete, out of bounds, or contradict each other.</exception>
    public static Placement? Of(LaunchVariables variables)
    {
        int? rank = variables.Number("OMPI_COMM_WORLD_RANK"), size = variables.Number("OMPI_COMM_WORLD_SIZE");
        if (rank is not null || size is not null)
        {
            variables.Same("OMPI_COMM_WORLD_RANK", "PMIX_RANK");
            variables.Same("OMPI_COMM_WORLD_RANK", "PMI_RANK");
            variables.Same("OMPI_COMM_WORLD_SIZE", "PMI_SIZE");
            return Checked("Open MPI", rank, "OMPI_COMM_WORLD_RANK", size, "OMPI_COMM_WORLD_SIZE", variables.Number("OMPI_COMM_WORLD_LOCAL_RANK"), variables.Text("PMIX_NAMESPACE"), []);
        }

        (rank, size) = (variables.Number("PMI_RANK"), variables.Number("PMI_SIZE"));
        if (rank is not null || size is not null)
        {
            variables.Same("PMI_RANK", "PMIX_RANK");
            return Checked("PMI", rank, "PMI_RANK", size, "PMI_SIZE", variables.Number("MPI_LOCALRANKID"), variables.Text("PMI_JOBID"), []);
        }

        rank = variables.Number("PMIX_RANK");
        Placement? slurm = OfSlurm(variables);
        if (rank is null)
            return slurm;
        variables.Same("PMIX_RANK", "SLURM_PROCID");
        return Checked("PMIx", rank, "PMIX_RANK", slurm?.Size, "SLURM_NTASKS", slurm?.LocalRank, variables.Text("PMIX_NAMESPACE"), slurm?.Hosts ?? []);
    }

    /// <summary>For the log: rank 2 of 5 by Slurm, on n0, n1.</summary>
    public override string ToString()
    {
        string hosts = Hosts.Length is 0 ? "" : $", on {string.Join(", ", Hosts.AsSpan(0, Math.Min(Hosts.Length, 8)).ToArray())}{(Hosts.Length > 8 ? $" and {Hosts.Length - 8} more" : "")}";
        return $"rank {Rank} of {Size} by {Launcher}{hosts}";
    }

    private static Placement? OfSlurm(LaunchVariables variables)
    {
        int? rank = variables.Number("SLURM_PROCID");
        string? job = variables.Text("SLURM_JOB_ID");
        if (rank is null)
            return null; // a shell of salloc has a job and no process of it
        if (job is null)
            throw new InputException($"SLURM_PROCID={rank} is set and SLURM_JOB_ID is not: they belong together. {ByHand}");
        string? step = variables.Text("SLURM_STEP_ID");
        if (step is null || (uint.TryParse(step, out uint number) && number >= FirstSpecialStep))
            return null;
        int? size = variables.Same("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS");
        string? hosts = variables.Text("SLURM_STEP_NODELIST") ?? variables.Text("SLURM_JOB_NODELIST");
        return Checked("Slurm", rank, "SLURM_PROCID", size, "SLURM_NTASKS", variables.Number("SLURM_LOCALID"), $"{job}.{step}", hosts is null ? [] : HostList.Expand(hosts));
    }

    private static Placement Checked(string launcher, int? rank, string rankName, int? size, string sizeName, int? localRank, string? launch, string[] hosts)
    {
        if (rank is null)
            throw new InputException($"{sizeName}={size} is set and {rankName} is not: they belong together. {ByHand}");
        if (size is null)
            throw new InputException($"{rankName}={rank} is set, and {sizeName}, of how many, is not: they belong together. {ByHand}");
        if (rank >= size || localRank >= size)
            throw new InputException($"{rankName}={rank}{(localRank is null ? "" : $" (local rank {localRank})")} is no rank of {sizeName}={size}: ranks are 0 to {size - 1}. {ByHand}");
        return new Placement(launcher, rank.Value, size.Value, localRank, launch, hosts);
    }
}
