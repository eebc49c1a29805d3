using System;
using System.Collections.Generic;
using System.Threading;

namespace HpAsyncPs.Transport;

/// <summary>
/// One thread that owns a set of connections: it waits for their sockets, reads them, and calls their handlers, one after the other. At a
/// server it is the single writer of the shard, so that no lock guards a parameter. Other threads hand it work through a queue.
/// </summary>
public sealed class OwnerLoop : IDisposable
{
    /// <summary>How long a loop that spins looks for work before it sleeps: a little longer than falling asleep and being woken takes.</summary>
    public static readonly TimeSpan SpinTime = TimeSpan.FromMicroseconds(100);

    private readonly object _gate = new();
    private readonly Epoll _epoll = new();
    private readonly TimeSpan _tickInterval;
    private readonly Func<bool> _tick;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Stack<int> _free = new();
    private Connection?[] _connections = new Connection?[4];
    private int _used;
    private int _open;
    private List<(Action<object?> Action, object? State)> _queued = [];
    private List<(Action<object?> Action, object? State)> _running = [];
    private bool _waiting;
    private volatile Spin _spin;
    private readonly Loneliness _loneliness;
    private bool _disposed;
    private long _endBy = long.MaxValue;
    private Exception? _error;

    /// <param name="name">The thread's name.</param>
    /// <param name="time">The clock.</param>
    /// <param name="tickInterval">How often <paramref name="tick"/> is called.</param>
    /// <param name="tick">Called until it says false: the work is done.</param>
    public OwnerLoop(string name, TimeProvider time, TimeSpan tickInterval, Func<bool> tick)
    {
        _tick = tick;
        _tickInterval = tickInterval;
        _time = time;
        _loneliness = new Loneliness(time);
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>
    /// Whether it looks for work again and again for <see cref="SpinTime"/> before it sleeps: right where a core is free for it, and harmful
    /// where the thread that has the work waits for that core. On any thread.
    /// </summary>
    public Spin Spin
    {
        get => _spin;
        set => _spin = value;
    }

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Has the loop's thread run something.</summary>
    public void Schedule(Action<object?> action, object? state)
    {
        lock (_gate)
        {
            _queued.Add((action, state));
            if (_waiting)
                _epoll.Wake();
            _waiting = false;
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

    /// <summary>
    /// Ends the thread. Connections that are being closed say their last words and hear the other end's, each until nothing has moved for a
    /// second, and all within <see cref="Connection.LongestLinger"/>; others are cut off.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            _epoll.Wake();
        }

        if (_thread.IsAlive && Thread.CurrentThread != _thread)
            _thread.Join();
        CutOff(all: true); // if it never ran, or failed
        _epoll.Dispose();
        _ended.Dispose();
    }

    /// <summary>Begins to watch a connection. On the loop's thread, or before it starts.</summary>
    internal int Register(Connection connection)
    {
        int slot = _free.Count > 0 ? _free.Pop() : _used++;
        if (slot == _connections.Length)
            Array.Resize(ref _connections, 2 * slot);
        try
        {
            _epoll.Watch(connection.Socket, slot, Readiness.Readable);
        }
        catch (ClusterException)
        {
            _free.Push(slot);
            throw;
        }

        _connections[slot] = connection;
        _open++;
        return slot;
    }

    /// <summary>Watches it for something else. On any thread.</summary>
    internal void Change(Connection connection, int slot, Readiness interest) => _epoll.Change(connection.Socket, slot, interest);

    /// <summary>The connection's socket is closed. On the loop's thread.</summary>
    internal void Unregister(int slot)
    {
        _connections[slot] = null;
        _free.Push(slot);
        _open--;
    }

    private void Run()
    {
        try
        {
            long tickedAt = 0;
            while (!IsOver())
            {
                RunQueued();
                int ready = Wait();
                for (int j = 0; j < ready; j++)
                {
                    int slot = _epoll.Ready(j, out Readiness what);
                    if (slot >= 0)
                        _connections[slot]?.Handle(what);
                }

                long now = _time.GetTimestamp();
                if (_time.GetElapsedTime(tickedAt, now) < _tickInterval)
                    continue;
                tickedAt = now;
                if (_spin == Spin.WhileAlone)
                    _loneliness.Observe(now, SocketCalls.TimesPushedAside());
                if (!_ended.IsSet && !_tick())
                    _ended.Set();
                CutOff(all: false);
            }
        }
        catch (Exception e)
        {
            _error = e;
            _ended.Set();
        }
    }

    private bool IsOver()
    {
        if (!_disposed)
            return false;
        if (_endBy == long.MaxValue)
            _endBy = _time.GetTimestamp() + (long)(Connection.LongestLinger.TotalSeconds * _time.TimestampFrequency);
        RunQueued();
        foreach (Connection? connection in _connections)
        {
            if (connection is { IsClosing: false })
                connection.CutOff("the program ended");
        }

        return _open == 0 || _time.GetTimestamp() >= _endBy;
    }

    private void RunQueued()
    {
        lock (_gate)
            (_queued, _running) = (_running, _queued);
        foreach ((Action<object?> action, object? state) in _running)
            action(state);
        _running.Clear();
    }

    private int Wait()
    {
        lock (_gate)
        {
            if (_queued.Count > 0)
                return 0;
            _waiting = true;
        }

        int ready = _spin == Spin.Always || (_spin == Spin.WhileAlone && _loneliness.IsAlone) ? SpinOnce() : 0;
        if (ready == 0)
            ready = _epoll.Wait((int)_tickInterval.TotalMilliseconds);
        lock (_gate)
            _waiting = false;
        return ready;
    }

    private int SpinOnce()
    {
        long start = _time.GetTimestamp();
        int ready;
        do
            ready = _epoll.Wait(0);
        while (ready == 0 && _time.GetElapsedTime(start) < SpinTime);
        return ready;
    }

    private void CutOff(bool all)
    {
        if (_open == 0)
            return;
        long now = _time.GetTimestamp();
        foreach (Connection? connection in _connections)
        {
            if (all)
                connection?.CutOff(null);
            else
                connection?.CutOffIfOverdue(now);
        }
    }
}
