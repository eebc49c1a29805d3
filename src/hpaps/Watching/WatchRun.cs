using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Programs;
using Microsoft.Win32.SafeHandles;

namespace HpAsyncPs.Cli.Watching;

/// <summary>
/// One hpaps watch. A thread follows /events, which says at once what happens and that the job has ended; /status, asked once an interval, has the workers.
/// </summary>
internal sealed class WatchRun : IDisposable
{
    private const string Failed = "failed";

    /// <summary>How long a connection that was lost is looked for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly MonitorClient _client;
    private readonly TimeSpan _interval;
    private readonly StopSignals _signals;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new(); // of all below
    private readonly AutoResetEvent _news = new(false);
    private WatchedEvents _events = new(0);
    private RunDocument? _run;
    private bool _hasEnded;
    private StatusDocument? _status;
    private StatusDocument? _before;
    private long _lostAt;
    private long _lookedAt;
    private bool _isLastShown;

    private WatchRun(MonitorClient client, TimeSpan interval, StopSignals signals, TimeProvider time) => (_client, _interval, _signals, _time) = (client, interval, signals, time);

    /// <summary>Watches until the job has ended, or the user has seen enough.</summary>
    public static int Run(MonitorAddress address, TimeSpan interval, TimeProvider time)
    {
        using var signals = new StopSignals();
        using var run = new WatchRun(new MonitorClient(address, signals.First), interval, signals, time);
        bool isPlain = Console.IsOutputRedirected || Environment.GetEnvironmentVariable("TERM") is "dumb" or "";
#pragma warning disable CA2000 // standard output is not its to end
        IWatchView view = isPlain ? new PlainWatch(Output(), time) : new LiveWatch();
#pragma warning restore CA2000
        try
        {
            return run.Watch(view);
        }
        catch (OperationCanceledException) when (signals.Received > 0)
        {
            return (int)ExitCode.Done;
        }
        catch (IOException) when (Console.IsOutputRedirected)
        {
            return (int)ExitCode.Done; // who read it has gone, as head does
        }
        catch (MonitorException e)
        {
            throw new ClusterException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _news.Dispose();

    /// <summary>Standard output; of a pipe a writer that fails when its reader has gone, as head does: that of the console says nothing then.</summary>
    private static TextWriter Output()
    {
#pragma warning disable CA2000 // both live as long as the process, and standard output is not theirs
        var output = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, 0);
        return output.CanSeek ? Console.Out : new StreamWriter(output) { AutoFlush = true };
#pragma warning restore CA2000
    }

    private int Watch(IWatchView view)
    {
        (_status, _) = _client.Status(); // nobody there, or somebody else: that is said at once
        _events = new WatchedEvents(_status.Run.LastEvent);
        _lookedAt = _time.GetTimestamp();
        var follower = new Thread(Follow) { IsBackground = true, Name = "events" };
        follower.Start();
        bool isFirst = true;
        view.Follow(() =>
        {
            if (isFirst)
            {
                isFirst = false;
                return Snapshot(null);
            }

            return Next();
        });
        if (_signals.Received > 0)
            return (int)ExitCode.Done;
        string phase;
        lock (_gate)
            phase = (_run ?? _status.Run).Phase;
        if (phase == Failed)
            throw new ClusterException($"the job has failed: {LastPhase()}");
        Console.Error.WriteLine("hpaps: the job has ended");
        return (int)ExitCode.Done;
    }

    /// <summary>What there is after an interval, or sooner if something has happened; null: it is over.</summary>
    private Watched? Next()
    {
        if (_isLastShown)
            return null;
        while (_time.GetElapsedTime(_lookedAt) is var passed && passed < _interval)
        {
            int woken = WaitHandle.WaitAny([_signals.Wake, _news], _interval - passed);
            if (_signals.Received > 0)
                return null;
            if (woken == 1)
                return HasEnded() ? LastOf() : Snapshot(null);
        }

        _lookedAt = _time.GetTimestamp();
        try
        {
            (StatusDocument status, _) = _client.Status();
            lock (_gate)
                (_before, _status, _lostAt) = (_status, status, 0);
            return Snapshot(null);
        }
        catch (MonitorException e) when (e.MayPass)
        {
            if (HasEnded())
                return LastOf();
            long now = _time.GetTimestamp();
            _lostAt = _lostAt == 0 ? now : _lostAt;
            if (IsEnding())
                return LastOf();
            if (_time.GetElapsedTime(_lostAt, now) > Patience)
                throw new MonitorException($"{e.Message} (the connection was lost {Patience.TotalSeconds:0} s ago, and the last that was known is: {StatusLines.Line(_status!.Run)})");
            return Snapshot($"the connection is lost, trying again for {Patience.TotalSeconds:0} s");
        }
    }

    /// <summary>How it stood at the end, once; then nothing.</summary>
    private Watched? LastOf()
    {
        if (_isLastShown)
            return null;
        _isLastShown = true;
        lock (_gate)
        {
            if (_run is { } run)
                (_before, _status) = (null, _status! with { Run = run });
        }

        return Snapshot(null);
    }

    private bool HasEnded()
    {
        lock (_gate)
            return _hasEnded;
    }

    /// <summary>The last that was known is that it was about to end: that the port is gone is no wonder.</summary>
    private bool IsEnding()
    {
        lock (_gate)
            return (_run ?? _status!.Run).Phase is "leaving" or "ended" or Failed;
    }

    private string LastPhase()
    {
        lock (_gate)
            return Printable.Of(_events.LastPhase() ?? "see the log of hpaps-server");
    }

    private Watched Snapshot(string? trouble)
    {
        lock (_gate)
            return new Watched(_client.Name, _status, _before, _events.Shown(), trouble);
    }

    private void Follow()
    {
        try
        {
            while (!HasEnded() && _signals.Received == 0)
            {
                try
                {
                    bool hasEnded = _client.Follow(Happened, Stands);
                    lock (_gate)
                        _hasEnded |= hasEnded;
                    _news.Set();
                }
                catch (MonitorException)
                {
                    // What is wrong is said when /status is asked.
                }

                lock (_gate)
                    _events.Break();
                if (!HasEnded())
                    _signals.First.WaitHandle.WaitOne(RetryPause);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // It was stopped.
        }
    }

    private void Stands(RunDocument run)
    {
        lock (_gate)
            _run = run;
    }

    private void Happened(EventDocument one)
    {
        bool isNew;
        lock (_gate)
            isNew = _events.Take(one);
        if (isNew)
            _news.Set();
    }
}
