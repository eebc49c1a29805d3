namespace HpAsyncPs.Programs.Rendezvous;

/// <summary>Which job a server or worker is of, so that none takes a file that another job has left for its own.</summary>
/// <param name="Name">Null: nobody says.</param>
/// <param name="Restarts">How often Slurm has started it again; 0 where nobody says.</param>
internal readonly record struct JobIdentity(string? Name, int Restarts)
{
    /// <summary>Most characters of a name.</summary>
    public const int MostLetters = 128;

    /// <summary>By --job, or else the job of Slurm, or else the launch of MPI.</summary>
    /// <param name="given">What --job says, or null.</param>
    /// <param name="variables">Those of the process.</param>
    /// <exception cref="InputException">A variable has no number.</exception>
    public static JobIdentity Of(string? given, LaunchVariables variables)
    {
        int restarts = variables.Number("SLURM_RESTART_COUNT") ?? 0;
        if (given is not null)
            return new JobIdentity(given, restarts);
        if (variables.Text("SLURM_JOB_ID") is { } job)
            return new JobIdentity($"slurm-{(variables.Text("SLURM_CLUSTER_NAME") is { } cluster ? cluster + "-" : "")}{job}", restarts);
        return new JobIdentity(variables.Text("PMIX_NAMESPACE") is { } launch ? $"mpi-{launch}" : null, restarts);
    }

    /// <summary>Is a name one that can be written and compared: letters that are seen, not too many?</summary>
    /// <param name="name">It.</param>
    public static bool IsName(string name)
    {
        foreach (char c in name)
        {
            if (c is <= ' ' or > '~')
                return false;
        }

        return name.Length is > 0 and <= MostLetters;
    }

    /// <summary>For messages.</summary>
    public override string ToString() => Name is null ? "a job without a name" : Restarts == 0 ? $"job {Name}" : $"job {Name}, restart {Restarts}";
}
