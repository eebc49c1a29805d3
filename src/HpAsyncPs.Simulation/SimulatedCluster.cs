using System;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Simulation;

/// <summary>
/// A whole job in one process, on a virtual clock: the real server, sessions and training loops, messages as the bytes that would
/// travel. What takes time is steps, by the passes they make, and links. The same inputs give the same bits.
/// </summary>
public sealed class SimulatedCluster : IDisposable
{
    // Server and workers look at the clock as often as they do in processes, or so often a pass and a message, if that is less.
    private const double TicksPerPass = 1000;
    private const double LeastBytesOfValue = 0.5;
    private const double MostSending = 1e9;
    private static readonly TimeSpan LeastTick = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Never = TimeSpan.FromDays(365 * 100);

    private readonly VirtualClock _clock = new();
    private readonly EventQueue _events;
    private readonly ParameterServer _server;
    private readonly WorkerProcess[] _workers;
    private readonly Direction[] _up;
    private readonly Direction[] _down;
    private readonly BusyTime _serverUse = new();
    private readonly BusyTime _serverLinkUse = new();
    private readonly BusyTime[] _linkUse;
    private readonly Core _serverCore;
    private readonly SharedCores? _shared;
    private readonly Resource _serverUplink;
    private readonly Resource _serverDownlink;

    /// <param name="options">How the job is run; the number of workers is that of <paramref name="workers"/>, and nobody is given up.</param>
    /// <param name="workers">One for each rank.</param>
    /// <param name="link">Of each worker to the server.</param>
    /// <param name="log">Called with what the server logs.</param>
    /// <param name="costs">What messages take besides these links; null: nothing.</param>
    public SimulatedCluster(ServerOptions options, IReadOnlyList<SimulatedWorker> workers, LinkSpeed link, Action<LogLine>? log = null, ClusterCosts? costs = null)
    {
        _events = new EventQueue(_clock);
        _shared = costs is { SharedCores: > 0 and var cores } ? new SharedCores(cores, _clock, _events) : null;
        _serverCore = new Core(_serverUse, _shared, _clock, _events);
        (_serverUplink, _serverDownlink) = (new Resource(_serverLinkUse, _clock), new Resource(_serverLinkUse, _clock));
        _linkUse = new BusyTime[workers.Count];
        options = options with
        {
            Workers = workers.Count,
            JoinTimeout = Never,
            HandshakeTimeout = Never,
            LivenessTimeout = Never,
            FinalTimeout = Never,
            LeaveTimeout = Never,
        };
        _server = new ParameterServer(options, _clock, 1UL << 32) { Log = log };
        _workers = new WorkerProcess[workers.Count];
        _up = new Direction[workers.Count];
        _down = new Direction[workers.Count];
        for (int rank = 0; rank < workers.Count; rank++)
            Connect(rank, workers[rank], link, costs);
        TimeSpan tick = TickTime(workers, costs is null ? 0 : workers[0].Task.Parameters * LeastBytesOfValue / Math.Min(link.BytesPerSecond, costs.ServerBytesPerSecond));
        Repeat(tick, _server.Tick);
        Repeat(tick * (WorkerSession.TickInterval / LeastTick), TickWorkers);
    }

    /// <summary>The job is over.</summary>
    public bool HasEnded => _server.HasEnded;

    /// <summary>Virtual time since the workers began to join, to the nanosecond rounded down to 100 of them.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(_clock.Now / VirtualClock.NanosecondsPerTick);

    /// <summary>Messages that workers have sent.</summary>
    public long MessagesUp => Sum(_up, static direction => direction.Messages);

    /// <summary>Messages that the server has sent.</summary>
    public long MessagesDown => Sum(_down, static direction => direction.Messages);

    /// <summary>Bytes that workers have sent, frame headers included.</summary>
    public long BytesUp => Sum(_up, static direction => direction.Bytes);

    /// <summary>Bytes that the server has sent, frame headers included.</summary>
    public long BytesDown => Sum(_down, static direction => direction.Bytes);

    /// <summary>How much of everything is in use, on average until now.</summary>
    public ClusterUse Use
    {
        get
        {
            long link = 0;
            foreach (BusyTime one in _linkUse)
                link = Math.Max(link, one.Total);
            return new ClusterUse(Share(_serverUse.Total), Share(_serverLinkUse.Total), Share(link));

            double Share(long taken) => _clock.Now == 0 ? 0 : Math.Min(1, taken / (double)_clock.Now);
        }
    }

    /// <summary>Lets one thing happen. False when the job is over.</summary>
    /// <exception cref="InputException">A task cannot use its data after all.</exception>
    public bool Next() => !_server.HasEnded && _events.Next();

    /// <summary>Runs to the end.</summary>
    /// <param name="mostEvents">Gives up after so many.</param>
    /// <exception cref="InputException">A task cannot use its data after all.</exception>
    public RunResult Run(long mostEvents = long.MaxValue)
    {
        for (long j = 0; j < mostEvents && Next(); j++)
        {
        }

        return Result();
    }

    /// <summary>Ends the job in order, with the virtual time that this takes.</summary>
    public void RequestStop(string reason) => _server.RequestStop(reason);

    /// <summary>The counters now.</summary>
    public RunStatus Status() => _server.Status();

    /// <summary>The last events of the job.</summary>
    public EventRing Events => _server.Events;

    /// <summary>What came of it.</summary>
    public RunResult Result() => _server.Result();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (WorkerProcess worker in _workers)
            worker.Dispose();
    }

    private void Connect(int rank, SimulatedWorker worker, LinkSpeed link, ClusterCosts? costs)
    {
        Core? core = costs is null ? null : new Core(new BusyTime(), _shared, _clock, _events);
        _linkUse[rank] = new BusyTime();
        ITask task = worker.Task;
        var join = new WorkerOptions
        {
            Rank = rank,
            Parameters = task.Parameters,
            RowLength = task.RowLength,
            Aggregate = task.Aggregate,
            Weight = task.Weight,
            Agreed = task.Agreed,
            Settings = task.Settings,
            LivenessTimeout = Never,
        };
        Peer? peer = null;
        _up[rank] = new Direction("server", link, _linkUse[rank], _clock, _events)
        {
            Ends = core is null ? null : new Ends(costs!, true, core, _serverCore, _serverUplink, _workers.Length),
            Arrived = (header, payload) => _server.Received(peer!, header, payload),
        };
        _down[rank] = new Direction($"simulated worker {rank}", link, _linkUse[rank], _clock, _events)
        {
            Ends = costs is null ? null : new Ends(costs, false, new Core(new BusyTime(), _shared, _clock, _events), _serverCore, _serverDownlink, _workers.Length),
            Arrived = (header, payload) =>
            {
                _workers[rank].Session.Received(header, payload);
                _workers[rank].Act();
            },
        };
        peer = _server.Opened(_down[rank]);
        _workers[rank] = new WorkerProcess(worker, join, _up[rank], core, _clock, _events);
        _workers[rank].Session.Join();
    }

    /// <param name="workers">Whose passes count.</param>
    /// <param name="sending">Seconds that a message takes at least, where they count.</param>
    private static TimeSpan TickTime(IReadOnlyList<SimulatedWorker> workers, double sending)
    {
        TimeSpan least = TimeSpan.MaxValue;
        foreach (SimulatedWorker worker in workers)
            least = worker.PassTime < least ? worker.PassTime : least;
        least += TimeSpan.FromSeconds(Math.Min(MostSending, sending));
        return least / TicksPerPass > LeastTick ? least / TicksPerPass : LeastTick;
    }

    private void Repeat(TimeSpan interval, Action act) => _events.Add(_clock.After(interval), () =>
    {
        act();
        Repeat(interval, act);
    });

    private void TickWorkers()
    {
        foreach (WorkerProcess worker in _workers)
            worker.Tick();
    }

    private static long Sum(Direction[] directions, Func<Direction, long> of)
    {
        long sum = 0;
        foreach (Direction direction in directions)
            sum += of(direction);
        return sum;
    }
}
