using System;

namespace HpAsyncPs.Simulation;

/// <summary>How fast the link between the server and each worker is; both directions have it, each for itself.</summary>
/// <param name="Latency">From the last byte sent to its arrival.</param>
/// <param name="BytesPerSecond">One message after the other; infinity: a message takes no time but the latency.</param>
public sealed record LinkSpeed(TimeSpan Latency, double BytesPerSecond)
{
    /// <summary>No latency, no limit.</summary>
    public static LinkSpeed Unlimited { get; } = new(TimeSpan.Zero, double.PositiveInfinity);

    /// <summary>Nanoseconds that so many bytes take on the wire, rounded up.</summary>
    internal long TransferTime(long bytes) => (long)Math.Min(1e18, Math.Ceiling(bytes * 1e9 / BytesPerSecond));
}
