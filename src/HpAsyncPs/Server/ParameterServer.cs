using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Server.Policies;

namespace HpAsyncPs.Server;

/// <summary>
/// The server as a state machine: frames, ticks and a clock go in, frames come out. No I/O, no locks, no threads: the
/// thread that owns the shard calls every method. This file: connections and frames; ParameterServer.Run.cs: the job.
/// </summary>
public sealed partial class ParameterServer
{
    private readonly ServerOptions _options;
    private readonly TimeProvider _time;
    private readonly IPolicy _policy;
    private readonly Plateau? _plateau;
    private Admission _admission;
    private readonly List<Peer> _peers = [];
    private readonly ArrayBufferWriter<byte> _scratch = new(1024);
    private readonly ulong _incarnation;
    private long _heartbeatAt;
    private bool _someWait;

    /// <param name="options">How the job is run.</param>
    /// <param name="time">The clock.</param>
    /// <param name="incarnation">A number that no other life of this server had.</param>
    /// <param name="policy">A policy of one's own, in place of the one that the options name.</param>
    /// <param name="state">What it keeps on disk; null: nothing.</param>
    public ParameterServer(ServerOptions options, TimeProvider time, ulong incarnation, IPolicy? policy = null, DurableState? state = null)
    {
        _state = state;
        _options = options;
        _time = time;
        _plateau = options.Plateau is { } rule ? new Plateau(rule) : null;
        _policy = policy ?? PolicyNames.Create(options.Policy);
        _admission = NewAdmission(options.Workers);
        _finalTimeout = options.FinalTimeout;
        _incarnation = _evaluations = incarnation; // an answer to an earlier life's evaluation is none to this one's
        _pulling = new RankSet(options.Workers);
        _refusalLog = new (long SaidAt, long Unsaid)[options.Workers];
        _lateShards = options.Shard is { IsFirst: true, Count: > 1 } shard ? new LateShards(options.Workers, shard.Count) : null;
        _monitor = new StalenessMonitor(options.Workers, time.GetUtcNow) { Happened = one => Happened?.Invoke(one) };
        _startedAt = time.GetTimestamp();
    }

    /// <summary>Called with one line for the log whenever something worth it happens.</summary>
    public Action<LogLine>? Log { get; init; }

    /// <summary>Called with each event of the job: what becomes of the workers, and what is decided. docs/monitoring.md.</summary>
    public Action<MonitorEvent>? Happened { get; init; }

    private Admission NewAdmission(int workers)
    {
        long fits = AvailableBytes / Shard.BytesPerParameter(workers, _policy.Optimizer, LeastPublications, Codes(1)).Most;
        return new Admission(workers, _options.MaxParameters, (int)Math.Min(Limits.Parameters, fits), _policy.Optimizer is not null);
    }

    private int LeastPublications => _options.Evaluates ? 3 : 2;

    private static long AvailableBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The weighted sum over workers, for tests and checks; empty before the start.</summary>
    public ReadOnlySpan<double> Sum => _shard is null ? [] : _shard.Sum;

    /// <summary>A rank's vector as both ends know it, for tests and checks.</summary>
    public ReadOnlySpan<float> ReconstructionOf(int rank) => _shard is null ? [] : _shard.ReconstructionOf(rank);

    /// <summary>Connections that have not ended, for tests and checks.</summary>
    public int Connections => _peers.Count;

    /// <summary>A connection was accepted.</summary>
    public Peer Opened(IFrameSink sink)
    {
        var peer = new Peer(sink, _time.GetTimestamp());
        _peers.Add(peer);
        return peer;
    }

    /// <summary>A frame came in. Whatever is wrong with it is answered with the reason, and the connection closed.</summary>
    public void Received(Peer peer, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (peer.IsClosed)
            return;
        peer.HeardAt = _time.GetTimestamp();
        long bytes = FrameHeader.Bytes + (long)header.PayloadLength;
        if (peer.Session is { } session)
            (session.HeardAt, session.UplinkBytes) = (peer.HeardAt, session.UplinkBytes + bytes);
        else
            peer.EarlyBytes += bytes;
        try
        {
            Handle(peer, header, payload);
        }
        catch (ProtocolException e)
        {
            Refuse(peer, e.Message, e.MayRetry, e.Fault);
        }

        SendToWaiting();
    }

    /// <summary>The connection can take more.</summary>
    public void Writable(Peer peer)
    {
        peer.IsFull = false;
        if (peer.Session is { } session)
            SendDue(session);
        SendToWaiting();
    }

    /// <summary>The connection has gone.</summary>
    /// <param name="peer">Which.</param>
    /// <param name="reason">What happened, or null when the peer closed it.</param>
    public void Closed(Peer peer, string? reason)
    {
        if (!_peers.Contains(peer))
            return;
        Session? session = peer.Session;
        Remove(peer);
        if (session is not null)
            Gone(session, reason ?? "it closed the connection", mayReturn: true);
        else if (reason is not null)
            Log?.Invoke($"connection from {peer.Address} closed: {reason}");
        SendToWaiting();
    }

    /// <summary>Closes a connection, and takes it from its session.</summary>
    private void Remove(Peer peer)
    {
        _peers.Remove(peer);
        peer.Close();
        if (peer.Session is not { } session)
            return;
        EndSending(session);
        session.Detach();
    }

    private void Handle(Peer peer, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (peer.Session is not { } session)
        {
            if (header.Kind != FrameKind.Join)
                throw new ProtocolException($"The first frame must ask for admission (Join), not {header.Kind}.");
            Join(peer, header.Session, JoinMessage.Read(payload));
            return;
        }

        if (header.Session != session.Id)
            throw new ProtocolException($"The frame names session {header.Session}, this connection has {session.Id}.");
        if (_phase == Phase.Ended && header.Kind != FrameKind.Leave)
            return; // the model is being saved
        switch (header.Kind)
        {
            case FrameKind.Push:
                Push(session, header, payload);
                break;
            case FrameKind.Pull when header.Flags.Has(FrameFlags.Evaluate):
                AskedEvaluation(session, header.Sequence, header.Flags.Has(FrameFlags.Final));
                break;
            case FrameKind.Pull:
                AddPull(session, header.ShardVersion);
                SendDue(session);
                break;
            case FrameKind.Evaluated:
                Evaluated(session, EvaluatedMessage.Read(payload));
                break;
            case FrameKind.Progress:
                var told = ProgressMessage.Read(payload);
                session.Record(told);
                double now = _time.GetElapsedTime(_startedAt, session.HeardAt).TotalSeconds;
                _timeline?.Record(session.Rank, now, session.Progress);
                if (_shard is not null)
                    _monitor.Told(session.Rank, session.Progress, now);
                _lateShards?.Told(session.Rank, told.LateSeconds, now);
                break;
            case FrameKind.Heartbeat:
                break;
            case FrameKind.Check:
                Check(session, header);
                break;
            case FrameKind.Model:
                Collected(session, header, payload);
                break;
            case FrameKind.Codec:
                FollowCodec(TextMessage.Read(payload).Text);
                break;
            case FrameKind.Leave:
                string reason = TextMessage.Read(payload).Text;
                Remove(peer);
                if (header.Flags.Has(FrameFlags.Final) && !_options.Shard.IsFirst)
                    FollowEnd(reason);
                Left(session, reason);
                break;
            default:
                throw new ProtocolException($"A worker does not send {header.Kind} now.");
        }
    }

    private void Push(Session session, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_shard is null)
            throw new ProtocolException("A push before the start: wait for the Start message.") { Fault = FrameFault.OutOfTurn };
        if (header.ShardVersion > _shard.Version)
            throw new ProtocolException($"A push from version {header.ShardVersion}; the shard is at {_shard.Version}.") { Fault = FrameFault.OutOfTurn };
        if (!session.MayJump && session.PassesBefore + (header.PassesQ8 / 256.0) > session.Passes + Limits.PassesOfAPush)
            throw new ProtocolException($"One push moves a worker on by at most {Limits.PassesOfAPush} passes, from {session.Passes} on.") { Fault = FrameFault.TooLarge };
        session.CountPayload(header.PayloadLength);
        session.PushedCodec = header.Codec;
        bool pulls = header.Flags.Has(FrameFlags.Pull) && header.Sequence > _shard.ClockOf(session.Rank); // not when it comes a second time
        if (pulls)
            session.CheckPull(); // before anything is applied
        ulong version = _shard.Version;
        int key = _shard.NextKeyOf(session.Rank);
        if (key == 0)
            session.PushingSince = session.HeardAt;
        bool applied = _shard.Apply(session.Rank, header, payload);
        if (applied || _shard.NextKeyOf(session.Rank) != key)
            KeepPush(session, header, payload);
        if (pulls)
            AddPull(session, header.ShardVersion);
        if (header.Flags.Has(FrameFlags.Last) && !(applied && AcknowledgesDurable))
            SendAcknowledged(session, followed: pulls && WillAnswer(session));
        if (applied)
            Applied(session, header, (long)(version - header.ShardVersion));
    }

    /// <summary>Will a snapshot go out to it as soon as its push, which is applied, has been counted?</summary>
    private bool WillAnswer(Session session) =>
        !session.IsSending && _held == 0 && _returning == 0 && _shard!.CanPublish && _gathering is null && _policy.MayHave(_clocks[session.Rank] + 1, _rounds, session.SeenRounds);

    private void AddPull(Session session, ulong version)
    {
        session.AddPull(version);
        if (session.MayLack && version < session.SentVersion && session.SeenRounds == _rounds && _rounds > 0)
            session.SeenRounds--; // the snapshot of this round was cut off: behind a barrier no other would come
        if (session.MayLack && version < session.SentVersion)
            _gathering?.Lacks(session.Rank);
        session.MayLack = false;
        _pulling.Add(session.Rank);
    }

    /// <param name="session">Whose push is applied.</param>
    /// <param name="followed">A snapshot is about to go out behind it.</param>
    private void SendAcknowledged(Session session, bool followed)
    {
        var header = new FrameHeader(FrameKind.Acknowledged)
        {
            Sequence = AcknowledgesDurable ? session.Durable : _shard!.ClockOf(session.Rank),
            ShardVersion = _shard!.Version,
        };
        session.Send(header, [], followed);
    }

    private void SendText(Session session, FrameKind kind, string text, FrameFlags flags = FrameFlags.None)
    {
        _scratch.ResetWrittenCount();
        new TextMessage(text).Write(_scratch);
        session.Send(new FrameHeader(kind) { Flags = flags }, _scratch.WrittenSpan);
    }
}
