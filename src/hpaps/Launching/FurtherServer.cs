using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Launching;

/// <summary>The process of a server after the first: it says where it listens, and at its end what it has moved.</summary>
internal sealed class FurtherServer
{
    private readonly Action<string> _unexpected;
    private string? _address;
    private RunStatus? _status;
    private RunSummary? _ended;

    /// <param name="shard">Which.</param>
    /// <param name="listen">Where it is to listen.</param>
    /// <param name="arguments">The others, of hpaps-server.</param>
    /// <param name="binaries">The programs.</param>
    /// <param name="wake">Set when something was read.</param>
    /// <param name="time">The clock.</param>
    /// <param name="unexpected">Gets a line that is no event.</param>
    public FurtherServer(int shard, string listen, IReadOnlyList<string> arguments, Binaries binaries, EventWaitHandle wake, TimeProvider time, Action<string> unexpected)
    {
        _unexpected = unexpected;
        Process = new RunProcess(restarts => ChildProcess.Start($"server {shard}", binaries.Server, ["--listen", Address ?? listen, .. arguments], Heard, wake, restarts), time);
    }

    /// <summary>The process, through all its lives.</summary>
    public RunProcess Process { get; }

    /// <summary>Where it listens; null: it does not yet.</summary>
    public string? Address => Volatile.Read(ref _address);

    /// <summary>Its newest word.</summary>
    public RunStatus? Status => Volatile.Read(ref _status);

    /// <summary>What it reported at its end.</summary>
    public RunSummary? Ended => Volatile.Read(ref _ended);

    private void Heard(string line)
    {
        try
        {
            ServerEvent? heard = JsonSerializer.Deserialize(line, EventJson.Default.ServerEvent);
            if (heard?.Listening is { } address)
                Volatile.Write(ref _address, address);
            if (heard?.Status is { } status)
                Volatile.Write(ref _status, status);
            if (heard?.Ended is { } ended)
                Volatile.Write(ref _ended, ended);
        }
        catch (JsonException)
        {
            _unexpected(line);
        }
    }
}
