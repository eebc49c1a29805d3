using System;
using System.Collections.Generic;
using System.IO.Pipelines;
using System.Threading;

namespace HpAsyncPs.Transport;

/// <summary>
/// One thread, and the queue of what it has to run: the single writer of a shard. Pipes hand their readers to it, so
/// frames of all connections are handled here one after the other, without a lock on any parameter.
/// </summary>
public sealed class OwnerLoop : PipeScheduler, IDisposable
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(5);

    private readonly object _gate = new();
    private readonly Func<bool> _tick;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private List<(Action<object?> Action, object? State)> _queued = [];
    private List<(Action<object?> Action, object? State)> _running = [];
    private readonly ManualResetEventSlim _ended = new();
    private bool _waiting;
    private bool _disposed;
    private Exception? _error;

    /// <param name="name">The thread's name.</param>
    /// <param name="time">The clock.</param>
    /// <param name="tick">Called every few milliseconds until it says false: the work is done.</param>
    public OwnerLoop(string name, TimeProvider time, Func<bool> tick)
    {
        _tick = tick;
        _time = time;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <inheritdoc/>
    public override void Schedule(Action<object?> action, object? state)
    {
        lock (_gate)
        {
            _queued.Add((action, state));
            if (_waiting)
                Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits until the work is done; what ended it badly is thrown here. False when time ran out.</summary>
    public bool Join(TimeSpan timeout)
    {
        bool ended = _ended.Wait(timeout);
        if (ended && _error is not null)
            throw new ClusterException($"The thread '{_thread.Name}' failed: {_error.Message}", _error);
        return ended;
    }

    /// <summary>Ends the thread. Until then it goes on running what is scheduled: connections take a moment to close.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Monitor.Pulse(_gate);
        }

        if (_thread.IsAlive && Thread.CurrentThread != _thread)
            _thread.Join();
        _ended.Dispose();
    }

    private void Run()
    {
        try
        {
            long tickedAt = 0;
            while (true)
            {
                lock (_gate)
                {
                    if (_disposed)
                        return;
                    if (_queued.Count == 0)
                    {
                        _waiting = true;
                        Monitor.Wait(_gate, TickInterval);
                        _waiting = false;
                    }

                    (_queued, _running) = (_running, _queued);
                }

                foreach ((Action<object?> action, object? state) in _running)
                    action(state);
                _running.Clear();
                long now = _time.GetTimestamp();
                if (_time.GetElapsedTime(tickedAt, now) < TickInterval)
                    continue;
                tickedAt = now;
                if (!_ended.IsSet && !_tick())
                    _ended.Set();
            }
        }
        catch (Exception e)
        {
            _error = e;
            _ended.Set();
        }
    }
}
