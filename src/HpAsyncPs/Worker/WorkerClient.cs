using System;
using System.Buffers;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Worker;

/// <summary>
/// The public interface of a worker: connect, push, pull, wait, snapshot. For one computing thread; the network runs
/// beside it. Pushes carry what this worker's vector is now; the server aggregates the latest vector of each worker.
/// </summary>
public sealed class WorkerClient : IDisposable
{
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(10);

    private readonly WorkerSession _session;
    private readonly SlabPool _pool;
    private readonly OwnerLoop _loop;
    private readonly TimeProvider _time;
    private TokenBearer? _bearer; // null: no token
    private TlsRelay? _relay; // null: no TLS

    private WorkerClient(Socket socket, string server, WorkerOptions options, TimeProvider time)
    {
        _time = time;
        _pool = new SlabPool(Connection.MostBlocks(Limits.ChunkBytes));
        _loop = new OwnerLoop("network", time, WorkerSession.TickInterval, Tick) { Spin = options.Spin ? Spin.Always : Spin.Never };
        if (options.Session == 0)
            options = options with { Session = TokenBearer.NewSession() };
        Handler? handler = null;
        _ = new Connection(socket, _pool, _loop, time, server, Limits.ChunkBytes, Handle, options.LivenessTimeout) { HasChecksums = options.Checksum };
        _session = handler!.Session;
        _loop.Start();

        IFrameHandler Handle(IFrameSink sink)
        {
            handler = new Handler(new WorkerSession(options, time, sink));
            if (options.Token is { } token)
                _bearer = new TokenBearer(token, options.Session, sink, handler, handler.Session.Join);
            return (IFrameHandler?)_bearer ?? handler;
        }
    }

    /// <summary>The rank that the server gave.</summary>
    public int Rank => _session.Rank;

    /// <summary>Number of workers.</summary>
    public int Workers => _session.Started!.Workers;

    /// <summary>Number of parameters: the most that any worker asked for.</summary>
    public int Parameters => _session.Started!.Parameters;

    /// <summary>The newest snapshot that <see cref="Wait"/> took; zeros at first. Valid until the next wait.</summary>
    public ReadOnlySpan<float> Snapshot => _session.Take();

    /// <summary>Version of <see cref="Snapshot"/>: pushes it contains.</summary>
    public ulong Version => _session.Version;

    /// <summary>The session underneath, for a loop of one's own.</summary>
    public WorkerSession Session => _session;

    /// <summary>Where the time went, told to the server now and then. Set by the training loop.</summary>
    public Func<ProgressMessage>? Progress { get; set; }

    /// <summary>Connects, joins, and waits until all workers have joined.</summary>
    /// <param name="server">HOST:PORT.</param>
    /// <param name="options">How to join.</param>
    /// <param name="time">The clock; the system's if null.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ClusterException">Nobody answered, the server refused, or not all workers joined in time.</exception>
    public static WorkerClient Connect(
        string server, WorkerOptions options, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        time ??= TimeProvider.System;
        var endpoint = Endpoint.Parse(server);
        Socket socket = endpoint.Connect(options.ConnectTimeout, time, cancellation);
        TlsRelay? relay = options.Tls is { } tls ? TlsRelay.Connect(socket, tls, endpoint.Host, options.ConnectTimeout, options.LivenessTimeout, cancellation) : null;
        var client = new WorkerClient(relay?.End ?? socket, server, options, time) { _relay = relay };
        try
        {
            if (client._bearer is { } bearer)
                bearer.Begin();
            else
                client._session.Join();
            client.WaitForStart(options.StartTimeout, cancellation);
            return client;
        }
        catch
        {
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
        double passes = _session.Pushed + 1;
        while (!_session.TryPush(vector, passes))
        {
            Pull();
            Wait(timeout);
        }
    }

    /// <summary>Asks for a snapshot newer than the newest that has arrived. Returns at once.</summary>
    public void Pull() => _session.Pull();

    /// <summary>Waits until the snapshot that was asked for is here; it is then <see cref="Snapshot"/>.</summary>
    /// <param name="timeout">30 s if null.</param>
    /// <exception cref="ClusterException">The session failed, or time ran out.</exception>
    public void Wait(TimeSpan? timeout = null)
    {
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(30);
        long start = _time.GetTimestamp();
        lock (_session.Gate)
        {
            while (!_session.HasNewer && !_session.HasEnded)
            {
                TimeSpan left = limit - _time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_session.Gate, left))
                {
                    throw new ClusterException($"No snapshot came from {_session.Server} within {limit.TotalSeconds:0} s: "
                        + "does another worker hold up the barrier, or was no pull sent?");
                }
            }
        }

        _session.ThrowIfFailed();
        if (!_session.HasNewer)
            throw new ClusterException($"The server {_session.Server} ended the job ({_session.StopReason}).");
        _ = _session.Take();
    }

    /// <summary>
    /// Waits, ten seconds at most, until the server has applied what was pushed; says goodbye, closes, and returns all buffers.
    /// </summary>
    public void Dispose()
    {
        Flush();
        _session.Leave("done", Progress?.Invoke() ?? default);
        _loop.Dispose();
        _session.Dispose();
        _pool.Dispose();
    }

    private void Flush()
    {
        long start = _time.GetTimestamp();
        lock (_session.Gate)
        {
            while (!_session.HasEnded && _session.Acknowledged < _session.Pushed)
            {
                TimeSpan left = FlushTimeout - _time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_session.Gate, left))
                    return;
            }
        }
    }

    private bool Tick()
    {
        _session.Tick(Progress?.Invoke() ?? default);
        return true;
    }

    private void WaitForStart(TimeSpan timeout, CancellationToken cancellation)
    {
        long start = _time.GetTimestamp();
        using CancellationTokenRegistration wake = cancellation.Register(() =>
        {
            lock (_session.Gate)
                Monitor.PulseAll(_session.Gate);
        });
        lock (_session.Gate)
        {
            while (_session.Started is null && !_session.HasEnded)
            {
                cancellation.ThrowIfCancellationRequested();
                TimeSpan left = timeout - _time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_session.Gate, left))
                {
                    throw new ClusterException($"Not all workers joined {_session.Server} within {timeout.TotalSeconds:0} s: "
                        + "start the missing ones; the server's log names them.");
                }
            }
        }

        if (_bearer?.Failure is { } failure)
            throw new ClusterException(failure);
        if (_session.Failure is { } lost && _relay?.Failure is { } why)
            throw new ClusterException($"{lost} TLS ended ({why}): does the server ask for a certificate of its --tls-ca, and was it given with --tls-cert and --tls-key?");
        _session.ThrowIfFailed();
        if (_session.Started is null)
            throw new ClusterException($"The server {_session.Server} ended the job before it began ({_session.StopReason}).");
    }

    private sealed class Handler(WorkerSession session) : IFrameHandler
    {
        public WorkerSession Session { get; } = session;

        public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload) => Session.Received(header, payload);

        public void Violated(string reason) => Session.Closed(reason);

        public void Writable() => Session.Writable();

        public void Closed(string? reason) => Session.Closed(reason);
    }
}
