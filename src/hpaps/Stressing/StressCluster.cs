using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Output;

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
    private readonly StressNews?[] _news = new StressNews?[settings.Workers];
    private ChildProcess? _server;
    private string? _address = settings.Server;
    private string? _unexpected;
    private double? _processorBefore;
    private double? _processorAfter;

    /// <summary>Seconds of a processor that the server of our own took while the workers measured.</summary>
    public double? ServerProcessorSeconds => _processorAfter - _processorBefore;

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
        _server?.Dispose();
    }

    private void StartServer(string? output)
    {
        string policy = settings.Path == StressPath.Sum ? "asp:sum" : "async";
        List<string> arguments = ["--listen", "127.0.0.1:0", "--workers", settings.Workers.ToString(CultureInfo.InvariantCulture), "--policy", policy,
            "--plain", "--events", "--exit-with-stdin"];
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
        if (_server is not null)
            yield return _server;
    }

    /// <summary>A line of the server's standard output; on the thread that reads it.</summary>
    private void HeardServer(string line)
    {
        try
        {
            if (JsonSerializer.Deserialize(line, EventJson.Default.ServerEvent)?.Listening is { } address)
                Volatile.Write(ref _address, address);
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
                double? processor = ProcessorSeconds(_server.Id);
                _processorBefore ??= processor;
                if (news is { Measured: true })
                    _processorAfter = processor;
            }
        }
        catch (JsonException)
        {
            Volatile.Write(ref _unexpected, line);
        }
    }

    /// <summary>Seconds that a process has computed, in steps of 10 ms; null when it has ended.</summary>
    private static double? ProcessorSeconds(int id)
    {
        const double TicksPerSecond = 100; // USER_HZ: the same on every Linux that this runs on
        const int User = 11, System = 12; // behind the name, in proc(5)
        try
        {
            string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (double.Parse(fields[User], CultureInfo.InvariantCulture) + double.Parse(fields[System], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
        catch (IOException)
        {
            return null;
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
