using System;
using System.Collections.Generic;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Monitoring;
using HpAsyncPs.Programs;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.ServerProgram.Alerts;
using HpAsyncPs.Transport;

namespace HpAsyncPs.ServerProgram;

/// <summary>One life of the server program.</summary>
internal static class ServerRun
{
    // A line of the launcher: the rank of a worker that has ended and is not started again, and why.
    private const string GiveUp = "give-up ";
    // After SIGTERM, for the last evaluation: what sends it, kills soon.
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(20);

    // Of a command or a request that tells somebody, and of the journal beyond what --durability says.
    private static readonly TimeSpan AlertLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan JournalLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(200);

    public static int Run(ServerOptions options, ServerSettings settings)
    {
        TimeProvider time = TimeProvider.System;
        long start = time.GetTimestamp();
        PinOption.Apply(settings.Pin);
        if (settings.Bind is { } bind)
            settings = settings with { Listen = BoundAddress.Of(bind, Endpoint.Parse(settings.Listen).Port) };
        var endpoint = Endpoint.Parse(settings.Listen);
        EndPoint[] addresses = endpoint.Resolve();
        if (!settings.Insecure && options is { Token: null, Tls: not { DemandsCertificates: true } } && Array.Exists(addresses, one => one is IPEndPoint address && !IPAddress.IsLoopback(address.Address)))
        {
            throw new InputException($"--listen {settings.Listen}{(settings.Rendezvous is null ? "" : ", the default with --rendezvous unless you gave it,")} is not loopback, and without a token or certificates of workers anybody who reaches the port could join: give --token-file here and at "
                + "the workers, or --tls-cert, --tls-key and --tls-ca (which asks workers for certificates) here, or listen at 127.0.0.1, or, where you trust everybody on the network, add --insecure.");
        }

        if (options.Gate.ConnectionsFor(options.Workers) <= options.Workers)
            throw new InputException($"--max-connections {options.Gate.Connections} leaves no room beside {options.Workers} workers for who comes or goes: allow more, or leave it out.");
        MonitorOptions? monitoring = settings.Monitor is null ? null : new MonitorOptions { Address = settings.Monitor, Token = options.Token, Version = ProgramRun.Version };
        if (monitoring is not null)
            MonitorPort.Check(monitoring);
        FileHandles.Need(ServerHost.HandlesFor(options) + (monitoring?.MostConnections ?? 0));
        bool hasLimits = options is { Passes: not null } or { Target: not null } or { TargetRmse: not null } or { TimeLimit: not null } or { Plateau: not null };
        if (hasLimits && !options.Shard.IsFirst)
            ProgramLog.Write(LogLine.Warning($"--shard {options.Shard}: what ends the job, the first server says; the limits given here do not count"));
        if (settings.Output is not null)
            RunFolder.Probe(settings.Output);
        using var log = new LogThread();
        using StateFolder? folder = settings.State is null ? null : StateFolder.Open(settings.State);
#pragma warning disable CA2000 // the host owns it
        DurableState? state = folder is null ? null : new DurableState(folder.Journal, folder.Checkpoints, settings.Durability.Interval) { CheckpointInterval = settings.Durability.CheckpointInterval };
#pragma warning restore CA2000
        bool isOver;
        if (options.Codec == CodecSpec.Auto)
            options = options with { CodingCosts = CodingCosts.Measure(time, TransferCost.SecondsOfByte(time)) };
        using (ServerHost host = ServerHost.Start(options, Listener.Start(endpoint, addresses), time, settings.Events && !ProgramLog.IsJson ? null : log.Write, state))
        {
            Action<LogLine> say = settings.Events && !ProgramLog.IsJson ? static _ => { } : log.Write;
            using Announcement? announced = settings.Rendezvous is null ? null : Announcement.Publish(settings, host.Address, options.Shard, options.Workers, say, time);
            MonitorPort? port = monitoring is null ? null : MonitorPort.StartAsync(new HostSource(host), monitoring).GetAwaiter().GetResult();
            try
            {
                using Alerting? alerting = Alert(host, options, settings, log, time); // ends first: until then the port answers
                isOver = Serve(host, options, settings, port?.Address, log, start, time);
            }
            finally
            {
                port?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        }

        if (isOver)
            folder?.Clear(); // a job that has failed is not here: its state stays
        return (int)ExitCode.Done;
    }

    /// <summary>Begins to look for what is to be told; null: nobody is.</summary>
    private static Alerting? Alert(ServerHost host, ServerOptions options, ServerSettings settings, LogThread log, TimeProvider time)
    {
        AlertSettings alerts = settings.Alerts;
        var ways = new List<(string Name, IAlertWay Way)>();
#pragma warning disable CA2000 // what is returned owns them
        if (alerts.Command is { } command)
            ways.Add((AlertNames.Command, new AlertCommand(command, AlertLimit)));
        if (alerts.Webhook is { } address)
        {
            if (address.Scheme == Uri.UriSchemeHttps)
                OpenSsl.Require(AlertNames.Webhook + " with https");
            ways.Add((AlertNames.Webhook, new AlertWebhook(address, AlertLimit)));
        }

#pragma warning restore CA2000
        if (ways.Count == 0)
            return null;
        var watch = new AlertWatch
        {
            Kinds = alerts.Kinds,
            Interval = alerts.Interval,
            Target = options.Target,
            Reference = options.Reference,
            TargetRmse = options.TargetRmse,
            JournalLimit = JournalLimit + (2 * (settings.Durability.Interval ?? TimeSpan.Zero)),
        };
        var origin = new AlertOrigin(host.Address, Environment.MachineName, Environment.ProcessId);
        bool isShown = !settings.Events || ProgramLog.IsJson;
        return new Alerting(watch, host.Events, host.NewView(), host.ReadMonitor, origin, ways, line =>
        {
            if (isShown)
                log.Write(line);
            else
                Print(new ServerEvent { Warning = line.Text });
        }, time);
    }

    /// <summary>False when the job goes on with another start of the server.</summary>
    private static bool Serve(ServerHost host, ServerOptions options, ServerSettings settings, string? monitor, LogThread log, long start, TimeProvider time)
    {
        if (settings.Supervised)
        {
            ProgramRun.EndWithStandardInput(line =>
            {
                if (line == "stop")
                    host.RequestStop("stopped", mayInsist: false); // who ends a whole group of processes has asked this one too
                else if (line.StartsWith(GiveUp, StringComparison.Ordinal) && line[GiveUp.Length..].Split(' ', 2) is [var rank, var reason] && int.TryParse(rank, out int which))
                    host.GiveUp(which, reason);
            });
        }

        using PosixSignalRegistration interrupt = StopOn(PosixSignal.SIGINT, host, settings.Supervised);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            if (settings.State is null || settings.Supervised) // a launcher ends the job; it does not go on with another start
                host.RequestStop("stopped", LongestStop, mayInsist: !settings.Supervised);
            else
                host.RequestSuspend();
        });
        using PosixSignalRegistration hangUp = StopOn(PosixSignal.SIGHUP, host, settings.Supervised);
        if (settings.Events)
            Print(new ServerEvent { Listening = host.Address, Monitoring = monitor });
        if (!settings.Events || ProgramLog.IsJson)
        {
            log.Write($"listening at {host.Address} for {options.Workers} workers, policy {options.Policy}");
            if (monitor is not null)
                log.Write($"monitoring at {monitor}");
        }

        return WaitForEnd(host, options, settings, log, start, time);
    }

    private static bool WaitForEnd(
        ServerHost host, ServerOptions options, ServerSettings settings, LogThread log, long start, TimeProvider time)
    {
        RunResult? result;
        while ((result = host.Wait(StatusInterval)) is null)
        {
            if (settings is { Events: true, CountsAllocations: false } && host.Status() is { } status)
                Print(new ServerEvent { Status = status });
        }

        RunSummary summary = RunSummary.Of(result, options.Policy, time.GetElapsedTime(start).TotalSeconds) with
        {
            Command = OwnCommand.Line("hpaps-server"),
            FinishedAt = time.GetLocalNow(),
        };
        if (settings.Output is not null && result.Model is not null)
            RunFolder.Write(settings.Output, result, summary);
        if (settings.Events)
            Print(settings.CountsAllocations ? Counted(summary, host.Steady) : new ServerEvent { Ended = summary });
        if (!settings.Events || ProgramLog.IsJson)
            LogEnd(log, summary, settings.Output);
        if (result.Failure is not null)
            throw new ClusterException(result.Failure);
        return result.Reason != ParameterServer.Suspended;
    }

    /// <summary>SIGINT ends the run in order; under a launcher the terminal's SIGINT is the launcher's to handle.</summary>
    private static PosixSignalRegistration StopOn(PosixSignal signal, ServerHost host, bool ignore) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            if (!ignore)
                host.RequestStop("stopped");
        });

    private static ServerEvent Counted(RunSummary summary, SteadyMeter steady) =>
        new() { Ended = summary, AllocatedBytes = steady.AllocatedBytes, Collections = steady.Collections };

    private static void LogEnd(LogThread log, RunSummary summary, string? output)
    {
        log.Write($"ended ({summary.Reason}) after {summary.TrainSeconds:0.00} s of training, {summary.Passes:0.#} passes, {summary.Pushes} pushes, "
            + $"objective {summary.Objective?.ToString("R") ?? "not evaluated"}"
            + (summary.RelativeGap is { } gap ? $", relative gap {gap:0.###e+0}" : ""));
        if (output is not null && summary.Parameters > 0)
            log.Write($"results are in {output}");
    }

    private static void Print(ServerEvent line) => Console.Out.WriteLine(JsonSerializer.Serialize(line, EventJson.Default.ServerEvent)); // whole lines, whatever the thread
}
