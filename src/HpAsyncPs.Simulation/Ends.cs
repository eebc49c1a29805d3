using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Simulation;

/// <summary>What is at the two ends of one direction of a worker's link.</summary>
/// <param name="Costs">What messages take there.</param>
/// <param name="IsUp">From the worker to the server.</param>
/// <param name="Worker">The worker's thread: it codes and sends pushes, or takes snapshots.</param>
/// <param name="Server">The server's thread.</param>
/// <param name="ServerLink">The server's link in this direction.</param>
/// <param name="Workers">That share it.</param>
internal sealed record Ends(ClusterCosts Costs, bool IsUp, Core Worker, Core Server, Resource ServerLink, int Workers)
{
    /// <summary>A worker's part of the server's link.</summary>
    public double BytesPerSecond => Costs.ServerBytesPerSecond * Costs.Servers / Workers;

    /// <summary>Nanoseconds at the server's link.</summary>
    public long ServerTime(int bytes) => Costs.ServerTransferTime(bytes);

    /// <summary>A message takes its sender's time first.</summary>
    public void Send(in FrameHeader header, int bytes, Action done)
    {
        long time = Costs.SendingTime(header, bytes);
        if (IsUp)
            Worker.Send(time, done);
        else
            Server.Send(time / Costs.Servers, done);
    }

    /// <summary>A message waits for its receiver.</summary>
    public void Receive(in FrameHeader header, int bytes, Action done)
    {
        long time = Costs.ReceivingTime(header, bytes);
        if (IsUp)
            Server.Add(time / Costs.Servers, done);
        else
            Worker.Add(time, done);
    }
}
