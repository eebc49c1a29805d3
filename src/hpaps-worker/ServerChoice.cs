using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Programs;
using HpAsyncPs.Programs.Rendezvous;
using HpAsyncPs.Transport;

namespace HpAsyncPs.WorkerProgram;

/// <summary>Which servers a worker joins, and which part it takes there.</summary>
/// <param name="Address">HOST:PORT or unix:PATH; of several servers all, with commas between them.</param>
/// <param name="File">What the first server says of itself by --rendezvous, or null.</param>
/// <param name="Locate">Where it is now, for one who connects again; null: where it was.</param>
/// <param name="Others">What the servers after the first say.</param>
internal sealed record ServerChoice(string Address, RendezvousFile? File, Func<int, CancellationToken, Endpoint?>? Locate, IReadOnlyList<RendezvousFile> Others)
{
    /// <summary>Finds the server.</summary>
    /// <param name="server">Its address, where --rendezvous does not say it.</param>
    /// <param name="folder">--rendezvous, or null.</param>
    /// <param name="job">The worker's.</param>
    /// <param name="hasTls">A connection that is given up before TLS counts as a failed handshake there.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ClusterException">It is not there in time.</exception>
    public static ServerChoice Find(string server, string? folder, JobIdentity job, bool hasTls, TimeSpan timeout, CancellationToken stop)
    {
        if (folder is null)
            return new ServerChoice(server, null, null, []);
        var files = new RendezvousFolder(folder);
        var searches = new List<ServerSearch>();
        string addresses = "";
        RendezvousFile? first = null;
        var others = new List<RendezvousFile>();
        for (int j = 0; j < (first?.Servers ?? 1); j++)
        {
            var search = new ServerSearch(files, folder, job, tries: !hasTls, j, first?.Servers);
            (RendezvousFile file, Endpoint address) = search.Find(timeout, ProgramLog.Write, TimeProvider.System, stop);
            ProgramLog.Write($"joins {file}{(file.Addresses.Count > 1 ? $"; {address} answers" : "")}");
            searches.Add(search);
            addresses += (j == 0 ? "" : ",") + address;
            first ??= file;
            if (j > 0)
                others.Add(file);
        }

        return new ServerChoice(addresses, first, (shard, cancelled) => searches[shard].Now(cancelled), others);
    }

    /// <summary>The part that --part auto means here.</summary>
    /// <param name="servers">How many of the first ranks are servers, where it says so.</param>
    /// <exception cref="InputException">There is no rank, or it does not fit.</exception>
    public (int Index, int Count) PartOf(int? servers)
    {
        Placement? place = Placement.Of(LaunchVariables.Own);
        (int index, int count) = PartOfRank.Of(place, servers, File, Others);
        ProgramLog.Write($"--part auto is {index}/{count}: {place}");
        return (index, count);
    }
}
