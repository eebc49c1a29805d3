using System.Collections.Generic;
using System.Globalization;

namespace HpAsyncPs.Programs.Rendezvous;

/// <summary>--part auto: which part of how many a worker takes, by its rank among the processes started with it, servers left out.</summary>
internal static class PartOfRank
{
    private const string Auto = "auto";

    /// <summary>Is it auto, or auto:K, where the first K ranks are servers?</summary>
    /// <param name="text">What --part says.</param>
    /// <param name="servers">K; null: nobody says.</param>
    public static bool IsAuto(string text, out int? servers)
    {
        servers = null;
        if (text == Auto)
            return true;
        if (!text.StartsWith(Auto + ":", System.StringComparison.Ordinal) || !int.TryParse(text[(Auto.Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            return false;
        servers = count;
        return true;
    }

    /// <summary>The part: its index, and how many there are.</summary>
    /// <param name="place">Of this worker; null: nobody has started it with others.</param>
    /// <param name="servers">How many of the first ranks are servers, where --part says so.</param>
    /// <param name="server">What the first server says of itself, or null.</param>
    /// <param name="others">What the servers after the first say.</param>
    /// <exception cref="InputException">There is no rank, or it does not fit.</exception>
    public static (int Index, int Count) Of(Placement? place, int? servers, RendezvousFile? server, params IReadOnlyList<RendezvousFile> others)
    {
        if (place is null)
        {
            throw new InputException("--part auto takes the part from the rank that a launcher gives, and none has started this process with others (a batch script of Slurm is no rank itself): "
                + "start it by srun or mpirun, or give --part I/N.");
        }

        (int index, int count) = (place.Rank, place.Size);
        if (servers is { } first)
            (index, count) = (index - first, count - first);
        else if (server is not null)
            (index, count) = Without(place, [server, .. others]);
        if (index < 0)
            throw new InputException($"--part auto: this process is {place}, which is a server's rank: give each process a rank of its own.");
        if (server is not null && server.Workers != count)
        {
            throw new InputException($"--part auto: this process is {place}, so there are {count} workers, and {server} waits for {server.Workers}: "
                + $"start the server with --workers {count}, or the workers with --part I/{server.Workers}.");
        }

        return (index, count);
    }

    /// <summary>The place among those that are no servers, and how many these are; -1: it is a server's.</summary>
    private static (int Index, int Count) Without(Placement place, RendezvousFile[] servers)
    {
        (int index, int count) = (place.Rank, place.Size);
        foreach (RendezvousFile server in servers)
        {
            if (server.Place is not { } other || !IsTogether(place, other))
                continue;
            if (other.Rank == place.Rank)
                return (-1, count);
            (index, count) = (index - (place.Rank > other.Rank ? 1 : 0), count - 1);
        }

        return (index, count);
    }

    /// <summary>Was the server started in the same launch, so that it has one of its ranks?</summary>
    private static bool IsTogether(Placement worker, Placement server) =>
        worker.Size > 1 && worker.Size == server.Size && worker.Launcher == server.Launcher && worker.Launch == server.Launch;
}
