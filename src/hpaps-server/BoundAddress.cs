using System.Collections.Generic;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using HpAsyncPs.Transport;

namespace HpAsyncPs.ServerProgram;

/// <summary>--bind: an address of one of this host's network interfaces.</summary>
internal static class BoundAddress
{
    /// <summary>Where to listen.</summary>
    /// <param name="bind">Name of the interface, or an address.</param>
    /// <param name="port">The port; 0 takes a free one.</param>
    /// <exception cref="InputException">There is no such interface, or it has no address that others reach.</exception>
    public static string Of(string bind, int port)
    {
        if (IPAddress.TryParse(bind, out IPAddress? address))
            return new Endpoint(address.ToString(), port).ToString();
        NetworkInterface[] all = NetworkInterface.GetAllNetworkInterfaces();
        IPAddress? found = null;
        foreach (NetworkInterface one in all)
        {
            if (one.Name != bind)
                continue;
            foreach (UnicastIPAddressInformation own in one.GetIPProperties().UnicastAddresses)
            {
                if (!own.Address.IsIPv6LinkLocal && (found is null || (found.AddressFamily != AddressFamily.InterNetwork && own.Address.AddressFamily == AddressFamily.InterNetwork)))
                    found = own.Address;
            }

            return found is not null
                ? new Endpoint(found.ToString(), port).ToString()
                : throw new InputException($"--bind {bind}: that interface has no address that others reach (state {one.OperationalStatus}): give it one, or name another.");
        }

        var names = new List<string>();
        foreach (NetworkInterface one in all)
        {
            if (!names.Contains(one.Name))
                names.Add(one.Name);
        }

        throw new InputException($"--bind {bind}: this host has no such network interface, and it is no address; there are {string.Join(", ", names)}.");
    }
}
