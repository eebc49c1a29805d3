using System;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Monitoring;

/// <summary>A job to be watched. Any thread may call.</summary>
public interface IMonitorSource
{
    /// <summary>Its last events.</summary>
    EventRing Events { get; }

    /// <summary>Since the thread that owns the shard last had a turn; zero once the job has ended.</summary>
    TimeSpan SinceTick { get; }

    /// <summary>A view for <see cref="Read"/>.</summary>
    MonitorView NewView();

    /// <summary>Copies the newest view, and asks for a newer one. False: there is none yet.</summary>
    /// <param name="into">Of <see cref="NewView"/>.</param>
    bool Read(MonitorView into);
}

/// <summary>The job of a server in this process.</summary>
/// <param name="host">The server.</param>
public sealed class HostSource(ServerHost host) : IMonitorSource
{
    /// <inheritdoc/>
    public EventRing Events => host.Events;

    /// <inheritdoc/>
    public TimeSpan SinceTick => host.SinceTick;

    /// <inheritdoc/>
    public MonitorView NewView() => host.NewView();

    /// <inheritdoc/>
    public bool Read(MonitorView into) => host.ReadMonitor(into);
}
