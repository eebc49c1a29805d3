using System;
using System.Collections.Generic;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Programs.Rendezvous;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.ServerProgram;

/// <summary>This server's file in the folder of --rendezvous, for as long as it serves.</summary>
internal sealed class Announcement : IDisposable
{
    private static readonly TimeSpan LongestTry = TimeSpan.FromSeconds(2);

    private readonly RendezvousFolder _folder;
    private readonly RendezvousFile _file;

    private Announcement(RendezvousFolder folder, RendezvousFile file) => (_folder, _file) = (folder, file);

    /// <summary>Writes the file, in place of one that another server has left.</summary>
    /// <param name="settings">The folder, the job, and what was listened at.</param>
    /// <param name="address">Where the server listens.</param>
    /// <param name="workers">How many it waits for.</param>
    /// <param name="log">Gets what is said.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InputException">Nobody could reach it, a server of another job has the folder, or it cannot be written.</exception>
    public static Announcement Publish(ServerSettings settings, string address, int workers, Action<LogLine> log, TimeProvider time)
    {
        var folder = new RendezvousFolder(settings.Rendezvous!);
        var file = new RendezvousFile
        {
            Addresses = AddressesOf(Endpoint.Parse(settings.Listen), Endpoint.Parse(address)),
            Job = settings.Job,
            Workers = workers,
            Host = Dns.GetHostName(),
            Process = Environment.ProcessId,
            Incarnation = Convert.ToHexStringLower(RandomBytes.Draw(sizeof(ulong))),
            Written = time.GetUtcNow(),
            Place = Placement.Of(LaunchVariables.Own),
        };
        Replace(folder, file, settings.Rendezvous!, log);
        folder.Write(file);
        log($"workers find {file} by {folder.PathOf(file.Server)}{(file.Place is null ? "" : $" ({file.Place})")}");
        return new Announcement(folder, file);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Remove(_file);

    /// <summary>Says what is replaced; a server of another job that answers is not.</summary>
    private static void Replace(RendezvousFolder folder, RendezvousFile file, string path, Action<LogLine> log)
    {
        RendezvousFile? other;
        try
        {
            other = folder.Read(file.Server);
        }
        catch (InputException e)
        {
            log(LogLine.Warning($"{e.Message.TrimEnd('.')}; it is replaced"));
            return;
        }

        if (other is null)
            return;
        if (other.Job.Name != file.Job.Name)
        {
            foreach (string address in other.Addresses)
            {
                using Socket? socket = Endpoint.Parse(address).TryConnect(LongestTry, CancellationToken.None);
                if (socket is not null)
                    throw new InputException($"--rendezvous '{path}' is in use by {other}: name another folder for {file.Job}, or end that server first.");
            }
        }

        log($"{folder.PathOf(file.Server)} of {other} is replaced");
    }

    /// <summary>The addresses that others reach: what was asked for, or, where that is all addresses of this host, each that is not for this host or one of its links alone.</summary>
    private static List<string> AddressesOf(Endpoint asked, Endpoint actual)
    {
        if (asked.IsUnix)
            throw new InputException("--rendezvous is for workers of other hosts, and a socket of this host is for none of them: give --listen HOST:PORT.");
        if (!IPAddress.TryParse(asked.Host, out IPAddress? ip))
            return [new Endpoint(asked.Host, actual.Port).ToString()];
        if (!ip.Equals(IPAddress.Any) && !ip.Equals(IPAddress.IPv6Any))
        {
            return ip.IsIPv6LinkLocal
                ? throw new InputException($"--rendezvous cannot tell others {asked}: an address of a link means another one at each host. Listen at an address of the network.")
                : [new Endpoint(asked.Host, actual.Port).ToString()];
        }

        var all = new List<string>();
        foreach (AddressFamily family in (AddressFamily[])[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            if (family == AddressFamily.InterNetworkV6 && ip.AddressFamily != family)
                break;
            foreach (NetworkInterface one in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (one.OperationalStatus == OperationalStatus.Down || one.NetworkInterfaceType == NetworkInterfaceType.Loopback)
                    continue;
                foreach (UnicastIPAddressInformation address in one.GetIPProperties().UnicastAddresses)
                {
                    if (address.Address.AddressFamily == family && !address.Address.IsIPv6LinkLocal && all.Count < RendezvousFile.MostAddresses)
                        all.Add(new Endpoint(address.Address.ToString(), actual.Port).ToString());
                }
            }
        }

        return all.Count > 0 ? all : [new Endpoint(ip.AddressFamily == AddressFamily.InterNetwork ? "127.0.0.1" : "::1", actual.Port).ToString()];
    }
}
