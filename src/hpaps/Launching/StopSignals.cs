using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace HpAsyncPs.Cli.Launching;

/// <summary>Counts how often the user asked to stop, with Ctrl-C, SIGTERM or by closing the terminal, instead of dying of it.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _first = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _hangUp;
    // What ends a whole group of processes may signal one of them twice: only a signal that comes later is another wish.
    private static readonly TimeSpan Together = TimeSpan.FromSeconds(1);

    private long _firstAt;
    private int _count;

    public StopSignals()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Count);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Count);
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Count); // a terminal that closed, a session that dropped
    }

    /// <summary>Set at each signal.</summary>
    public AutoResetEvent Wake { get; } = new(false);

    /// <summary>Signals so far.</summary>
    public int Received => Volatile.Read(ref _count);

    /// <summary>Cancelled at the first.</summary>
    public CancellationToken First => _first.Token;

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _hangUp.Dispose();
        _first.Dispose();
        Wake.Dispose();
    }

    private void Count(PosixSignalContext context)
    {
        context.Cancel = true;
        long now = TimeProvider.System.GetTimestamp();
        long first = Interlocked.CompareExchange(ref _firstAt, now, 0);
        if (first != 0 && TimeProvider.System.GetElapsedTime(first, now) < Together)
            return;
        Interlocked.Increment(ref _count);
        _first.Cancel();
        Wake.Set();
    }
}
