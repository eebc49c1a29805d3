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
internal sealed partial class LocalCluster : IDisposable
{
    private const string OneRelease = "are the three programs of one release? Run tools/publish.sh again";
    private static readonly TimeSpan ListenTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(100);

    // How long others may take to show that one of them was the cause, and the server to save what there is.
    private static readonly TimeSpan CauseTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SaveTimeout = TimeSpan.FromSeconds(60);

    // The server itself has waited for the workers to leave.
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(2);

    private readonly Binaries _binaries;
    private readonly StopSignals _signals;
    private readonly TimeProvider _time;
    private readonly LossSettings _loss;
    private readonly Action<string> _say;
    private readonly List<RunProcess> _workers = [];
    private readonly LocalSocket _socket = new();
    private RunProcess? _server;
    private string? _address;
    private string? _monitoring;
    private string? _unexpected;
    private string? _warning; // of the server, to be said: the newest one, and they are far apart
    private RunStatus? _status;
    private RunSummary? _ended;
    private long _failingSince;

    /// <param name="binaries">The programs.</param>
    /// <param name="signals">The user's.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loss">What becomes of the run when a process dies.</param>
    /// <param name="say">Shows a line to the user.</param>
    public LocalCluster(Binaries binaries, StopSignals signals, TimeProvider time, LossSettings loss, Action<string> say)
    {
        (_binaries, _signals, _time, _loss, _say) = (binaries, signals, time, loss, say);
    }

    /// <summary>The newest word of the first server, with the bytes of all.</summary>
    public RunStatus? Status
    {
        get
        {
            RunStatus? status = Volatile.Read(ref _status);
            foreach (FurtherServer one in _further)
            {
                if (status is not null && one.Status is { } its)
                    status = status with { UplinkBytes = status.UplinkBytes + its.UplinkBytes, DownlinkBytes = status.DownlinkBytes + its.DownlinkBytes };
            }

            return status;
        }
    }

    /// <summary>Where the server answers how the job stands, or null.</summary>
    public string? Monitoring => Volatile.Read(ref _monitoring);

    /// <summary>Training has begun.</summary>
    public bool HasTrained { get; private set; }

    /// <summary>What the server reported at its end, if it got so far.</summary>
    public RunSummary? Ended => Volatile.Read(ref _ended);

    /// <summary>Starts all processes.</summary>
    /// <param name="serverArguments">For each server: arguments of hpaps-server, but for where it listens.</param>
    /// <param name="workerArguments">For each worker: its arguments, given the servers' addresses.</param>
    /// <param name="secrets">Variables of hpaps-server: what is not for all users of this host to see; or null.</param>
    /// <exception cref="InputException">A process says that its input cannot be used.</exception>
    /// <exception cref="ClusterException">A process failed, or the user stopped it.</exception>
    public void Start(
        IReadOnlyList<IReadOnlyList<string>> serverArguments, IReadOnlyList<Func<string, IReadOnlyList<string>>> workerArguments, IReadOnlyDictionary<string, string>? secrets = null)
    {
        // Where it listened before, it listens again: workers look for it there.
        _server = new RunProcess(
            restarts => ChildProcess.Start("server", _binaries.Server, ["--listen", _address ?? _socket.AddressOf(0), .. serverArguments[0]], Heard, _signals.Wake, restarts, secrets), _time);
        for (int j = 1; j < serverArguments.Count; j++)
            _further.Add(new FurtherServer(j, _socket.AddressOf(j), serverArguments[j], _binaries, _signals.Wake, _time, Unexpected));
        WaitForListening(_server, () => Volatile.Read(ref _address) is not null);
        foreach (FurtherServer one in _further)
            WaitForListening(one.Process, () => one.Address is not null);
        for (int j = 0; j < workerArguments.Count; j++)
        {
            int rank = j;
            _workers.Add(new RunProcess(
                restarts => ChildProcess.Start($"worker {rank}", _binaries.Worker, workerArguments[rank](Addresses()), null, _signals.Wake, restarts), _time));
        }
    }

    /// <summary>Waits a moment and looks after everybody. False when the run has ended well.</summary>
    /// <exception cref="InputException">A process says that its input cannot be used.</exception>
    /// <exception cref="ClusterException">A process failed, or the user stopped it.</exception>
    public bool Watch()
    {
        _signals.Wake.WaitOne(Heartbeat);
        HasTrained |= Status is { Seconds: > 0 };
        PassOnStop();
        if (Interlocked.Exchange(ref _warning, null) is { } warning)
            _say(warning);
        ThrowIfUnexpected();
        ChildProcess server = _server!.Process;
        if (server.HasExited && server.ExitCode == 0)
        {
            server.Drain();
            RunSummary ended = Ended
                ?? throw new ClusterException($"server (pid {server.Id}) ended without a word; {OneRelease}");
            if (ended.Parameters == 0)
                throw NothingTrained();
            WriteOffTheSilent();
            WaitForFurtherServers();
            return false;
        }

        LookForTheSilent();
        foreach (RunProcess one in All())
            one.Look();
        CareForTheDead();
        bool failed = false, certain = false, runs = false;
        foreach (RunProcess one in All())
        {
            failed |= one.HasFailed;
            certain |= one.HasFailed && Failure.IsCertain(one.Process);
            runs |= one.IsPausing || !one.Process.HasExited;
        }

        if (!failed)
        {
            _failingSince = 0;
            return true;
        }

        if (_failingSince == 0)
            _failingSince = _time.GetTimestamp();
        bool stopped = IsStopping && _server.HasFailed;
        if (certain || !runs || stopped || _time.GetElapsedTime(_failingSince) > CauseTimeout)
            throw Explained();
        return true;
    }

    /// <summary>Waits for the workers after a good end: they write what only they have.</summary>
    /// <exception cref="ClusterException">One failed at it, or takes too long.</exception>
    public void WaitForWorkers()
    {
        long start = _time.GetTimestamp();
        foreach (RunProcess one in _workers)
        {
            ChildProcess worker = one.Process;
            if (one.IsWrittenOff || one.IsPausing)
                continue;
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
        bool endedWell = _server is { Process: { HasExited: true, ExitCode: 0 } } && Ended is { Parameters: > 0 };
        long start = _time.GetTimestamp();
        if (endedWell)
        {
            // The workers are on their way out by themselves.
            foreach (RunProcess worker in _workers)
                worker.Process.WaitForExit(Left(LeaveTimeout, start));
        }

        foreach (RunProcess one in All())
            one.Process.CloseInput();
        start = _time.GetTimestamp();
        foreach (RunProcess one in All())
        {
            ChildProcess child = one.Process;
            if (child.WaitForExit(Left(KillTimeout, start)))
                continue;
            child.Kill();
            child.WaitForExit(KillTimeout);
        }

        foreach (RunProcess worker in _workers)
            worker.Dispose();
        foreach (FurtherServer one in _further)
            one.Process.Dispose();
        _server?.Dispose();
        _socket.Dispose();
    }

    private TimeSpan Left(TimeSpan limit, long start)
    {
        TimeSpan left = limit - _time.GetElapsedTime(start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private IEnumerable<RunProcess> All()
    {
        // Workers first: a server that loses them has nothing left to wait for.
        foreach (RunProcess worker in _workers)
            yield return worker;
        foreach (FurtherServer one in _further)
            yield return one.Process;
        if (_server is not null)
            yield return _server;
    }

    /// <summary>A line of the server's standard output; called on the thread that reads it.</summary>
    private void Heard(string line)
    {
        try
        {
            Interlocked.Increment(ref _lines);
            ServerEvent? heard = JsonSerializer.Deserialize(line, EventJson.Default.ServerEvent);
            if (heard?.Status is { } status)
                Volatile.Write(ref _status, status);
            if (heard?.Ended is { } ended)
                Volatile.Write(ref _ended, ended);
            if (heard?.Warning is { } warning)
                Volatile.Write(ref _warning, warning);
            if (heard?.Monitoring is { } monitor && Interlocked.Exchange(ref _monitoring, monitor) is { } before && before != monitor)
                _say($"monitoring is at {monitor} now");
            if (heard?.Listening is { } address)
                Volatile.Write(ref _address, address);
        }
        catch (JsonException)
        {
            Unexpected(line);
        }
    }

    private void Unexpected(string line) => Volatile.Write(ref _unexpected, line);

    private void ThrowIfUnexpected()
    {
        if (Volatile.Read(ref _unexpected) is { } line)
            throw new ClusterException($"a server printed '{line}', which is no event; {OneRelease}");
    }

    private Exception Explained()
    {
        bool trained = HasTrained || Ended is { TrainSeconds: > 0 };
        if (IsStopping && !trained)
            return NothingTrained();
        string when = !trained ? "before training began"
            : (Status?.Passes ?? Ended?.Passes) is { } passes ? $"after {passes:0.#} passes" : "after it was started again";

        // A server that loses a worker for good saves what there is; that must not be cut off.
        ChildProcess server = _server!.Process;
        if (trained && !server.HasExited && GiveUpTheDead())
            server.WaitForExit(SaveTimeout);
        var counted = new List<ChildProcess>();
        foreach (RunProcess worker in _workers)
        {
            if (!worker.IsWrittenOff && !worker.IsPausing)
                counted.Add(worker.Process);
        }

        foreach (FurtherServer one in _further)
        {
            if (!one.Process.IsPausing)
                counted.Add(one.Process.Process);
        }

        Exception failure = Failure.Explain(server, counted, when, mayRestart: trained && _loss.Restarts == 0 && !IsStopping);
        if (server.HasExited)
            server.Drain();
        return failure;
    }

    /// <summary>Tells the server which workers have failed and will not return. False when there are none.</summary>
    private bool GiveUpTheDead()
    {
        for (int rank = 0; rank < _workers.Count; rank++)
        {
            if (!_workers[rank].HasFailed)
                continue;
            GiveUp(rank);
            if (Failure.IsCertain(_workers[rank].Process))
                _died.Add(rank);
        }

        return _workers.Exists(static worker => worker.HasFailed);
    }

    private static ClusterException NothingTrained() =>
        new("stopped before training began: nothing was trained, and nothing was written");
}
