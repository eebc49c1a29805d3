using System;
using System.Collections.Generic;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Simulation;

/// <summary>What coding a value takes, in seconds of one core.</summary>
/// <param name="Encode">Where it is sent.</param>
/// <param name="Apply">Where it arrives.</param>
public readonly record struct CodingTime(double Encode, double Apply);

/// <summary>What messages take besides their links: time of the processors at both ends, and the server's own link, which all workers share.</summary>
public sealed record ClusterCosts
{
    /// <summary>Of each codec; one that is not here takes nothing.</summary>
    public IReadOnlyDictionary<CodecId, CodingTime> Coding { get; init; } = new Dictionary<CodecId, CodingTime>();

    /// <summary>Seconds of a core that handing a byte to the operating system takes, and taking it there, each.</summary>
    public double SecondsOfByte { get; init; }

    /// <summary>Seconds that a message takes at each end, however short it is.</summary>
    public double SecondsOfMessage { get; init; }

    /// <summary>Of the server's link, in each direction; infinity: it is never what is waited for.</summary>
    public double ServerBytesPerSecond { get; init; } = double.PositiveInfinity;

    /// <summary>Servers that share keys, and so work and bytes, evenly: each has a processor and a link of its own.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>Cores of the one host that all processes are on and share; 0: each thread has a core of its own.</summary>
    public int SharedCores { get; init; }

    /// <summary>Nanoseconds at the end that sends, of one server or a worker.</summary>
    internal long SendingTime(in FrameHeader header, int bytes) => Time(bytes, header.KeyCount * Coding.GetValueOrDefault(header.Codec).Encode);

    /// <summary>Nanoseconds at the end that receives.</summary>
    internal long ReceivingTime(in FrameHeader header, int bytes) => Time(bytes, header.KeyCount * Coding.GetValueOrDefault(header.Codec).Apply);

    /// <summary>Nanoseconds that so many bytes take at the links of all servers together.</summary>
    internal long ServerTransferTime(int bytes) => (long)Math.Min(1e18, Math.Ceiling(bytes * 1e9 / (ServerBytesPerSecond * Servers)));

    private long Time(int bytes, double coding) => (long)Math.Round(1e9 * (SecondsOfMessage + (bytes * SecondsOfByte) + coding));
}

/// <summary>Shares of the time until now that something was in use.</summary>
/// <param name="Server">The server's processor, one core.</param>
/// <param name="ServerLink">The server's link, in one direction or both.</param>
/// <param name="Link">The link of the worker that uses it most, in one direction or both.</param>
public readonly record struct ClusterUse(double Server, double ServerLink, double Link);
