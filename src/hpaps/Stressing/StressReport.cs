using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json.Serialization;
using HdrHistogram;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>What came of one size; what --json prints.</summary>
internal sealed record StressReport
{
    private const double Giga = 1e9;
    private const double NanosecondsPerMicrosecond = 1000;

    public string Mode { get; init; } = "";

    public string Path { get; init; } = "";

    public string Transport { get; init; } = "";

    public int Workers { get; init; }

    /// <summary>Connections that did nothing meanwhile.</summary>
    public int IdleConnections { get; init; }

    public int Window { get; init; }

    public int PayloadBytes { get; init; }

    /// <summary>How deltas were made and coded; null: they were ready made, and went out as they are.</summary>
    public string? Codec { get; init; }

    /// <summary>Payload of a push or a snapshot as it was coded, on average, warm-up and all.</summary>
    public double CodedBytes { get; init; }

    public double Seconds { get; init; }

    public long Messages { get; init; }

    /// <summary>Of all workers; push-pull and trip count both ways.</summary>
    public double ParametersGbPerSecond { get; init; }

    public double MessagesPerSecond { get; init; }

    public double LatencyP50Us { get; init; }

    public double LatencyP99Us { get; init; }

    public double LatencyP999Us { get; init; }

    public double LatencyMaxUs { get; init; }

    /// <summary>Of workers and server; null where the server is not ours.</summary>
    public double? CpuSecondsPerGb { get; init; }

    /// <summary>
    /// On the threads of the workers and of the server (if it is ours) that receive and send, while they measured; the server from 0.2 s after
    /// the start until a worker left.
    /// </summary>
    public long AllocatedBytes { get; init; }

    /// <summary>The server's share of it; null where the server is not ours.</summary>
    public long? ServerAllocatedBytes { get; init; }

    /// <summary>Of the workers' and the server's processes, meanwhile.</summary>
    public int Collections { get; init; }

    /// <summary>The server's share of it; null where the server is not ours.</summary>
    public int? ServerCollections { get; init; }

    /// <summary>The most memory that the server's process held until the end of the measurement; null where the server is not ours.</summary>
    public long? ServerMemoryBytes { get; init; }

    /// <summary>The model is the exact sum of what was acknowledged; null: nobody looked.</summary>
    public bool? Verified { get; init; }

    /// <summary>To what the limit program measured before and after; null: there was none.</summary>
    public double? RatioToLimit { get; init; }

    /// <param name="settings">What was asked for.</param>
    /// <param name="bytes">The size.</param>
    /// <param name="outcomes">One for each worker.</param>
    /// <param name="server">What the server took.</param>
    public static StressReport Of(StressSettings settings, int bytes, IReadOnlyList<StressOutcome> outcomes, ServerFigures server)
    {
        LongHistogram latencies = StressMeter.Empty();
        double bytesPerSecond = 0, messagesPerSecond = 0, seconds = 0, processor = server.ProcessorSeconds ?? 0;
        long messages = 0, moved = 0, coded = 0, vectors = 0, allocated = server.AllocatedBytes ?? 0;
        int collections = server.Collections ?? 0;
        foreach (StressOutcome outcome in outcomes)
        {
            bytesPerSecond += outcome.Bytes / outcome.Seconds;
            messagesPerSecond += outcome.Messages / outcome.Seconds;
            seconds = Math.Max(seconds, outcome.Seconds);
            processor += outcome.ProcessorSeconds;
            messages += outcome.Messages;
            moved += outcome.Bytes;
            (coded, vectors) = (coded + outcome.CodedBytes, vectors + outcome.Vectors);
            allocated += outcome.AllocatedBytes;
            collections += outcome.Collections;
            for (int j = 0; j < outcome.Latencies.Length; j += 2)
                latencies.RecordValueWithCount(outcome.Latencies[j], outcome.Latencies[j + 1]);
        }

        return new StressReport
        {
            Mode = StressNames.Of(settings.Mode),
            Path = StressNames.Of(settings.Path),
            Transport = StressNames.Of(settings.Transport),
            Workers = settings.Workers,
            IdleConnections = settings.Idle,
            Window = settings.Mode == StressMode.Trip ? 1 : settings.Window,
            PayloadBytes = bytes,
            Codec = settings.Codec?.Name,
            CodedBytes = (double)coded / Math.Max(1, vectors),
            Seconds = seconds,
            Messages = messages,
            ParametersGbPerSecond = bytesPerSecond / Giga,
            MessagesPerSecond = messagesPerSecond,
            LatencyP50Us = Microseconds(50),
            LatencyP99Us = Microseconds(99),
            LatencyP999Us = Microseconds(99.9),
            LatencyMaxUs = Microseconds(100),
            CpuSecondsPerGb = server.ProcessorSeconds is null ? null : processor / (moved / Giga),
            AllocatedBytes = allocated,
            ServerAllocatedBytes = server.AllocatedBytes,
            Collections = collections,
            ServerCollections = server.Collections,
            ServerMemoryBytes = server.MemoryBytes,
        };

        double Microseconds(double percent) => latencies.GetValueAtPercentile(percent) / NanosecondsPerMicrosecond;
    }

    /// <summary>For people: a heading, and a row for each size.</summary>
    public static string Table(IReadOnlyList<StressReport> reports)
    {
        string[] headings = ["mode", "bytes", "coded", "GB/s", "messages/s", "p50 us", "p99 us", "p99.9 us", "max us", "CPU s/GB", "allocated", "collections", "verified", "of limit"];
        var rows = new List<string[]> { headings };
        foreach (StressReport report in reports)
        {
            rows.Add([
                report.Mode, Show.Count(report.PayloadBytes), Show.Count(report.CodedBytes), $"{report.ParametersGbPerSecond:0.000}", Show.Count(report.MessagesPerSecond),
                $"{report.LatencyP50Us:0.0}", $"{report.LatencyP99Us:0.0}", $"{report.LatencyP999Us:0.0}", $"{report.LatencyMaxUs:0.0}",
                report.CpuSecondsPerGb is { } cpu ? $"{cpu:0.000}" : "-", Show.Count(report.AllocatedBytes), Show.Count(report.Collections),
                report.Verified is { } verified ? verified ? "yes" : "NO" : "-", report.RatioToLimit is { } ratio ? $"{ratio:0.00}" : "-",
            ]);
        }

        var text = new StringBuilder();
        foreach (string[] row in rows)
        {
            for (int column = 0; column < row.Length; column++)
            {
                int width = 0;
                foreach (string[] other in rows)
                    width = Math.Max(width, other[column].Length);
                text.Append(column == 0 ? row[column].PadRight(width) : row[column].PadLeft(width + 2));
            }

            text.Append('\n');
        }

        return text.ToString();
    }
}
