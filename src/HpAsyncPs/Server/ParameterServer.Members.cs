using System;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <content>Who takes part: admission, going on over another connection, loss, return.</content>
public sealed partial class ParameterServer
{
    private int _held; // members that are lost, and that the job waits for

    /// <summary>Sessions that went on over another connection.</summary>
    public long Reconnects { get; private set; }

    /// <summary>Members that were lost so far.</summary>
    public long LostWorkers { get; private set; }

    private void Join(Peer peer, ulong id, JoinMessage join)
    {
        if (id == 0)
            throw new ProtocolException("A worker chooses a number other than 0 for its session.");
        if (_admission.Find(id) is { } known)
            GoOn(peer, known, join);
        else if (_phase == Phase.Joining)
            Admit(peer, _admission.Admit(id, join));
        else if (_phase is Phase.Training or Phase.Finishing)
            Replace(peer, id, join);
        else
            throw new ProtocolException("The job has ended, nobody else may join.");
    }

    private void Admit(Peer peer, Session session)
    {
        session.Attach(peer, session.Joined);
        SendAdmitted(session, session.Joined.Pushed > 0); // it has been here in another life of the server, of which nothing is known
        Log?.Invoke($"{session.Name} joined with weight {session.Joined.Weight}; {_admission.Joined} of {_options.Workers} are here");
        if (_admission.IsComplete)
            Start();
    }

    /// <summary>A session goes on over another connection: the server says where it stands, and the worker sends what is missing.</summary>
    private void GoOn(Peer peer, Session session, JoinMessage join)
    {
        if (join.Attempt <= session.Joined.Attempt)
            throw new ProtocolException($"{session.Name} has a later connection: this one was overtaken.");
        if (session.Joined.Parameters != join.Parameters || session.Joined.Weight != join.Weight)
            throw new ProtocolException($"{session.Name} joined with {session.Joined.Parameters} parameters and weight {session.Joined.Weight}; now it names {join.Parameters} and {join.Weight}.");
        if (session.Peer is { } old)
            Remove(old);
        session.Attach(peer, join);
        Reconnects++;
        if (_phase == Phase.Joining)
        {
            SendAdmitted(session, session.Joined.Pushed > 0);
            return;
        }

        bool returns = session.LostAt is not null || session.IsAbsent;
        Log?.Invoke($"{session.Name} is back{(returns ? "" : " over another connection")}");
        Return(session, join.Weight);
        Welcome(session, resynchronises: !Agrees(session, join));
    }

    /// <summary>Another worker takes the place of one that has gone.</summary>
    private void Replace(Peer peer, ulong id, JoinMessage join)
    {
        _admission.CheckLateComer(join);
        int rank = join.Rank;
        if (rank >= _members.Length)
            throw new ProtocolException($"Rank {rank} does not exist: ranks are 0 to {_members.Length - 1}.");
        if (rank < 0)
            rank = Array.FindIndex(_members, static member => member.LostAt is not null);
        if (rank < 0)
            throw new ProtocolException($"Training has begun, and none of the {_members.Length} workers is lost: nobody else may join.");
        Session earlier = _members[rank];
        if (earlier.Peer is not null)
            throw new ProtocolException($"Rank {rank} is taken by {earlier.Address}. If that worker is dead, it is given up after {_options.LivenessTimeout.TotalSeconds:0.#} s: try again then.");
        if (earlier is { IsAbsent: true, LostAt: null })
            throw new ProtocolException($"The worker of rank {rank} has left, its part is done: nobody else may join in its place.");
        var session = new Session(id, join, rank);
        session.Follow(earlier);
        session.LostAt = earlier.LostAt;
        session.IsAbsent = earlier.IsAbsent;
        session.IsHeld = earlier.IsHeld;
        session.SeenRounds = _rounds;
        _members[rank] = session;
        _admission.Replace(session);
        Returned(earlier);
        session.Attach(peer, join);
        Log?.Invoke($"{session.Name} takes the place of worker {rank} ({earlier.Address})");
        Return(session, join.Weight);
        Welcome(session, resynchronises: true);
    }

    /// <summary>It counts again: with a weight that it has not had from its next push on.</summary>
    private void Return(Session session, double weight)
    {
        if (_admission.Aggregate != Aggregate.Mean)
            weight = 1;
        if (_shard!.WeightOf(session.Rank) != weight)
            session.NewWeight = weight;
        if (session.IsAbsent)
        {
            session.IsAbsent = false;
            _left--;
            _clocks[session.Rank] = Math.Max(_clocks[session.Rank], _rounds); // what it missed is no debt
            CountRounds();
        }
        else if (session.IsHeld && --_held == 0)
        {
            Log?.Invoke("all workers are here again, training goes on");
            Release();
        }

        session.IsHeld = false;
        session.LostAt = null;
        if (session.IsAsked)
            (session.IsAsked, session.Adopter) = (false, null); // it is here itself
        if (_held == 0 || _options.OnWorkerLoss == WorkerLoss.Wait)
            return;
        foreach (Session other in _members)
        {
            if (other.IsHeld)
                GoOnWithout(other); // it was waited for because nobody else was there
        }
    }

    /// <summary>Can the worker send what comes next, and was nothing applied that it does not know of?</summary>
    private bool Agrees(Session session, JoinMessage join)
    {
        ulong applied = _shard!.ClockOf(session.Rank);
        bool isWithin = _shard.IsWithinPush(session.Rank);
        return session.NewWeight is null && join.Pushed >= (isWithin ? applied + 1 : applied) && join.Held <= applied + 1;
    }

    private void Welcome(Session session, bool resynchronises)
    {
        if (resynchronises)
            Resynchronise(session);
        SendAdmitted(session, resynchronises);
        SendStart(session);
        SendAdoptions(session);
        if (_phase == Phase.Leaving)
            SendText(session, FrameKind.Stop, _reason);
        else
            SendDue(session);
    }

    private void Resynchronise(Session session)
    {
        _shard!.Abandon(session.Rank);
        session.OwnDue = _policy.Optimizer is null;
        session.WelcomeDue = session.MayJump = true;
    }

    private void SendAdmitted(Session session, bool resynchronises)
    {
        _scratch.ResetWrittenCount();
        ulong sequence = _shard?.ClockOf(session.Rank) ?? 0;
        new AdmittedMessage(session.Rank, sequence, (uint)(_shard?.NextKeyOf(session.Rank) ?? 0), _shard?.Version ?? 0, _incarnation, resynchronises).Write(_scratch);
        session.Send(new FrameHeader(FrameKind.Admitted), _scratch.WrittenSpan);
    }

    private void SendStart(Session session)
    {
        _scratch.ResetWrittenCount();
        bool evicts = _options.OnWorkerLoss == WorkerLoss.Evict;
        new StartMessage(_members.Length, _shard!.Parameters, ShareOf(session), _policy.WorkersWait, _admission.Agreed, evicts).Write(_scratch);
        session.Send(new FrameHeader(FrameKind.Start), _scratch.WrittenSpan);
    }

    private double ShareOf(Session session)
    {
        double now = _weights[session.Rank], weight = session.NewWeight ?? now;
        return _admission.Aggregate == Aggregate.Sum ? 1 : weight / (_totalWeight + weight - now);
    }

    /// <summary>Its first push has come whole: from now on it counts.</summary>
    private void TakeWeight(Session session, double weight)
    {
        session.NewWeight = null;
        _shard!.SetWeight(session.Rank, weight);
        Weigh(session.Rank, session.Joined.Weight, session.Passes);
    }

    private void Weigh(int rank, double weight, double passes)
    {
        _weightedPasses += (weight - _weights[rank]) * passes;
        _totalWeight += weight - _weights[rank];
        _weights[rank] = weight;
        foreach (Session member in _members)
        {
            if (member.IsAbsent)
                continue;
            _scratch.ResetWrittenCount();
            new MembersMessage(ShareOf(member)).Write(_scratch);
            member.Send(new FrameHeader(FrameKind.Members), _scratch.WrittenSpan);
        }
    }

    /// <summary>A session's connection has gone.</summary>
    private void Gone(Session session, string reason, bool mayReturn)
    {
        session.GoneBecause = reason = session.GivenUp is { } word ? $"{word} ({reason})" : reason;
        mayReturn &= session.GivenUp is null;
        switch (_phase)
        {
            case Phase.Joining:
                Log?.Invoke($"{session.Name} went away before the start: {reason}");
                _admission.Withdraw(session);
                break;
            case Phase.Training or Phase.Finishing when session.LostAt is null && !session.IsAbsent:
                if (session.GivenUp is not null)
                    Lose(session, reason, mayReturn: false);
                else if (mayReturn && _time.GetElapsedTime(session.HeardAt) < _options.LivenessTimeout)
                    Log?.Invoke($"{session.Name} is disconnected: {reason.TrimEnd('.')}. It is lost unless it returns within {_options.LivenessTimeout.TotalSeconds:0.#} s");
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
        Log?.Invoke($"{session.Name} left: {reason}");
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

        session.IsAbsent = true;
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
        session.LostAt = _time.GetTimestamp();
        bool isLast = _left + _held + 1 == _members.Length;
        if (_options.OnWorkerLoss != WorkerLoss.Wait && !isLast)
        {
            Log?.Invoke($"{session.Name} was lost: {reason}");
            GoOnWithout(session);
        }
        else if (!mayReturn || _options.RejoinTimeout <= TimeSpan.Zero)
        {
            LoseForGood(session, reason);
        }
        else
        {
            session.IsHeld = true;
            _held++;
            Log?.Invoke($"{session.Name} was lost: {reason}. The job holds for {_options.RejoinTimeout.TotalSeconds:0.#} s: let it return, or start another worker with its part of the data and rank {session.Rank}");
        }
    }

    private void GoOnWithout(Session session)
    {
        if (session.IsHeld)
            _held--;
        session.IsHeld = false;
        session.IsAbsent = true;
        _left++;
        bool evicts = _options.OnWorkerLoss == WorkerLoss.Evict;
        Log?.Invoke($"the others go on without worker {session.Rank}, {(evicts ? "and without what it contributed" : "with what it contributed as it is")}");
        if (evicts)
        {
            _shard!.Evict(session.Rank);
            Weigh(session.Rank, 0, session.Passes);
        }

        Returned(session);
        Forgo(session);
        if (_phase is not (Phase.Training or Phase.Finishing))
            return;
        CountRounds();
        Release();
    }

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
            else if (member is { IsHeld: true, LostAt: { } lost } && _time.GetElapsedTime(lost, now) > _options.RejoinTimeout)
                LoseForGood(member, $"{member.GoneBecause.TrimEnd('.')}; it did not return within {_options.RejoinTimeout.TotalSeconds:0.#} s, nor did another in its place");
            if (_phase is not (Phase.Training or Phase.Finishing))
                return;
        }
    }
}
