using System;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>
/// What other threads see of the job. The shard's thread shows it in one view, when somebody wants it, and goes on without waiting if a reader has hold of that; readers copy it.
/// </content>
public sealed partial class ServerHost
{
    /// <summary>How often a view is filled at most.</summary>
    public static readonly TimeSpan ViewInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _viewGate = new(); // of _view; held for a copy
    private readonly MonitorView _view;
    private int _viewWanted;
    private bool _hasView;
    private long _viewedAt;

    private long _tickedAt;

    /// <summary>Since the shard's thread last had a turn, which it has every few milliseconds; zero once the job has ended. Any thread.</summary>
    public TimeSpan SinceTick => Volatile.Read(ref _tickedAt) is var at and not 0 ? _time.GetElapsedTime(at) : TimeSpan.Zero;

    /// <summary>The last events of the job. Any thread may read them.</summary>
    public EventRing Events => _server.Events;

    /// <summary>A view for <see cref="ReadMonitor"/>, to be used again and again.</summary>
    public MonitorView NewView() => _server.NewView();

    /// <summary>
    /// Copies the newest view, and asks for a newer one: read once a second, it is at most about a second old; read more often, about 0.1 s. Any thread; allocates nothing.
    /// </summary>
    /// <param name="into">Of <see cref="NewView"/>.</param>
    /// <returns>False: there is none yet, ask again in a moment.</returns>
    public bool ReadMonitor(MonitorView into)
    {
        Volatile.Write(ref _viewWanted, 1);
        lock (_viewGate)
        {
            if (_hasView)
                into.CopyFrom(_view);
            return _hasView;
        }
    }

    /// <summary>Somebody was not let in: said once a second at most.</summary>
    private void Refused(LogLine line)
    {
        _server.Log?.Invoke(line);
        _server.Note(MonitorEventKind.Handshake, line.Text);
    }

    /// <summary>On the shard's thread.</summary>
    private void ShowMonitor()
    {
        long now = _time.GetTimestamp();
        Volatile.Write(ref _tickedAt, _server.HasEnded ? 0 : now);
        if (_server.HasEnded)
        {
            lock (_viewGate)
                FillView();
        }
        else if (Volatile.Read(ref _viewWanted) == 1 && (_viewedAt == 0 || _time.GetElapsedTime(_viewedAt, now) >= ViewInterval) && _viewGate.TryEnter())
        {
            try
            {
                (_viewWanted, _viewedAt) = (0, now);
                FillView();
            }
            finally
            {
                _viewGate.Exit();
            }
        }
    }

    private void FillView()
    {
        _server.Fill(_view);
        _view.Run = _view.Run with
        {
            ConnectionBytes = (long)_pool.Leased * SlabPool.BlockBytes,
            ConnectionLimitBytes = (long)_pool.Limit * SlabPool.BlockBytes,
            Connections = _gate.Open,
            HalfOpen = _gate.HalfOpen,
        };
        _gate.Counts.CopyTo(_view.FailedHandshakes);
        _hasView = true;
    }
}
