using System;
using System.Buffers;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Worker;

/// <summary>A session with one server, and the connections that it goes over, one after the other.</summary>
internal sealed class ServerLink : IDisposable
{
    private readonly string _server;
    private readonly int _shard;
    private readonly WorkerOptions _options;
    private readonly SlabPool _pool;
    private readonly OwnerLoop _loop;
    private readonly TimeProvider _time;
    private readonly Reconnector _reconnector;
    private Endpoint _endpoint;
    private TlsRelay? _relay; // null: no TLS

    /// <param name="server">HOST:PORT.</param>
    /// <param name="shard">Which of the job's servers it is.</param>
    /// <param name="options">How to join.</param>
    /// <param name="pool">For connections, two at a time.</param>
    /// <param name="loop">The worker's network thread.</param>
    /// <param name="time">The clock.</param>
    /// <param name="gate">Of the worker's sessions.</param>
    public ServerLink(string server, int shard, WorkerOptions options, SlabPool pool, OwnerLoop loop, TimeProvider time, object gate)
    {
        _options = options with { Session = options.Session > 0 ? options.Session : SessionNumber.Draw() };
        (_server, _shard, _pool, _loop, _time, _endpoint) = (server, shard, pool, loop, time, Endpoint.Parse(server));
        _reconnector = new Reconnector(TryConnect, again => _loop.Schedule(GoOn, again));
        Session = new WorkerSession(_options, time, new NoSink(server), gate) { Disconnected = _reconnector.Begin };
    }

    /// <summary>The session.</summary>
    public WorkerSession Session { get; }

    /// <summary>Connects for the first time, and joins.</summary>
    /// <exception cref="ClusterException">Nobody answers, or none who can be trusted.</exception>
    public void Connect(CancellationToken cancellation)
    {
#pragma warning disable CA2000 // the connection that is made of it owns it
        Socket socket = Secured(_endpoint.Connect(_options.ConnectTimeout, _time, cancellation), _options.ConnectTimeout, cancellation);
#pragma warning restore CA2000
        if (_shard == 0)
            Begin(socket, isFirst: true); // the loop has not started yet
        else
            _loop.Schedule(BeginFirst, socket);
    }

    /// <summary>Waits until all workers have joined there.</summary>
    /// <exception cref="ClusterException">They did not in time, or the server refused.</exception>
    public void WaitForStart(TimeSpan timeout, CancellationToken cancellation)
    {
        long start = _time.GetTimestamp();
        using CancellationTokenRegistration wake = cancellation.Register(() =>
        {
            lock (Session.Gate)
                Monitor.PulseAll(Session.Gate);
        });
        lock (Session.Gate)
        {
            while ((Session.Started is null || Session.AwaitsSnapshot) && !Session.HasEnded)
            {
                cancellation.ThrowIfCancellationRequested();
                TimeSpan left = timeout - _time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(Session.Gate, left))
                {
                    throw new ClusterException($"Not all workers joined {_server} within {timeout.TotalSeconds:0} s: "
                        + "start the missing ones; the server's log names them.");
                }
            }
        }

        if (Session.Failure is { } lost && _relay?.Failure is { } why)
            throw new ClusterException($"{lost} TLS ended ({why}): does the server ask for a certificate of its --tls-ca, and was it given with --tls-cert and --tls-key?");
        Session.ThrowIfFailed();
        if (Session.Started is null)
            throw new ClusterException($"The server {_server} ended the job before it began ({Session.StopReason}).");
    }

    /// <summary>Waits until the server has applied what was pushed.</summary>
    public void Flush(TimeSpan timeout)
    {
        long start = _time.GetTimestamp();
        lock (Session.Gate)
        {
            while (!Session.HasEnded && Session.Acknowledged < Session.Pushed)
            {
                TimeSpan left = timeout - _time.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(Session.Gate, left))
                    return;
            }
        }
    }

    /// <summary>Does not connect again any more. The session is left before.</summary>
    public void StopConnecting() => _reconnector.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        _reconnector.Dispose();
        Session.Dispose();
    }

    /// <summary>With TLS where that is asked for.</summary>
    private Socket Secured(Socket socket, TimeSpan limit, CancellationToken cancellation)
    {
        if (_options.Tls is not { } tls)
            return socket;
        _relay = TlsRelay.Connect(socket, tls, _endpoint, limit, _options.LivenessTimeout, cancellation);
        return _relay.End;
    }

    /// <summary>One try to connect again; null when nobody answers who can be trusted.</summary>
    private Socket? TryConnect(TimeSpan limit, CancellationToken cancellation)
    {
        try
        {
#pragma warning disable CA2000 // the connection that is made of it owns it
            _endpoint = _options.Locate?.Invoke(_shard, cancellation) ?? _endpoint;
            Socket? socket = _endpoint.TryConnect(limit, cancellation);
#pragma warning restore CA2000
            return socket is null ? null : Secured(socket, limit, cancellation);
        }
        catch (Exception e) when (e is ClusterException or OperationCanceledException or SocketException)
        {
            return null;
        }
    }

    private void BeginFirst(object? state) => BeginOrClose((Socket)state!, isFirst: true);

    /// <summary>There is another connection. On the loop's thread.</summary>
    private void GoOn(object? state) => BeginOrClose((Socket)state!, isFirst: false);

    private void BeginOrClose(Socket socket, bool isFirst)
    {
        try
        {
            Begin(socket, isFirst);
        }
        catch (Exception e) // the system watches no more sockets, say
        {
            socket.Dispose();
            Session.Closed(null, e.Message);
        }
    }

    private void Begin(Socket socket, bool isFirst)
    {
        TokenBearer? bearer = null;
        IFrameSink? sink = null;
        _ = new Connection(socket, _pool, _loop, _time, _server, Limits.ChunkBytes, Handle, _options.LivenessTimeout) { HasChecksums = _options.Checksum, Link = _relay?.Link };
        Session.GoOn(sink!, isFirst);
        if (bearer is null)
            Session.Join();
        else
            bearer.Begin();

        IFrameHandler Handle(IFrameSink made)
        {
            sink = made;
            var handler = new Handler(Session, made, _reconnector);
            if (_options.Token is not { } token)
                return handler;
            return bearer = new TokenBearer(token, Session.Number, made, handler, Session.Join, why =>
            {
                if (isFirst)
                    Session.Distrust(why);
                else
                    Session.Closed(made, why); // somebody else, perhaps, while the server is started anew
            });
        }
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
