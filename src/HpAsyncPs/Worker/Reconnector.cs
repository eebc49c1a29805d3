using System;
using System.Net.Sockets;
using System.Threading;

namespace HpAsyncPs.Worker;

/// <summary>
/// Connects again, on a thread of its own, when a connection has gone. Tries come after pauses that double up to a limit, each
/// drawn at random from its upper half, so that the workers of a server that was started anew do not all come at once.
/// Source of the jitter: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015 ("equal jitter").
/// </summary>
internal sealed class Reconnector(Func<TimeSpan, CancellationToken, Socket?> tryConnect, Action<Socket> connected) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    // An address that swallows what is sent to it must not take all the time that there is.
    private static readonly TimeSpan LongestTry = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private TimeSpan _pause = FirstPause;
    private Thread? _thread;
    private bool _isStopped;

    /// <summary>The session gets on: the next loss begins with a short pause.</summary>
    public void Succeeded() => _pause = FirstPause;

    /// <summary>Begins to try; goes on until it has a connection or is disposed of. Not while it tries already.</summary>
    public void Begin()
    {
        _thread = new Thread(Run) { Name = "reconnect", IsBackground = true };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isStopped)
            return;
        _isStopped = true;
        _stop.Cancel();
        _thread?.Join();
        _stop.Dispose();
    }

    /// <summary>A pause of the doubling row, and the one after it.</summary>
    internal static (TimeSpan Pause, TimeSpan Next) Pause(TimeSpan pause, double random) =>
        ((pause / 2) + (pause / 2 * random), pause + pause < LongestPause ? pause + pause : LongestPause);

    private void Run()
    {
        while (true)
        {
            (TimeSpan pause, _pause) = Pause(_pause, Random.Shared.NextDouble());
            if (_stop.Token.WaitHandle.WaitOne(pause))
                return;
#pragma warning disable CA2000 // the connection that is made of it owns it
            Socket? socket = tryConnect(LongestTry, _stop.Token);
#pragma warning restore CA2000
            if (socket is null)
                continue;
            connected(socket);
            return;
        }
    }
}
