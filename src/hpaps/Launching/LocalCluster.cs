using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Launching;

/// <summary>
/// A server and its workers as processes on this host, from start to end. One thread calls all of it; the threads that
/// read the children's pipes only leave what they read. Every wait is bounded, and disposing leaves no process behind.
/// </summary>
internal sealed class LocalCluster : IDisposable
{
    private const string OneRelease = "are the three programs of one release? Run tools/publish.sh again";
    private static readonly TimeSpan ListenTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(100);

    // The last evaluation and the leaving of workers have limits of their own in the server, 35 s together.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(11);

    // How long others may take to show that one of them was the cause, and the server to save what there is.
    private static readonly TimeSpan CauseTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SaveTimeout = TimeSpan.FromSeconds(60);

    // The server itself has waited for the workers to leave.
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(2);

    private readonly Binaries _binaries;
    private readonly StopSignals _signals;
    private readonly TimeProvider _time;
    private readonly List<ChildProcess> _workers = [];
    private readonly LocalSocket _socket = new();
    private ChildProcess? _server;
    private string? _address;
    private string? _unexpected;
    private RunStatus? _status;
    private RunSummary? _ended;
    private long _stoppingSince;
    private long _failingSince;

    public LocalCluster(Binaries binaries, StopSignals signals, TimeProvider time)
    {
        _binaries = binaries;
        _signals = signals;
        _time = time;
    }

    /// <summary>The newest word of the server.</summary>
    public RunStatus? Status => Volatile.Read(ref _status);

    /// <summary>What the server reported at its end, if it got so far.</summary>
    public RunSummary? Ended => Volatile.Read(ref _ended);

    /// <summary>The user has asked it to stop.</summary>
    public bool IsStopping => _stoppingSince != 0;

    /// <summary>Starts all processes.</summary>
    /// <param name="serverArguments">Arguments of hpaps-server, but for where it listens.</param>
    /// <param name="workerArguments">For each worker: its arguments, given the server's address.</param>
    /// <exception cref="InputException">A process says that its input cannot be used.</exception>
    /// <exception cref="ClusterException">A process failed, or the user stopped it.</exception>
    public void Start(IReadOnlyList<string> serverArguments, IReadOnlyList<Func<string, IReadOnlyList<string>>> workerArguments)
    {
        _server = ChildProcess.Start("server", _binaries.Server, ["--listen", _socket.Address, .. serverArguments], Heard, _signals.Wake);
        long start = _time.GetTimestamp();
        while (Volatile.Read(ref _address) is null)
        {
            if (_server.HasExited)
                throw Failure.Explain(_server, _workers, "at its start");
            if (_signals.Received > 0)
                throw NothingTrained();
            if (_time.GetElapsedTime(start) > ListenTimeout)
            {
                throw new ClusterException($"server (pid {_server.Id}) did not listen within {ListenTimeout.TotalSeconds:0} s; "
                    + "is this host overloaded? Try again");
            }

            ThrowIfUnexpected();
            _signals.Wake.WaitOne(Heartbeat);
        }

        for (int rank = 0; rank < workerArguments.Count; rank++)
            _workers.Add(ChildProcess.Start($"worker {rank}", _binaries.Worker, workerArguments[rank](_address!), null, _signals.Wake));
    }

    /// <summary>Waits a moment and looks after everybody. False when the run has ended well.</summary>
    /// <exception cref="InputException">A process says that its input cannot be used.</exception>
    /// <exception cref="ClusterException">A process failed, or the user stopped it.</exception>
    public bool Watch()
    {
        _signals.Wake.WaitOne(Heartbeat);
        PassOnStop();
        ThrowIfUnexpected();
        if (_server!.HasExited && _server.ExitCode == 0)
        {
            _server.Drain();
            RunSummary ended = Ended
                ?? throw new ClusterException($"server (pid {_server.Id}) ended without a word; {OneRelease}");
            if (ended.Parameters == 0)
                throw NothingTrained();
            return false;
        }

        bool failed = false, certain = false, runs = false;
        foreach (ChildProcess child in All())
        {
            failed |= Failure.Has(child);
            certain |= Failure.IsCertain(child);
            runs |= !child.HasExited;
        }

        if (!failed)
            return true;
        if (_failingSince == 0)
            _failingSince = _time.GetTimestamp();
        bool stopped = IsStopping && _server.HasExited;
        if (certain || !runs || stopped || _time.GetElapsedTime(_failingSince) > CauseTimeout)
            throw Explained();
        return true;
    }

    /// <summary>Waits for the workers after a good end: they write what only they have.</summary>
    /// <exception cref="ClusterException">One failed at it, or takes too long.</exception>
    public void WaitForWorkers()
    {
        long start = _time.GetTimestamp();
        foreach (ChildProcess worker in _workers)
        {
            while (!worker.HasExited)
            {
                if (_signals.Received > 1)
                    throw new ClusterException($"ended at once by the second signal; {worker.Name} had not written its users");
                if (_time.GetElapsedTime(start) > SaveTimeout)
                    throw new ClusterException($"{worker.Name} (pid {worker.Id}) did not write its users within {SaveTimeout.TotalSeconds:0} s; is the disk very slow?");
                worker.WaitForExit(Heartbeat);
            }

            if (!Failure.Has(worker))
                continue;
            worker.Drain();
            throw new ClusterException($"{worker.Name} (pid {worker.Id}) did not write its users: {worker.Errors("hpaps-worker")}");
        }
    }

    /// <summary>Ends everybody: first by asking, then by force. Nobody is left when it returns.</summary>
    public void Dispose()
    {
        bool endedWell = _server is { HasExited: true, ExitCode: 0 } && Ended is { Parameters: > 0 };
        long start = _time.GetTimestamp();
        if (endedWell)
        {
            // The workers are on their way out by themselves.
            foreach (ChildProcess worker in _workers)
                worker.WaitForExit(Left(LeaveTimeout, start));
        }

        foreach (ChildProcess child in All())
            child.CloseInput();
        start = _time.GetTimestamp();
        foreach (ChildProcess child in All())
        {
            if (child.WaitForExit(Left(KillTimeout, start)))
                continue;
            child.Kill();
            child.WaitForExit(KillTimeout);
        }

        foreach (ChildProcess worker in _workers)
            worker.Dispose();
        _server?.Dispose();
        _socket.Dispose();
    }

    private TimeSpan Left(TimeSpan limit, long start)
    {
        TimeSpan left = limit - _time.GetElapsedTime(start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private IEnumerable<ChildProcess> All()
    {
        // Workers first: a server that loses them has nothing left to wait for.
        foreach (ChildProcess worker in _workers)
            yield return worker;
        if (_server is not null)
            yield return _server;
    }

    /// <summary>A line of the server's standard output; called on the thread that reads it.</summary>
    private void Heard(string line)
    {
        try
        {
            ServerEvent? heard = JsonSerializer.Deserialize(line, EventJson.Default.ServerEvent);
            if (heard?.Status is { } status)
                Volatile.Write(ref _status, status);
            if (heard?.Ended is { } ended)
                Volatile.Write(ref _ended, ended);
            if (heard?.Listening is { } address)
                Volatile.Write(ref _address, address);
        }
        catch (JsonException)
        {
            Volatile.Write(ref _unexpected, line);
        }
    }

    private void ThrowIfUnexpected()
    {
        if (Volatile.Read(ref _unexpected) is { } line)
            throw new ClusterException($"server (pid {_server!.Id}) printed '{line}', which is no event; {OneRelease}");
    }

    private void PassOnStop()
    {
        if (_signals.Received > 1 && Ended is null)
        {
            foreach (ChildProcess child in All())
                child.Kill();
            throw new ClusterException("ended at once by the second signal; nothing was saved");
        }

        if (_signals.Received == 0)
            return;
        if (_stoppingSince == 0)
        {
            _stoppingSince = _time.GetTimestamp();
            _server!.Send("stop");
        }
        else if (_time.GetElapsedTime(_stoppingSince) > StopTimeout)
        {
            throw new ClusterException($"server (pid {_server!.Id}) did not end within {StopTimeout.TotalSeconds:0} s after it was asked to stop; "
                + "everything was ended");
        }
    }

    private Exception Explained()
    {
        bool trained = Status is { Seconds: > 0 } || Ended is { TrainSeconds: > 0 };
        if (IsStopping && !trained)
            return NothingTrained();
        string when = trained ? $"after {Status?.Passes ?? Ended!.Passes:0.#} passes" : "before training began";

        // A server that loses a worker for good saves what there is; that must not be cut off.
        if (trained && GiveUpTheDead())
            _server!.WaitForExit(SaveTimeout);
        Exception failure = Failure.Explain(_server!, _workers, when);
        if (_server!.HasExited)
            _server.Drain();
        return failure;
    }

    /// <summary>Tells the server which workers have failed and will not return. False when there are none.</summary>
    private bool GiveUpTheDead()
    {
        for (int rank = 0; rank < _workers.Count; rank++)
        {
            if (Failure.Has(_workers[rank]))
                _server!.Send($"give-up {rank} its process has ended");
        }

        return _workers.Exists(Failure.Has);
    }

    private static ClusterException NothingTrained() =>
        new("stopped before training began: nothing was trained, and nothing was written");
}
