using System;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Monitoring.Documents;

namespace HpAsyncPs.Cli.Watching;

/// <summary>Reads a monitoring port.</summary>
/// <param name="address">Where it is.</param>
/// <param name="stop">Gives up.</param>
internal sealed class MonitorClient(MonitorAddress address, CancellationToken stop)
{
    // 4,096 workers take 5 MiB.
    private const int MostBytes = 32 << 20;
    private const int MostLineBytes = 4 << 20;
    private const int Attempts = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private const string Json = "application/json";
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StreamSilence = TimeSpan.FromSeconds(15); // it says something each second
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    /// <summary>HOST:PORT.</summary>
    public string Name => address.Authority;

    /// <summary>How the job stands; and as it was said.</summary>
    /// <exception cref="MonitorException">Nobody says it.</exception>
    public (StatusDocument Status, byte[] Text) Status()
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return StatusOnce();
            }
            catch (MonitorException e) when (e.IsNotYet && attempt < Attempts && !stop.WaitHandle.WaitOne(Pause))
            {
                // A server that has just begun knows nothing in its first moment.
            }
        }
    }

    private (StatusDocument Status, byte[] Text) StatusOnce()
    {
        using var reader = HttpReader.Get(address, "/status", Json, Silence, stop);
        byte[] text = reader.ReadAll(MostBytes, Longest);
        try
        {
            StatusDocument status = JsonSerializer.Deserialize(text, MonitorJson.Default.StatusDocument) ?? throw NoStatus("null");
            return IsWhole(status) ? (status, text) : throw NoStatus("it has null where there must be something");
        }
        catch (JsonException e)
        {
            throw NoStatus(e.Message);
        }
    }

    /// <summary>Follows the job until it ends, calling back from this thread.</summary>
    /// <param name="happened">Gets each event, the last 200 first.</param>
    /// <param name="stands">Gets the job each second.</param>
    /// <returns>True: the job has ended. False: the connection has.</returns>
    /// <exception cref="MonitorException">Nobody is there.</exception>
    public bool Follow(Action<EventDocument> happened, Action<RunDocument> stands)
    {
        using var reader = HttpReader.Get(address, "/events", "text/event-stream", StreamSilence, stop);
        using CancellationTokenRegistration closing = stop.Register(reader.Dispose);
        string kind = "";
        while (reader.ReadLine(MostLineBytes) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                kind = line["event: ".Length..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
                continue;
            if (kind == "ended")
                return true;
            string data = line["data: ".Length..];
            try
            {
                if (kind == "happened" && JsonSerializer.Deserialize(data, MonitorJson.Default.EventDocument) is { Reason: not null, Kind: not null } one)
                    happened(one);
                else if (kind == "status" && JsonSerializer.Deserialize(data, MonitorJson.Default.TickDocument) is { Run: { } run } && IsWhole(run))
                    stands(run);
            }
            catch (JsonException e)
            {
                throw NoStatus(e.Message);
            }
        }

        return false;
    }

    private static bool IsWhole(StatusDocument status)
    {
        if (!IsWhole(status.Run) || status is not { Version: not null, Workers: not null })
            return false;
        foreach (WorkerDocument one in status.Workers)
        {
            if (one is not { State: not null, Reason: not null, Address: not null })
                return false;
        }

        return true;
    }

    private static bool IsWhole(RunDocument run) => run is { Phase: not null, Policy: not null, Codec: not null, States: not null };

    private MonitorException NoStatus(string why) =>
        new($"{Name} answers JSON that does not tell how a job stands ({Printable.Of(why)}): is it of another release, or no monitoring port of hpaps?");
}
