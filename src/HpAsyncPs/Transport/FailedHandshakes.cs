using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;

namespace HpAsyncPs.Transport;

/// <summary>Failed handshakes of the last minute, by address; of IPv6 by network of 64 bits, which one customer gets whole.</summary>
/// <param name="most">Failures a minute beyond which an address is shut out.</param>
/// <param name="time">The clock.</param>
internal sealed class FailedHandshakes(int most, TimeProvider time)
{
    private const int NetworkBytes = 8;

    // Addresses that are remembered; who has more of them at hand is not held back by counting.
    private const int MostAddresses = 4096;
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly Dictionary<IPAddress, (int Failures, long Since)> _failures = [];

    /// <summary>Has this address failed too often? Null, a socket of this host, never has.</summary>
    public bool IsShutOut(IPAddress? address)
    {
        if (address is null || !_failures.TryGetValue(Network(address), out (int Failures, long Since) counted))
            return false;
        if (time.GetElapsedTime(counted.Since) < Period)
            return counted.Failures >= most;
        _failures.Remove(Network(address));
        return false;
    }

    /// <summary>A handshake has failed.</summary>
    public void Add(IPAddress? address)
    {
        if (address is null)
            return;
        address = Network(address);
        if (!_failures.TryGetValue(address, out (int Failures, long Since) counted) || time.GetElapsedTime(counted.Since) >= Period)
        {
            if (_failures.Count >= MostAddresses)
                ForgetOldest();
            counted = (0, time.GetTimestamp());
        }

        _failures[address] = (counted.Failures + 1, counted.Since);
    }

    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        byte[] bytes = address.GetAddressBytes();
        Array.Clear(bytes, NetworkBytes, bytes.Length - NetworkBytes);
        return new IPAddress(bytes);
    }

    private void ForgetOldest()
    {
        IPAddress? oldest = null;
        long since = long.MaxValue;
        foreach ((IPAddress address, (int Failures, long Since) counted) in _failures)
        {
            if (counted.Since < since)
                (oldest, since) = (address, counted.Since);
        }

        _failures.Remove(oldest!);
    }
}
