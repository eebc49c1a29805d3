using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Worker;

/// <summary>
/// The public interface of a worker: connect, push, pull, wait, snapshot. For one computing thread; the network runs
/// beside it. Pushes carry what this worker's vector is now; the servers aggregate the latest vector of each worker, each of its range of keys.
/// </summary>
public sealed class WorkerClient : IDisposable
{
    // One that is used, and one on its way to its end.
    private const int Connections = 2;
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(10);

    private readonly List<ServerLink> _links = [];
    private readonly string[] _servers;
    private readonly SlabPool _pool;
    private readonly OwnerLoop _loop;
    private readonly TimeProvider _time;
    private readonly WorkerOptions _options;
    private readonly object _gate = new();
    private JobSession? _job;
    private string _farewell = "done";

    private WorkerClient(string servers, WorkerOptions options, TimeProvider time)
    {
        (_time, _options, _servers) = (time, options, servers.Split(','));
        if (_servers.Length > Limits.Servers)
            throw new InputException($"{_servers.Length} servers were given; a job has at most {Limits.Servers}.");
        _pool = new SlabPool(Connections * _servers.Length * Connection.MostBlocks(Limits.ChunkBytes));
        _loop = new OwnerLoop("network", time, WorkerSession.TickInterval, Tick) { Spin = options.Spin ? Spin.Always : Spin.Never };
    }

    /// <summary>The rank that the server gave.</summary>
    public int Rank => Session.Rank;

    /// <summary>Number of workers.</summary>
    public int Workers => Job.Started.Workers;

    /// <summary>Number of parameters: the most that any worker asked for.</summary>
    public int Parameters => Job.Started.Parameters;

    /// <summary>The newest snapshot that <see cref="Wait"/> took; zeros at first. Valid until the next wait.</summary>
    public ReadOnlySpan<float> Snapshot => Job.Take();

    /// <summary>Version of <see cref="Snapshot"/>, of the first shard: pushes it contains.</summary>
    public ulong Version => Session.Version;

    /// <summary>The sessions underneath, for a loop of one's own.</summary>
    public JobSession Job => _job!;

    /// <summary>The session with the first server.</summary>
    public WorkerSession Session => _links[0].Session;

    /// <summary>Where the time went, told to the servers now and then. Set by the training loop.</summary>
    public Func<ProgressMessage>? Progress { get; set; }

    /// <summary>Connects, joins, and waits until all workers have joined.</summary>
    /// <param name="server">HOST:PORT; of a job of several servers all, in the order of their shards, with commas between them.</param>
    /// <param name="options">How to join.</param>
    /// <param name="time">The clock; the system's if null.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ClusterException">Nobody answered, a server refused, or not all workers joined in time.</exception>
    /// <exception cref="InputException">An address is none.</exception>
    public static WorkerClient Connect(
        string server, WorkerOptions options, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        time ??= TimeProvider.System;
        var client = new WorkerClient(server, options, time);
        try
        {
            client.Join(cancellation);
            return client;
        }
        catch (Exception e)
        {
            client._farewell = e is ClusterException ? e.Message : "stopped"; // of several servers one may have admitted it, and says why it lacks it
            client.Dispose();
            throw;
        }
    }

    /// <summary>Pushes this worker's vector; waits only while the window of unseen pushes is full.</summary>
    /// <param name="vector">As long as the model.</param>
    /// <param name="timeout">How long to wait for room; 30 s if null.</param>
    /// <exception cref="ClusterException">The session failed, or no snapshot came in time.</exception>
    public void Push(ReadOnlySpan<float> vector, TimeSpan? timeout = null)
    {
        if (vector.Length != Parameters)
            throw new ArgumentException($"The model has {Parameters} parameters; the vector has {vector.Length}.", nameof(vector));
        double passes = Session.Pushed + 1;
        while (!Job.TryPush(vector, passes))
        {
            Pull();
            WaitFor(static job => job.HasRoom || job.CanMakeRoom, timeout);
            Job.MakeRoom();
        }
    }

    /// <summary>Asks for a snapshot newer than the newest that has arrived. Returns at once.</summary>
    public void Pull() => Job.Pull();

    /// <summary>Waits until the snapshot that was asked for is here; it is then <see cref="Snapshot"/>.</summary>
    /// <param name="timeout">30 s if null.</param>
    /// <exception cref="ClusterException">The session failed, or time ran out.</exception>
    public void Wait(TimeSpan? timeout = null)
    {
        WaitFor(static job => job.HasNewer, timeout);
        _ = Job.Take();
    }

    /// <summary>
    /// Waits, ten seconds at most, until the servers have applied what was pushed; says goodbye, closes, and returns all buffers.
    /// </summary>
    public void Dispose()
    {
        foreach (ServerLink link in _links)
            link.Flush(FlushTimeout);
        ProgressMessage progress = Progress?.Invoke() ?? default;
        if (_job is not null)
            _job.Leave(_farewell, progress);
        else
            foreach (ServerLink link in _links)
                link.Session.Leave(_farewell, progress);
        foreach (ServerLink link in _links)
            link.StopConnecting();
        _loop.Dispose();
        _job?.Dispose();
        foreach (ServerLink link in _links)
            link.Dispose();
        _pool.Dispose();
    }

    /// <summary>To the first server, which gives the rank and says how the model is cut; then to the others, if there are any.</summary>
    private void Join(CancellationToken cancellation)
    {
        ServerLink first = NewLink(_servers.Length == 1 ? _options : ForShard(0, _options));
        _links.Add(first);
        first.Connect(cancellation);
        _loop.Start();
        first.WaitForStart(_options.StartTimeout, cancellation);
        int[] bounds = first.Session.Started!.Bounds is { Length: > 0 } cut ? cut : [0, first.Session.Started.Parameters];
        if (bounds.Length != _servers.Length + 1)
            throw new ClusterException($"The server {_servers[0]} cuts the model into {bounds.Length - 1} shards, and {_servers.Length} servers were given.");
        for (int j = 1; j < _servers.Length; j++)
        {
            WorkerOptions options = ForShard(j, _options) with { Rank = first.Session.Rank, Parameters = bounds[j + 1] - bounds[j], Adopt = null, Loads = [] };
            lock (_gate) // the loop's thread looks at all links
                _links.Add(NewLink(options));
            _links[j].Connect(cancellation);
        }

        for (int j = 1; j < _servers.Length; j++)
            _links[j].WaitForStart(_options.StartTimeout, cancellation);
        var sessions = new WorkerSession[_servers.Length];
        for (int j = 0; j < sessions.Length; j++)
            sessions[j] = _links[j].Session;
        _job = new JobSession(sessions);
    }

    private ServerLink NewLink(WorkerOptions options) => new(_servers[_links.Count], _links.Count, options, _pool, _loop, _time, _gate);

    private WorkerOptions ForShard(int shard, WorkerOptions options) => options with
    {
        Settings = [.. options.Settings, new(ShardIndex.Setting, new ShardIndex(shard, _servers.Length).ToString())],
        Session = shard == 0 ? options.Session : 0,
    };

    private void WaitFor(Func<JobSession, bool> isThere, TimeSpan? timeout)
    {
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(30);
        long start = _time.GetTimestamp();
        lock (_gate)
        {
            while (!isThere(Job) && !Job.HasEnded)
            {
                TimeSpan left = limit - _time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_gate, left))
                {
                    throw new ClusterException($"No snapshot came from {string.Join(',', _servers)} within {limit.TotalSeconds:0} s: "
                        + "does another worker hold up the barrier, or was no pull sent?");
                }
            }
        }

        Session.ThrowIfFailed();
        if (!isThere(Job))
            throw new ClusterException($"The server {_servers[0]} ended the job ({Session.StopReason}).");
    }

    private bool Tick()
    {
        ProgressMessage progress = Progress?.Invoke() ?? default;
        lock (_gate)
        {
            foreach (ServerLink link in _links)
                link.Session.Tick(progress);
        }

        return true;
    }
}
