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
    // One that is used, and one on its way to its end.
    private const int Connections = 2;
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(10);

    private readonly WorkerSession _session;
    private readonly SlabPool _pool;
    private readonly OwnerLoop _loop;
    private readonly TimeProvider _time;
    private readonly WorkerOptions _options;
    private readonly string _server;
    private readonly Reconnector _reconnector;
    private Endpoint _endpoint;
    private TlsRelay? _relay; // null: no TLS

    private WorkerClient(string server, Endpoint endpoint, WorkerOptions options, TimeProvider time)
    {
        _options = options with { Session = options.Session > 0 ? options.Session : SessionNumber.Draw() };
        (_time, _server, _endpoint) = (time, server, endpoint);
        _pool = new SlabPool(Connections * Connection.MostBlocks(Limits.ChunkBytes));
        _loop = new OwnerLoop("network", time, WorkerSession.TickInterval, Tick) { Spin = options.Spin ? Spin.Always : Spin.Never };
        _reconnector = new Reconnector(TryConnect, again => _loop.Schedule(GoOn, again));
        _session = new WorkerSession(_options, time, new NoSink(server)) { Disconnected = _reconnector.Begin };
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
        var client = new WorkerClient(server, Endpoint.Parse(server), options, time);
        try
        {
            Socket socket = client._endpoint.Connect(options.ConnectTimeout, time, cancellation);
            client.Begin(client.Secured(socket, options.ConnectTimeout, cancellation), isFirst: true);
            client._loop.Start();
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
            WaitFor(static session => session.HasNewer || session.HasRoom, timeout);
            if (_session.HasNewer)
                _ = _session.Take();
        }
    }

    /// <summary>Asks for a snapshot newer than the newest that has arrived. Returns at once.</summary>
    public void Pull() => _session.Pull();

    /// <summary>Waits until the snapshot that was asked for is here; it is then <see cref="Snapshot"/>.</summary>
    /// <param name="timeout">30 s if null.</param>
    /// <exception cref="ClusterException">The session failed, or time ran out.</exception>
    public void Wait(TimeSpan? timeout = null)
    {
        WaitFor(static session => session.HasNewer, timeout);
        _ = _session.Take();
    }

    private void WaitFor(Func<WorkerSession, bool> isThere, TimeSpan? timeout)
    {
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(30);
        long start = _time.GetTimestamp();
        lock (_session.Gate)
        {
            while (!isThere(_session) && !_session.HasEnded)
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
        if (!isThere(_session))
            throw new ClusterException($"The server {_session.Server} ended the job ({_session.StopReason}).");
    }

    /// <summary>
    /// Waits, ten seconds at most, until the server has applied what was pushed; says goodbye, closes, and returns all buffers.
    /// </summary>
    public void Dispose()
    {
        Flush();
        _session.Leave("done", Progress?.Invoke() ?? default);
        _reconnector.Dispose();
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

    /// <summary>With TLS where that is asked for.</summary>
    private Socket Secured(Socket socket, TimeSpan limit, CancellationToken cancellation)
    {
        if (_options.Tls is not { } tls)
            return socket;
        _relay = TlsRelay.Connect(socket, tls, _endpoint.Host, limit, _options.LivenessTimeout, cancellation);
        return _relay.End;
    }

    /// <summary>One try to connect again; null when nobody answers who can be trusted.</summary>
    private Socket? TryConnect(TimeSpan limit, CancellationToken cancellation)
    {
        try
        {
#pragma warning disable CA2000 // the connection that is made of it owns it
            _endpoint = _options.Locate?.Invoke(cancellation) ?? _endpoint;
            Socket? socket = _endpoint.TryConnect(limit, cancellation);
#pragma warning restore CA2000
            return socket is null ? null : Secured(socket, limit, cancellation);
        }
        catch (Exception e) when (e is ClusterException or OperationCanceledException or SocketException)
        {
            return null;
        }
    }

    /// <summary>There is another connection. On the loop's thread.</summary>
    private void GoOn(object? state)
    {
        var socket = (Socket)state!;
        try
        {
            Begin(socket, isFirst: false);
        }
        catch (Exception e) // the system watches no more sockets, say
        {
            socket.Dispose();
            _session.Closed(null, e.Message);
        }
    }

    private void Begin(Socket socket, bool isFirst)
    {
        TokenBearer? bearer = null;
        IFrameSink? sink = null;
        _ = new Connection(socket, _pool, _loop, _time, _server, Limits.ChunkBytes, Handle, _options.LivenessTimeout) { HasChecksums = _options.Checksum, Link = _relay?.Link };
        _session.GoOn(sink!, isFirst);
        if (bearer is null)
            _session.Join();
        else
            bearer.Begin();

        IFrameHandler Handle(IFrameSink made)
        {
            sink = made;
            var handler = new Handler(_session, made, _reconnector);
            if (_options.Token is not { } token)
                return handler;
            return bearer = new TokenBearer(token, _session.Number, made, handler, _session.Join, why =>
            {
                if (isFirst)
                    _session.Distrust(why);
                else
                    _session.Closed(made, why); // somebody else, perhaps, while the server is started anew
            });
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
            while ((_session.Started is null || _session.AwaitsSnapshot) && !_session.HasEnded)
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

        if (_session.Failure is { } lost && _relay?.Failure is { } why)
            throw new ClusterException($"{lost} TLS ended ({why}): does the server ask for a certificate of its --tls-ca, and was it given with --tls-cert and --tls-key?");
        _session.ThrowIfFailed();
        if (_session.Started is null)
            throw new ClusterException($"The server {_session.Server} ended the job before it began ({_session.StopReason}).");
    }

    private sealed class Handler(WorkerSession session, IFrameSink sink, Reconnector reconnector) : IFrameHandler
    {
        public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload)
        {
            session.Received(header, payload);
            if (header.Kind == FrameKind.Acknowledged)
                reconnector.Succeeded(); // not at admission: what ended the last connection may end this one too
        }

        public void Violated(string reason, FrameFault fault) => session.Closed(sink, reason);

        public void Writable() => session.Writable();

        public void Closed(string? reason) => session.Closed(sink, reason);
    }

    /// <summary>Before there is a connection.</summary>
    private sealed class NoSink(string peer) : IFrameSink
    {
        public string Peer => peer;

        public bool Send(FrameHeader header, ReadOnlySpan<byte> payload) => true;

        public void Close()
        {
            // nothing is open
        }
    }
}
