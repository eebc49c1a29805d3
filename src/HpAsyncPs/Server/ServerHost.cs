using System;
using System.Buffers;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Transport;

namespace HpAsyncPs.Server;

/// <summary>Puts a <see cref="ParameterServer"/> behind a listening socket: accepts, and hands frames to the shard's thread.</summary>
public sealed partial class ServerHost : IDisposable
{
    /// <summary>Connections that are accepted and wait for a place at the gate; others wait in the kernel's backlog.</summary>
    public const int MostArrivals = 16;

    /// <summary>
    /// Blocks of connection memory that are taken when training begins, 16 MiB, as far as the members can need them: not in the middle of it.
    /// </summary>
    private const int MostReservedBlocks = 256;

    // File handles of a connection with TLS: its socket, and a pair.
    private const int HandlesWithTls = 3;

    // Connections with TLS that were displaced and are on their way out, for each that may be half-open: in the second that they may take, and as long again, each place is free for another eight times.
    private const int MostLeavingOfPlace = 8;

    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(50);

    private readonly ParameterServer _server;
    private readonly int _workers;
    private readonly TimeProvider _time;
    private readonly OwnerLoop _loop;
    private readonly Listener _listener;
    private readonly SlabPool _pool;
    private readonly int _chunkBytes;
    private readonly Gate _gate;
    private readonly GateLimits _limits;
    private readonly Tls? _tls;
    private readonly int? _mostOutputBytes;
    private readonly SemaphoreSlim _arrivals = new(MostArrivals);
    private readonly Queue<Socket> _waiting = new(); // at most MostArrivals
    private readonly bool? _spin;
    private readonly int _servers; // of the job: where workers are on this host, the others are thought to be as well
    private readonly bool _checksum;
    private readonly TimeSpan _silence;
    private int _localPeers;
    private RunStatus? _status;
    private int _statusWanted;
    private bool _reserved;

    private readonly DurableState? _state;

    private ServerHost(ServerOptions options, Listener listener, TimeProvider time, Action<LogLine>? log, DurableState? state, Action<MonitorEvent>? happened)
    {
        _state = state;
        _time = time;
        _workers = options.Workers;
        _silence = options.LivenessTimeout;
        _server = new ParameterServer(options with { HandshakeTimeout = options.Gate.HandshakeTime }, time, NewIncarnation(), state: state) { Log = log, Happened = happened };
        _view = _server.NewView();
        Steady = new SteadyMeter(time);
        _limits = options.Gate;
        _tls = options.Tls;
        _gate = new Gate(options.Gate, options.Workers, options.Token, time) { Log = Refused };
        _chunkBytes = Limits.ChunkKeys(1, options.Workers) * sizeof(float);
        _mostOutputBytes = MostOutputBytes(options.Gate, _chunkBytes);
        _pool = new SlabPool((int)Math.Min(int.MaxValue, (long)options.Gate.ConnectionsFor(options.Workers) * Connection.MostBlocks(_chunkBytes)));
        _loop = new OwnerLoop("shard", time, TickInterval, Tick);
        _listener = listener;
        (_spin, _servers, _checksum) = (options.Spin, options.Shard.Count, options.Checksum);
        ChooseSpin();
        Address = listener.Address;
    }

    /// <summary>Where it listens, for workers to connect to.</summary>
    public string Address { get; }

    /// <summary>What was allocated once training was in its stride.</summary>
    public SteadyMeter Steady { get; }

    /// <summary>Blocks of connection memory leased now, for tests.</summary>
    public int LeasedBlocks => _pool.Leased;

    /// <summary>Whether the shard's thread spins before it sleeps, now; see <see cref="ServerOptions.Spin"/>.</summary>
    public Spin Spin => _loop.Spin;

    /// <summary>Connections that have not ended, for tests.</summary>
    public int Connections => _gate.Open;

    /// <summary>Connections that are not admitted, for tests.</summary>
    public int HalfOpen => _gate.HalfOpen;

    /// <summary>How many handshakes have failed in this way.</summary>
    public long Failed(HandshakeFailure failure) => _gate.CountOf(failure);

    /// <summary>File handles that connections can take.</summary>
    public static int HandlesFor(ServerOptions options)
    {
        int connections = options.Gate.ConnectionsFor(options.Workers) + MostArrivals;
        return options.Tls is null ? connections : (HandlesWithTls * connections) + (MostLeavingOfPlace * Math.Min(GateLimits.Spare, options.Gate.HalfOpenFor(options.Workers)));
    }

    /// <summary>Starts listening.</summary>
    /// <param name="options">How the job is run.</param>
    /// <param name="listen">HOST:PORT or unix:PATH; port 0 takes a free one, which <see cref="Address"/> tells.</param>
    /// <param name="time">The clock; the system's if null.</param>
    /// <param name="log">Gets a line for whatever is worth one, on the shard's thread.</param>
    /// <exception cref="InputException">The address cannot be used.</exception>
    public static ServerHost Start(ServerOptions options, string listen, TimeProvider? time = null, Action<LogLine>? log = null) =>
        Start(options, Listener.Start(Endpoint.Parse(listen)), time, log);

    /// <summary>Starts to serve who connects to a listener.</summary>
    /// <param name="options">How the job is run.</param>
    /// <param name="listener">Owned from now on.</param>
    /// <param name="time">The clock; the system's if null.</param>
    /// <param name="log">Gets a line for whatever is worth one, on the shard's thread.</param>
    /// <param name="state">What it keeps on disk, owned from now on: a job that is there is taken up. Null: nothing.</param>
    /// <param name="happened">Gets each event of the job, on the shard's thread.</param>
    /// <exception cref="InputException">What is on disk cannot be taken up.</exception>
    public static ServerHost Start(
        ServerOptions options, Listener listener, TimeProvider? time = null, Action<LogLine>? log = null, DurableState? state = null, Action<MonitorEvent>? happened = null)
    {
        var host = new ServerHost(options, listener, time ?? TimeProvider.System, log, state, happened);
        host.Recover();
        host._loop.Start();
        for (int j = 0; j < listener.Count; j++)
            _ = host.AcceptAsync(j);
        return host;
    }

    /// <summary>Ends the job in order.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="within">How long the last evaluation may take; what the options say if null.</param>
    /// <param name="mayInsist">A second wish is one to end at once. Not where one wish may come by two ways.</param>
    public void RequestStop(string reason, TimeSpan? within = null, bool mayInsist = true) => _loop.Schedule(_ => _server.RequestStop(reason, within, mayInsist), null);

    /// <summary>Brings what is not on disk yet there, and ends without ending the job.</summary>
    public void RequestSuspend() => _loop.Schedule(_ => _server.RequestSuspend(), null);

    /// <summary>A worker has ended, and nobody starts it again.</summary>
    /// <param name="rank">Which.</param>
    /// <param name="reason">How it ended.</param>
    public void GiveUp(int rank, string reason) => _loop.Schedule(_ => _server.GiveUp(rank, reason), null);

    /// <summary>The newest status, at most one tick old; null before the first call was answered.</summary>
    public RunStatus? Status()
    {
        Volatile.Write(ref _statusWanted, 1);
        return Volatile.Read(ref _status);
    }

    /// <summary>Waits for the end. Null when it has not come within <paramref name="timeout"/>.</summary>
    public RunResult? Wait(TimeSpan timeout) => _loop.Join(timeout) ? _server.Result() : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        _loop.Dispose();
        _state?.Dispose();
        _pool.Dispose();
        foreach (Socket socket in _waiting)
            socket.Dispose();
        _arrivals.Dispose();
    }

    private void Recover()
    {
        if (_state is null)
            return;
        try
        {
            _state.Advanced = () => _loop.Schedule(JournalAdvanced, this);
            _server.Recover();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private static void JournalAdvanced(object? host) => ((ServerHost)host!)._server.JournalAdvanced();

    private static ulong NewIncarnation() => (BitConverter.ToUInt32(RandomBytes.Draw(sizeof(uint))) % int.MaxValue + 1UL) << 32; // from 1 on, and never negative

    private bool Tick()
    {
        _server.Tick();
        _gate.Tick();
        LetIn();
        if (_server.AllTrain)
            ObserveTraining();
        if (Interlocked.Exchange(ref _statusWanted, 0) == 1 || _server.HasEnded)
            Volatile.Write(ref _status, _server.Status());
        ShowMonitor();
        return !_server.HasEnded;
    }

    private void ObserveTraining()
    {
        if (!_reserved)
        {
            _reserved = true;
            _pool.Reserve((int)Math.Min(MostReservedBlocks, (long)_workers * PipeBlocks.Both(_server.LargestPayload)));
        }

        Steady.Observe();
    }

    private async Task AcceptAsync(int index)
    {
        while (true)
        {
            Socket socket;
            try
            {
                await _arrivals.WaitAsync().ConfigureAwait(false);
                socket = await _listener.AcceptAsync(index).ConfigureAwait(false);
            }
            catch (SocketException e) when (e.SocketErrorCode is not SocketError.OperationAborted)
            {
                _arrivals.Release(); // one that went away before it was accepted, or no file handle is left
                await Task.Delay(AcceptPause).ConfigureAwait(false);
                continue;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return; // the listener was closed
            }

            _loop.Schedule(Arrived, socket);
        }
    }

    private void Arrived(object? state)
    {
        _waiting.Enqueue((Socket)state!);
        LetIn();
    }

    /// <summary>Those that wait for a place, as far as there are places or those who hold them have had their time.</summary>
    private void LetIn()
    {
        while (_waiting.Count > 0 && _gate.TryMakeRoom())
        {
            Adopt(_waiting.Dequeue());
            _arrivals.Release();
        }
    }

    private void Adopt(Socket socket)
    {
        IPEndPoint? local = null, remote = null;
        try
        {
            (local, remote) = (socket.LocalEndPoint as IPEndPoint, socket.RemoteEndPoint as IPEndPoint);
        }
        catch (SocketException)
        {
            // it has gone again: the connection will say so
        }

        bool isUnix = socket.AddressFamily == AddressFamily.Unix, isLocal = isUnix || (remote is not null && remote.Address.Equals(local?.Address));
        if (remote is { Address.IsIPv4MappedToIPv6: true })
            remote = new IPEndPoint(remote.Address.MapToIPv4(), remote.Port); // came to [::], as people write it
        if (_gate.IsShutOut(remote?.Address))
        {
            socket.Dispose();
            return;
        }

        string peer = isUnix ? "of this host" : remote?.ToString() ?? "unknown";
        Gatekeeper? keeper = null;
        try
        {
            TlsRelay? relay = null;
            if (_tls is not null)
                relay = TlsRelay.Accept(socket, _tls, _limits.HandshakeTime, _silence, reason => _loop.Schedule(_ => _gate.Failed(HandshakeFailure.Tls, peer, remote?.Address, $"no TLS ({reason})"), null));
            socket = relay?.End ?? socket;
            _ = new Connection(
                socket, _pool, _loop, _time, peer, _chunkBytes, sink => keeper = new Gatekeeper(_gate, sink, remote?.Address, inner => new Handler(this, _server.Opened(inner), isLocal)), _silence,
                _limits.FirstFrameBytes, _mostOutputBytes)
            {
                HasChecksums = _checksum,
                Link = relay?.Link,
            };
        }
        catch (Exception e) // the system watches no more sockets, say: that is this connection's end and nobody else's
        {
            keeper?.Closed(e.Message);
            socket.Dispose();
        }
    }

    /// <summary>What may wait for a peer, by what it may cost in all.</summary>
    private static int? MostOutputBytes(GateLimits limits, int chunkBytes)
    {
        if (limits.BytesOfPeer is not { } most)
            return null;
        long least = ((long)PipeBlocks.Input(chunkBytes) + PipeBlocks.Output(2 * chunkBytes)) * SlabPool.BlockBytes; // a chunk comes in, one waits, and one more is found not to fit
        if (most < least)
            throw new InputException($"{most} bytes of memory for a peer are too few: chunks of {chunkBytes} bytes need {least}. Allow as many, or leave the limit out.");
        return (int)Math.Min(Connection.MostOutputChunks * chunkBytes, most - ((PipeBlocks.Input(chunkBytes) + 2L) * SlabPool.BlockBytes) - chunkBytes - FrameHeader.Bytes);
    }

    /// <summary>A thread that spins where others wait for its core takes their time.</summary>
    private void ChooseSpin() => _loop.Spin = _spin switch
    {
        null => _localPeers + (_localPeers > 0 ? _servers : 1) <= Environment.ProcessorCount ? Spin.WhileAlone : Spin.Never,
        true => Spin.Always,
        false => Spin.Never,
    };

    private sealed class Handler : IFrameHandler
    {
        private readonly ServerHost _host;
        private readonly Peer _peer;
        private readonly int _local;

        public Handler(ServerHost host, Peer peer, bool isLocal)
        {
            (_host, _peer, _local) = (host, peer, isLocal ? 1 : 0);
            host._localPeers += _local;
            host.ChooseSpin();
        }

        public void Received(in FrameHeader header, in ReadOnlySequence<byte> payload) =>
            _host._server.Received(_peer, header, payload);

        public void Violated(string reason, FrameFault fault) => _host._server.Violated(_peer, reason, fault);

        public void Writable() => _host._server.Writable(_peer);

        public void Closed(string? reason)
        {
            _host._localPeers -= _local;
            _host.ChooseSpin();
            _host._server.Closed(_peer, reason);
        }
    }
}
