using System;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

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
        if (_suspendBy > 0)
            throw new ProtocolException("The server is being stopped; the job goes on when it is started again.") { MayRetry = true };
        if (WrongShard(join) is { } wrong)
            throw new ProtocolException(wrong);
        if (_admission.Find(id) is { } known)
            GoOn(peer, known, join);
        else if (_phase == Phase.Joining && _earlier is not null && PartsOf(join) is { } parts)
            throw new ProtocolException($"The job goes on with {_options.Workers} workers, and this one has a part of the data as it is cut for {parts}: start it anew, with its part of now.");
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
        AdmitBeforeStart(session);
        Tell(MonitorEventKind.Membership, new LogLine($"{session.Name} joined with weight {session.Joined.Weight}; {_admission.Joined} of {_options.Workers} are here", Rank: session.Rank));
        if (_admission.IsComplete)
            Start();
    }

    /// <summary>Nothing is known here of what the session has pushed to another life of the server: then it is resynchronised at the start.</summary>
    private void AdmitBeforeStart(Session session)
    {
        bool resynchronises = !session.Joined.IsFresh || _earlier is not null;
        session.Generation = session.Joined.Generation + (resynchronises ? 1UL : 0UL);
        SendAdmitted(session, resynchronises);
    }

    /// <summary>A session goes on over another connection: the server says where it stands, and the worker sends what is missing.</summary>
    private void GoOn(Peer peer, Session session, JoinMessage join)
    {
        if (join.Attempt <= session.Joined.Attempt)
            throw new ProtocolException($"{session.Name} has a later connection: this one was overtaken.");
        if (!session.Joined.AsksAs(join))
            throw new ProtocolException($"{session.Name} joined with other settings, parameters or weight than it names now: a session goes on as it began.");
        if (session.Peer is { } old)
            Remove(old);
        session.Attach(peer, join);
        session.MayLack = true;
        Reconnects++;
        if (_phase == Phase.Joining)
        {
            AdmitBeforeStart(session);
            return;
        }

        bool returns = session.LostAt is not null || session.IsAbsent;
        _monitor.Returned(session.Rank);
        Tell(MonitorEventKind.Membership, new LogLine($"{session.Name} is back{(returns ? "" : " over another connection")}", Rank: session.Rank));
        Return(session, join.Weight);
        if (returns)
            KeepWeight(session); // and its clock
        Welcome(session, resynchronises: !Agrees(session, join));
        EndHolding();
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
            throw new ProtocolException($"Rank {rank} is taken by {earlier.Address}: give each worker a rank of its own. If that worker is dead, it is given up after {_options.LivenessTimeout.TotalSeconds:0.#} s.") { MayRetry = true };
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
        if (_opening is not null && earlier.IsReturning)
            (session.IsReturning, earlier.IsReturning) = (true, false); // its part is not in the aggregate yet
        else
            Returned(earlier);
        session.Attach(peer, join);
        _monitor.Returned(rank);
        Tell(MonitorEventKind.Membership, new LogLine($"{session.Name} takes the place of worker {rank} ({earlier.Address})", Rank: session.Rank));
        Return(session, join.Weight);
        Welcome(session, resynchronises: true, isNew: true);
        EndHolding();
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

        _held -= session.IsHeld ? 1 : 0;
        (session.IsHeld, session.LostAt) = (false, null);
        if (session.IsAsked)
            (session.IsAsked, session.Adopter) = (false, null); // it is here itself
    }

    /// <summary>Somebody has returned: what waited for that goes on.</summary>
    private void EndHolding()
    {
        if (_held > 0 && _options.OnWorkerLoss != WorkerLoss.Wait)
        {
            foreach (Session other in _members)
            {
                if (other.IsHeld)
                    GoOnWithout(other); // it was waited for because nobody else was there
            }
        }

        if (_held == 0 && _phase == Phase.Training)
            Release();
    }

    /// <summary>Can the worker send what comes next, and was nothing applied that it does not know of?</summary>
    private bool Agrees(Session session, JoinMessage join)
    {
        ulong applied = _shard!.ClockOf(session.Rank);
        bool isWithin = _shard.IsWithinPush(session.Rank);
        return session.NewWeight is null && !session.Disagrees && join.Generation == session.Generation && join.Pushed >= (isWithin ? applied + 1 : applied) && join.Held <= applied + 1;
    }

    private void Welcome(Session session, bool resynchronises, bool isNew = false)
    {
        if (resynchronises)
        {
            TellStand(session.Rank); // what it has pushed beyond that and cannot push again is lost
            session.Generation = Math.Max(session.Generation, session.Joined.Generation) + 1;
            Resynchronise(session);
            if (isNew)
                KeepJoin(session);
            else
                Keep(FrameKind.Admitted, session, []);
        }

        SendAdmitted(session, resynchronises);
        SendStart(session);
        if (!resynchronises)
            SendAcknowledged(session, followed: false); // those that went over the old connection may not have arrived
        SendAdoptions(session);
        if (_phase is Phase.Leaving or Phase.Ended)
            SendText(session, FrameKind.Stop, _reason);
        else
            SendDue(session);
        if (_collectsFrom == session)
            CollectFrom(session); // from the beginning
    }

    private void Resynchronise(Session session)
    {
        _shard!.Abandon(session.Rank);
        session.Disagrees = false;
        session.Durable = _shard.ClockOf(session.Rank);
        session.OwnDue = _policy.Optimizer is null;
        session.WelcomeDue = session.MayJump = true;
        _pulling.Add(session.Rank); // should there be no memory for a publication now
    }

    private void SendAdmitted(Session session, bool resynchronises)
    {
        _scratch.ResetWrittenCount();
        ulong sequence = _shard?.ClockOf(session.Rank) ?? 0;
        new AdmittedMessage(session.Rank, sequence, (uint)(_shard?.NextKeyOf(session.Rank) ?? 0), _shard?.Version ?? 0, _incarnation, session.Generation, resynchronises).Write(_scratch);
        session.Send(new FrameHeader(FrameKind.Admitted), _scratch.WrittenSpan);
    }

    private void SendStart(Session session)
    {
        _scratch.ResetWrittenCount();
        bool evicts = _options.OnWorkerLoss == WorkerLoss.Evict;
        new StartMessage(_members.Length, _shard!.Parameters, ShareOf(session), _policy.WorkersWait, _admission.Agreed, evicts, _codec.Name, _bounds).Write(_scratch);
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
        KeepWeight(session);
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
}
