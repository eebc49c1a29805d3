using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>Workers that go: disconnected, lost, gone for good.</content>
public sealed partial class ParameterServer
{
    // The longest pause of a worker before it tries to connect again, and a second.
    private static readonly TimeSpan ReturnPause = TimeSpan.FromSeconds(3);

    /// <summary>A session's connection has gone.</summary>
    private void Gone(Session session, string reason, bool mayReturn)
    {
        session.GoneBecause = reason = session.GivenUp is { } word ? $"{word} ({reason})" : reason;
        if (_phase is Phase.Training or Phase.Finishing && !session.IsAbsent)
            _monitor.Disconnected(session.Rank, reason, Elapsed());
        mayReturn &= session.GivenUp is null;
        switch (_phase)
        {
            case Phase.Joining:
                Tell(MonitorEventKind.Membership, LogLine.Warning($"{session.Name} went away before the start: {reason}", session.Rank));
                _admission.Withdraw(session);
                break;
            case Phase.Training or Phase.Finishing when session.LostAt is null && !session.IsAbsent:
                if (session.GivenUp is not null)
                    Lose(session, reason, mayReturn: false);
                else if (mayReturn && _time.GetElapsedTime(session.HeardAt) < _options.LivenessTimeout)
                    Tell(MonitorEventKind.Membership, LogLine.Warning($"{session.Name} is disconnected: {reason.TrimEnd('.')}. It is lost unless it returns within {_options.LivenessTimeout.TotalSeconds:0.#} s", session.Rank));
                else
                    Lose(session, reason);
                break;
            case Phase.Leaving when !session.IsAbsent && !mayReturn:
                session.IsAbsent = true;
                _left++;
                break;
        }
    }

    /// <summary>It said goodbye.</summary>
    private void Left(Session session, string reason)
    {
        Tell(MonitorEventKind.Membership, new LogLine($"{session.Name} left: {reason}", Rank: session.Rank));
        if (_phase == Phase.Joining)
        {
            _admission.Withdraw(session);
            return;
        }

        if (_phase is Phase.Training or Phase.Finishing && (_options.Evaluates || _shard!.IsWithinPush(session.Rank)))
        {
            Lose(session, _shard!.IsWithinPush(session.Rank) ? "it left in the middle of a push" : $"it left before the end ({reason})");
            return;
        }

        Keep(FrameKind.Leave, session, [], FrameFlags.Final);
        session.IsAbsent = true;
        _monitor.Left(session.Rank, $"it left: {reason}", Elapsed());
        _lateShards?.Forget(session.Rank);
        _left++;
        Returned(session);
        CountRounds();
        if (_left == _members.Length && _phase is Phase.Training or Phase.Finishing)
        {
            if (_phase == Phase.Training)
                Finish("all workers left");
            else
                SendStop();
        }
        else if (_phase == Phase.Training)
        {
            Release();
        }
    }

    private void Lose(Session session, string reason, bool mayReturn = true)
    {
        reason = reason.TrimEnd('.');
        LostWorkers++;
        _lateShards?.Forget(session.Rank);
        session.LostAt = _time.GetTimestamp();
        if (_options.OnWorkerLoss != WorkerLoss.Wait && HasOthers(session))
        {
            Tell(MonitorEventKind.Membership, LogLine.Warning($"{session.Name} was lost: {reason}", session.Rank));
            GoOnWithout(session);
        }
        else if (!mayReturn || _options.RejoinTimeout <= TimeSpan.Zero || _stopWanted is not null)
        {
            LoseForGood(session, reason);
        }
        else
        {
            session.IsHeld = true;
            _held++;
            Tell(MonitorEventKind.Membership, LogLine.Warning($"{session.Name} was lost: {reason}. The job holds for {_options.RejoinTimeout.TotalSeconds:0.#} s: let it return, or start another worker with its part of the data and rank {session.Rank}", session.Rank));
        }
    }

    /// <summary>Is somebody else there whose part counts?</summary>
    private bool HasOthers(Session session) =>
        Array.Exists(_members, other => other != session && other is { IsAbsent: false, IsHeld: false, LostAt: null } && _weights[other.Rank] > 0);

    private void GoOnWithout(Session session, bool mayEvict = true)
    {
        if (session.IsHeld)
            _held--;
        session.IsHeld = false;
        session.IsAbsent = true;
        _left++;
        bool evicts = mayEvict && _options.OnWorkerLoss == WorkerLoss.Evict && _policy.Optimizer is null && HasOthers(session); // gradients are in the model
        string who = _stopWanted is not null ? "the job ends" : "the others go on";
        Tell(MonitorEventKind.Membership, LogLine.Warning($"{who} without worker {session.Rank}, {(evicts ? "and without what it contributed" : "with what it contributed as it is")}", session.Rank));
        if (evicts)
        {
            _shard!.Evict(session.Rank);
            Keep(FrameKind.Leave, session, []);
            Weigh(session.Rank, 0, session.Passes);
        }

        Returned(session);
        Forgo(session);
        if (_phase is not (Phase.Training or Phase.Finishing))
            return;
        CountRounds();
        Release();
    }

    /// <summary>The job is over, and a worker whose link is down has not heard of it: it may be back in a moment.</summary>
    private bool SomeMayHearStop(long now)
    {
        bool some = false;
        foreach (Session member in _members)
            some |= MayHearStop(member, now);
        return some;
    }

    private bool MayHearStop(Session member, long now)
    {
        TimeSpan silent = _time.GetElapsedTime(member.HeardAt, now);
        return member is { IsAbsent: false, LostAt: null, GivenUp: null } && (member.Peer is null || silent > 2 * HeartbeatInterval) && silent < _options.LivenessTimeout + ReturnPause;
    }

    /// <summary>Whether the job goes on without a worker is for the first server to say, while anybody is here to tell.</summary>
    private bool MayGiveUp() => _options.Shard.IsFirst || !Array.Exists(_members, static member => member.Peer is not null);

    private void CheckPeers(long now)
    {
        for (int j = _peers.Count - 1; j >= 0 && _phase != Phase.Ended; j--)
        {
            Peer peer = _peers[j];
            if (peer.Session is null && _time.GetElapsedTime(peer.OpenedAt, now) > _options.HandshakeTimeout)
                Refuse(peer, $"no request for admission within {_options.HandshakeTimeout.TotalSeconds:0.#} s");
            else if (peer.Session is not null && _time.GetElapsedTime(peer.HeardAt, now) > _options.LivenessTimeout)
                Closed(peer, $"nothing was heard of it for {_options.LivenessTimeout.TotalSeconds:0.#} s");
        }

        if (_phase is not (Phase.Training or Phase.Finishing))
            return;
        foreach (Session member in _members)
        {
            if (member is { IsAbsent: false, Peer: null, LostAt: null } && _time.GetElapsedTime(member.HeardAt, now) > _options.LivenessTimeout)
                Lose(member, $"{member.GoneBecause.TrimEnd('.')}, and it did not return within {_options.LivenessTimeout.TotalSeconds:0.#} s");
            else if (member is { IsHeld: true, LostAt: { } lost } && _time.GetElapsedTime(lost, now) > _options.RejoinTimeout && MayGiveUp())
                LoseForGood(member, $"{member.GoneBecause.TrimEnd('.')}; it did not return within {_options.RejoinTimeout.TotalSeconds:0.#} s, nor did another in its place");
            if (_phase is not (Phase.Training or Phase.Finishing))
                return;
        }
    }
}
