using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Programs.Rendezvous;

/// <summary>A worker's search for its server: the file of its own job, of a server that answers. What others have left is recognised, said, and waited out.</summary>
/// <param name="folder">Where the file is to be.</param>
/// <param name="path">The folder as it was named.</param>
/// <param name="job">The worker's.</param>
/// <param name="server">Which of the job's servers.</param>
/// <param name="servers">How many the first one says that there are; null: it is the first.</param>
/// <param name="tries">Whether to connect, to know that somebody answers. Not where a connection that is given up counts as a failed handshake.</param>
internal sealed class ServerSearch(RendezvousFolder folder, string path, JobIdentity job, bool tries, int server = 0, int? servers = null)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestTry = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Reminder = TimeSpan.FromSeconds(30);

    /// <summary>Waits for the server, and says for what it waits.</summary>
    /// <param name="timeout">How long at most.</param>
    /// <param name="log">Gets a line when it waits, when what it waits for changes, and every half a minute.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What the server says of itself, and the address that answered.</returns>
    /// <exception cref="ClusterException">It is not there in time; the message says what is instead.</exception>
    public (RendezvousFile File, Endpoint Address) Find(TimeSpan timeout, Action<LogLine> log, TimeProvider time, CancellationToken stop)
    {
        long start = time.GetTimestamp();
        TimeSpan pause = ShortestPause, said = Quiet - Reminder;
        string? last = null;
        while (true)
        {
            TimeSpan left = timeout - time.GetElapsedTime(start);
            if (Look(left < LongestTry ? left : LongestTry, stop, out string missing) is { } found)
                return found;
            stop.ThrowIfCancellationRequested();
            TimeSpan waited = time.GetElapsedTime(start);
            if (waited + pause >= timeout)
                throw new ClusterException($"Server {server} was not found by --rendezvous '{path}' within {timeout.TotalSeconds:0.#} s (--start-timeout): {missing}.");
            if (waited >= Quiet && (missing != last || waited - said >= Reminder))
            {
                log($"waiting for server {server}, {waited.TotalSeconds:0} of {timeout.TotalSeconds:0} s: {missing}");
                (last, said) = (missing, waited);
            }

            stop.WaitHandle.WaitOne(pause);
            pause = pause + pause < LongestPause ? pause + pause : LongestPause;
        }
    }

    /// <summary>Where the server is now, for one who connects again; null where the file does not say.</summary>
    /// <param name="stop">Gives up.</param>
    public Endpoint? Now(CancellationToken stop) => Look(LongestTry, stop, out _)?.Address;

    /// <summary>One look at the file, and one try at each of its addresses.</summary>
    private (RendezvousFile File, Endpoint Address)? Look(TimeSpan limit, CancellationToken stop, out string missing)
    {
        RendezvousFile? file;
        try
        {
            file = folder.Read(server);
        }
        catch (InputException e)
        {
            missing = e.Message.TrimEnd('.');
            return null;
        }

        missing = file is null
            ? $"{folder.PathOf(server)} is not there: is hpaps-server started with --rendezvous, and is that folder the same for both"
            : WhyNot(file);
        if (file is null || missing.Length > 0)
            return null;
        foreach (string address in file.Addresses)
        {
            var endpoint = Endpoint.Parse(address);
            if (!tries)
                return (file, endpoint);
            using Socket? socket = limit > TimeSpan.Zero ? endpoint.TryConnect(limit, stop) : null;
            if (socket is not null)
                return (file, endpoint);
        }

        missing = $"{file} does not answer: it has ended, or a firewall is between; a newer one is awaited";
        return null;
    }

    /// <summary>Why a file is none of this worker's server; empty where it is.</summary>
    private string WhyNot(RendezvousFile file)
    {
        if (job.Name is not null && file.Job.Name != job.Name)
            return $"{folder.PathOf(server)} is of another job, {file}; this worker is of {job}: --job NAME says it where Slurm does not";
        if (file.Job.Restarts < job.Restarts)
            return $"{folder.PathOf(server)} is of an earlier start, {file}; this worker is of {job}";
        if (servers is { } count && file.Servers != count)
            return $"{folder.PathOf(server)} is of one of {file.Servers} servers, and the first one says that there are {count}: it is of an earlier start, perhaps";
        return file.Host != Dns.GetHostName() && Array.TrueForAll([.. file.Addresses], IsLoopback)
            ? $"{file}, is on loopback, where only {file.Host} reaches it: start it with --bind or --listen at an address of the network"
            : "";
    }

    private static bool IsLoopback(string address) =>
        Endpoint.Parse(address).Host is var host && (host == "localhost" || (IPAddress.TryParse(host, out IPAddress? ip) && IPAddress.IsLoopback(ip)));
}
