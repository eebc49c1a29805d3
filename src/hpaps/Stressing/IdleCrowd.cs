using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>The connections of <see cref="IdleCommand"/>. On the loop's thread, but for what says otherwise.</summary>
/// <param name="connections">How many there will be.</param>
/// <param name="tells">Whether it prints once a second what was acknowledged.</param>
/// <param name="time">The clock.</param>
internal sealed class IdleCrowd(int connections, bool tells, TimeProvider time)
{
    private static readonly TimeSpan NewsInterval = TimeSpan.FromSeconds(1);

    private readonly List<IdleClient> _clients = new(connections);
    private readonly long _begunAt = time.GetTimestamp();
    private long _connectedAt;
    private long _saidAt;
    private string? _failure;

    /// <summary>Why one has failed, or null. On any thread.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    public void Add(IdleClient client) => _clients.Add(client);

    /// <summary>All are connected. On any thread.</summary>
    public void Connected() => Volatile.Write(ref _connectedAt, time.GetTimestamp());

    /// <summary>False when all have ended, or one has failed.</summary>
    public bool Tick()
    {
        long now = time.GetTimestamp();
        bool goesOn = _clients.Count < connections, haveStarted = !goesOn;
        long startedAt = 0;
        foreach (IdleClient client in _clients)
        {
            client.Tick(now);
            if (client.Failure is { } failure)
            {
                Volatile.Write(ref _failure, failure);
                return false;
            }

            goesOn |= !client.HasEnded;
            haveStarted &= client.StartedAt > 0;
            startedAt = Math.Max(startedAt, client.StartedAt);
        }

        long connectedAt = Volatile.Read(ref _connectedAt);
        if (haveStarted && connectedAt > 0 && _saidAt == 0)
        {
            _saidAt = now;
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{{\"connections\":{connections},\"connected_seconds\":{time.GetElapsedTime(_begunAt, connectedAt).TotalSeconds:0.000},\"started_seconds\":{time.GetElapsedTime(_begunAt, startedAt).TotalSeconds:0.000}}}"));
        }

        if (tells && _saidAt > 0 && goesOn && time.GetElapsedTime(_saidAt, now) >= NewsInterval)
        {
            _saidAt = now;
            Print();
        }

        return goesOn;
    }

    public void Leave()
    {
        foreach (IdleClient client in _clients)
            client.Leave();
    }

    /// <summary>What was acknowledged of the one of which it was least, of the other, and in all.</summary>
    public void Print()
    {
        ulong least = ulong.MaxValue, most = 0, all = 0;
        foreach (IdleClient client in _clients)
            (least, most, all) = (Math.Min(least, client.Acknowledged), Math.Max(most, client.Acknowledged), all + client.Acknowledged);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{{\"pushes\":{all},\"least_pushes\":{least},\"most_pushes\":{most}}}"));
    }
}
