using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>
/// The processes of one measurement: a server, unless one runs already, and workers. One thread calls all of it; the threads that read the
/// children's pipes only leave what they read. Every wait is bounded, and disposing leaves no process behind.
/// </summary>
internal sealed class StressCluster(StressSettings settings, int bytes, StopSignals signals, TimeProvider time) : IDisposable
{
    private const string Program = "hpaps";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(2);

    private readonly List<ChildProcess> _workers = [];
    private readonly LocalSocket? _socket = settings is { Server: null, Transport: StressTransport.Unix } ? new LocalSocket() : null;
    private readonly StressNews?[] _news = new StressNews?[settings.Workers];
    private ChildProcess? _server;
    private ChildProcess? _idle;
    private bool _idleMayLeave;
    private ServerEvent? _serverEnd;
    private string? _address = settings.Server;
    private string? _unexpected;
    private double? _processorBefore;
    private double? _processorAfter;
    private long? _memory;

    /// <summary>Parameters' bytes that were moved so far.</summary>
    public long Bytes
    {
        get
        {
            long all = 0;
            for (int rank = 0; rank < _news.Length; rank++)
                all += Volatile.Read(ref _news[rank])?.Bytes ?? 0;
            return all;
        }
    }

    /// <summary>Starts everybody.</summary>
    /// <param name="output">Folder for the server's model, or null.</param>
    /// <exception cref="ClusterException">A process failed, or the user stopped it.</exception>
    public void Start(string? output)
    {
        if (settings.Server is null)
            StartServer(output);
        string self = Environment.ProcessPath ?? throw new ClusterException("this program does not know its own path; start it by its full path");
        if (settings.Idle > 0)
            _idle = ChildProcess.Start("idle connections", self, IdleCommand.Arguments(settings, bytes, _address!), null, signals.Wake);
        for (int rank = 0; rank < settings.Workers; rank++)
        {
            int own = rank;
            _workers.Add(ChildProcess.Start($"worker {rank}", self, StressCommand.WorkerArguments(settings, bytes, rank, _address!), line => Heard(own, line), signals.Wake));
        }
    }

    /// <summary>Waits a moment. False when all have ended well.</summary>
    /// <exception cref="ClusterException">A process failed, or the user stopped it.</exception>
    public bool Watch(long startedAt)
    {
        signals.Wake.WaitOne(Moment);
        ThrowIfStopped();
        if (Volatile.Read(ref _unexpected) is { } line)
            throw new ClusterException($"a process of the stress test printed '{line}'; are the programs of one release? Run tools/publish.sh again");
        bool runs = false;
        foreach (ChildProcess child in All())
        {
            if (!child.HasExited)
                runs = true;
            else if (child.ExitCode != 0)
                throw Explained();
        }

        if (!_idleMayLeave && _idle is not null && _workers.TrueForAll(static worker => worker.HasExited))
        {
            _idleMayLeave = true;
            _idle.Send(IdleCommand.LeaveLine);
        }

        if (runs && time.GetElapsedTime(startedAt) > StartTimeout + EndTimeout + TimeSpan.FromSeconds(settings.Seconds))
            throw new ClusterException($"the stress test did not end {(StartTimeout + EndTimeout).TotalSeconds:0} s after its time; is this host overloaded? Try again with fewer --workers or smaller --bytes");
        return runs;
    }

    /// <summary>What the workers measured, once all have ended.</summary>
    /// <exception cref="ClusterException">One said nothing.</exception>
    public StressOutcome[] Outcomes()
    {
        foreach (ChildProcess worker in _workers)
            worker.Drain();
        var outcomes = new StressOutcome[_news.Length];
        for (int rank = 0; rank < outcomes.Length; rank++)
        {
            outcomes[rank] = _news[rank]?.Outcome
                ?? throw new ClusterException($"worker {rank} ended without a word; are the programs of one release? Run tools/publish.sh again");
        }

        return outcomes;
    }

    /// <summary>What the server of our own took, once all have ended.</summary>
    public ServerFigures Figures()
    {
        _server?.Drain();
        lock (_news)
            return new ServerFigures(_processorAfter - _processorBefore, _memory, _serverEnd?.AllocatedBytes, _serverEnd?.Collections);
    }

    /// <summary>Nobody is left when it returns.</summary>
    public void Dispose()
    {
        foreach (ChildProcess child in All())
            child.CloseInput();
        foreach (ChildProcess child in All())
        {
            if (!child.WaitForExit(KillTimeout))
            {
                child.Kill();
                child.WaitForExit(KillTimeout);
            }

        }

        foreach (ChildProcess worker in _workers)
            worker.Dispose();
        _idle?.Dispose();
        _server?.Dispose();
        _socket?.Dispose();
    }

    private void StartServer(string? output)
    {
        string policy = settings.Path == StressPath.Sum ? "asp:sum" : "async";
        string listen = _socket?.AddressOf(0) ?? "127.0.0.1:0";
        if (_socket is not null && !Endpoint.Parse(listen).IsUnix)
            throw new InputException("--transport unix needs a folder for temporary files that can be written and has a short path: set TMPDIR to one, as /tmp");
        List<string> arguments = ["--listen", listen, "--workers", (settings.Workers + settings.Idle).ToString(CultureInfo.InvariantCulture), "--policy", policy,
            "--plain", "--rejoin-timeout", "0", "--events", "--count-allocations", "--exit-with-stdin"];
        if (settings.Codec is { } codec)
            arguments.AddRange(["--codec", codec.Name]);
        if (settings.Spin is { } spin)
            arguments.AddRange(["--spin", spin ? "always" : "never"]);
        if (output is not null)
            arguments.AddRange(["--out", output]);
        _server = ChildProcess.Start("server", Binaries.Find().Server, arguments, HeardServer, signals.Wake);
        for (long start = time.GetTimestamp(); Volatile.Read(ref _address) is null;)
        {
            signals.Wake.WaitOne(Moment);
            ThrowIfStopped();
            if (_server.HasExited)
                throw Explained();
            if (time.GetElapsedTime(start) > StartTimeout)
                throw new ClusterException($"server (pid {_server.Id}) did not listen within {StartTimeout.TotalSeconds:0} s; is this host overloaded? Try again");
        }
    }

    private void ThrowIfStopped()
    {
        if (signals.Received > 0)
            throw new ClusterException("stopped before the end: all processes were ended; start it again, with fewer --seconds if it takes too long");
    }

    private IEnumerable<ChildProcess> All()
    {
        foreach (ChildProcess worker in _workers)
            yield return worker;
        if (_idle is not null)
            yield return _idle;
        if (_server is not null)
            yield return _server;
    }

    /// <summary>A line of the server's standard output; on the thread that reads it.</summary>
    private void HeardServer(string line)
    {
        try
        {
            ServerEvent? said = JsonSerializer.Deserialize(line, EventJson.Default.ServerEvent);
            if (said?.Listening is { } address)
                Volatile.Write(ref _address, address);
            if (said?.Ended is null)
                return;
            lock (_news)
                _serverEnd = said;
        }
        catch (JsonException)
        {
            Volatile.Write(ref _unexpected, line);
        }
    }

    /// <summary>A line of a worker's standard output; on the thread that reads it.</summary>
    private void Heard(int rank, string line)
    {
        try
        {
            StressNews? news = JsonSerializer.Deserialize(line, StressJson.Default.StressNews);
            lock (_news)
            {
                bool measured = _news[rank] is { Measured: true };
                Volatile.Write(ref _news[rank], news);
                if (_server is null || measured)
                    return;
                double? processor = ServerFigures.ProcessorSecondsOf(_server.Id);
                _processorBefore ??= processor;
                if (news is not { Measured: true })
                    return;
                _processorAfter = processor;
                _memory = ServerFigures.MemoryBytesOf(_server.Id);
            }
        }
        catch (JsonException)
        {
            Volatile.Write(ref _unexpected, line);
        }
    }

    /// <summary>What to tell of processes of which one has failed: the one that did not only lose another.</summary>
    private ClusterException Explained()
    {
        // Who lost a peer says so at once; who was the cause may take a moment more.
        foreach (ChildProcess child in All())
            child.WaitForExit(Moment);
        ChildProcess? worst = null;
        foreach (ChildProcess child in All())
        {
            bool failed = child.HasExited && child.ExitCode != 0;
            if (failed && (worst is null || child.Signal is not null || (worst.Signal is null && ReferenceEquals(child, _server))))
                worst = child;
        }

        worst!.Drain();
        string said = worst.Errors(ReferenceEquals(worst, _server) ? "hpaps-server" : Program);
        string who = string.Create(CultureInfo.InvariantCulture, $"{worst.Name} (pid {worst.Id})");
        return worst.Signal is { } signal
            ? new ClusterException($"{who} was killed by signal {signal}{Signals.Name(signal)}; start it again, and if nobody did that on purpose, report it")
            : new ClusterException($"{who} failed: {(said.Length > 0 ? said : $"exit code {worst.ExitCode}, and it did not say why; run tools/publish.sh again")}");
    }
}
