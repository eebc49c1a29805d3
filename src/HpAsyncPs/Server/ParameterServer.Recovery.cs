using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>From disk to where the job stood: the newest checkpoint that is whole, then what the journal has after it.</content>
public sealed partial class ParameterServer
{
    // A line of the log each; of a larger job the sum is told.
    private const int MostStandsTold = 64;

    private long[] _positions = []; // for each chunk of the state: where the journal ended when the checkpoint copied it
    private readonly List<ulong> _faulty = []; // checkpoints that could not be used
    private readonly List<(ulong Id, JoinMessage Join, ulong Generation)> _starting = []; // in the journal, until the start that they are of
    private long _replayed;

    /// <summary>Takes up the job that is on disk. Before anybody connects. False: there is none, and one begins.</summary>
    /// <exception cref="InputException">What is on disk is of another job or damaged, or cannot be read.</exception>
    public bool Recover()
    {
        if (_state is null)
            return false;
        IReadOnlyList<ulong> numbers = _state.Checkpoints.Numbers();
        foreach (ulong number in numbers)
        {
            _checkpoints = Math.Max(_checkpoints, number);
            if (TryRecoverFrom(number))
                return true;
            Forget();
            _state.Reopen();
        }

        bool hadBegun = numbers.Count > 0 || _state.HasBegun();
        long cut = 0;
        if (numbers.Count > 0 && _state.Journal.BeginsAt() is > 0 and var start)
            throw Damaged($"no checkpoint is whole, and the journal begins at position {start} only. Nothing was changed there: a copy of a checkpoint may be put in its place");
        ReplayFrom(0, _ => (cut = _state.Journal.Cut) >= 0 && (_shard is not null || !hadBegun));
        if (_shard is not null)
            Recovered("the journal alone");
        else if (hadBegun)
            throw Damaged($"a job was training there, but {(numbers.Count > 0 ? "no checkpoint is whole, and " : "")}of the journal nothing can be read from its beginning on ({cut} bytes are torn or corrupt). Nothing was changed there: a copy may be put in its place");
        else
            Forget(); // some had joined, perhaps, when the server ended
        Take();
        return _shard is not null;
    }

    private bool TryRecoverFrom(ulong number)
    {
#pragma warning disable CA2000 // disposed below, where there is one
        bool isWhole = _state!.Checkpoints.TryOpen(number, out CheckpointReader? opened, out string? why);
#pragma warning restore CA2000
        using CheckpointReader? reader = opened;
        if (!isWhole)
        {
            Log?.Invoke(LogLine.Warning($"{why}; {(number == _state.Checkpoints.Numbers()[^1] ? "there is none before it" : "the one before it is taken")}"));
            _faulty.Add(number);
            return false;
        }

        long copiedAt = 0;
        JobHead head = JobHead.Read(reader!) ?? throw Damaged($"the head of checkpoint {number} is not whole");
        TakeUp(head);
        while (reader!.TryNext(out ReadOnlyMemory<byte> section))
        {
            if (section.Length == sizeof(long))
                copiedAt = BinaryPrimitives.ReadInt64LittleEndian(section.Span);
            else if (!_shard!.TryRestore(section.Span, _positions))
                throw Damaged($"checkpoint {number} has a section that is none of this job");
        }

        (_checkpointFrom, _previousFrom) = (head.Position, head.Position);
        if (ReplayFrom(head.Position, end => end >= copiedAt) < copiedAt)
        {
            Log?.Invoke(LogLine.Warning($"the journal ends before checkpoint {number} does; the checkpoint before it is taken"));
            _faulty.Add(number); // the journal goes on from there with something else
            return false;
        }

        Recovered($"checkpoint {number}");
        Take();
        return true;
    }

    /// <summary>What is on disk is written on from here. Checkpoints that could not be used must not be counted among those that are kept. Only after another way was found: they are evidence.</summary>
    private void Take()
    {
        if (_reshards)
            return; // it stays there
        foreach (ulong number in _faulty)
            _state!.Checkpoints.Delete(number);
        _faulty.Clear();
        _state!.Start();
    }

    private long ReplayFrom(long position, Func<long, bool> accepts)
    {
        _replayed = 0;
        bool isAccepted = false;
        long end = _state!.Journal.Replay(position, Replay, at => isAccepted = accepts(at));
        if (isAccepted && _state.Journal.Cut > 0)
            Log?.Invoke(LogLine.Warning($"{_state.Journal.Cut} bytes at the end of the journal, after {_replayed} records, were torn or corrupt, and are cut off"));
        return end;
    }

    /// <summary>What a checkpoint says of the job, but for the vectors.</summary>
    private void TakeUp(JobHead head)
    {
        if (head.Ranks.Length == 0)
            throw Damaged("its checkpoint has no workers");
        _admission = NewAdmission(head.Ranks.Length);
        try
        {
            for (int rank = 0; rank < head.Ranks.Length; rank++)
                _admission.Admit(head.Ranks[rank].Session, head.Ranks[rank].Join with { Rank = rank });
        }
        catch (ProtocolException e)
        {
            throw Damaged($"its workers do not fit each other ({e.Message})");
        }

        _admission.Restore(head.Agreed);
        Begin(head);
        for (int rank = 0; rank < head.Ranks.Length; rank++)
        {
            RankHead of = head.Ranks[rank];
            Session member = _members[rank];
            _shard!.Restore(rank, of.Sequence, (int)of.NextKey, of.Factor);
            (_clocks[rank], _weights[rank]) = (of.Clock, of.Weight);
            (member.Passes, member.PassesBefore, member.UplinkBytes) = (of.Passes, of.PassesBefore, of.UplinkBytes);
            member.RestoreDownlink(of.DownlinkBytes);
            member.Generation = of.Generation;
            member.IsAbsent = of.HasLeft;
        }

        _shard!.Restore(head.Version);
        _startedAt = _time.GetTimestamp() - (long)(head.Seconds * _time.TimestampFrequency);
    }

    /// <summary>The job's arrays, and the shard with zeros.</summary>
    private void Begin(JobHead head)
    {
        if (head.Policy != _policy.Name)
            throw Damaged($"it is of a job with policy {head.Policy}, and this server was started with policy {_policy.Name}: start it as it was");
        if (_options.Rate is { } rate && head.Rate != rate)
            throw Damaged($"it is of a job with learning rate {head.Rate:R}, and this server was started with {rate:R}: start it as it was");
        if (WrongShard(head.Agreed) is not null || !TryCut())
            throw Damaged($"it is of another shard than {_options.Shard}, for which this server was started: give each server the state of its own shard");
        _rate = head.Rate;
        Assemble();
        _positions = new long[_shard!.StateChunks];
    }

    private void Replay(long begin, long end, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        _replayed++;
        try
        {
            ReplayRecord(begin, header, payload);
        }
        catch (ProtocolException e)
        {
            throw Damaged($"the record of the journal at position {begin} does not fit ({e.Message})");
        }
    }

    private void ReplayRecord(long begin, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (header.Kind == FrameKind.Join)
        {
            ReplayJoin(header, JoinMessage.Read(payload));
            return;
        }

        if (header.Kind == FrameKind.Start)
        {
            ReplayStart(JobHead.Read(payload.ToArray()));
            return;
        }

        Session session = _admission.Find(header.Session) ?? throw new ProtocolException($"session {header.Session} is not known");
        if (_shard is null)
            throw new ProtocolException($"{header.Kind} before the start");
        switch (header.Kind)
        {
            case FrameKind.Push:
                bool isThere = begin < _positions[_shard.ChunkOf(session.Rank, (int)header.KeyBegin)];
                if (_shard.Apply(session.Rank, header, payload, isThere))
                    Count(session, header, isMeasured: false);
                break;
            case FrameKind.Admitted:
                RestoreClock(session.Rank, header);
                _shard.Abandon(session.Rank);
                session.Generation = header.ShardVersion;
                break;
            case FrameKind.Members:
                _shard.Restore(session.Rank, _shard.ClockOf(session.Rank), _shard.NextKeyOf(session.Rank), BinaryPrimitives.ReadDoubleLittleEndian(payload.ToArray()));
                RestoreClock(session.Rank, header);
                _weights[session.Rank] = _shard.WeightOf(session.Rank) > 0 ? session.Joined.Weight : 0;
                break;
            case FrameKind.Leave when header.Flags.Has(FrameFlags.Final):
                session.IsAbsent = true;
                break;
            case FrameKind.Leave:
                _shard.ReplayEviction(session.Rank, begin, _positions);
                _weights[session.Rank] = 0;
                break;
            default:
                throw new ProtocolException($"a journal has no {header.Kind}");
        }
    }

    private void ReplayJoin(in FrameHeader header, JoinMessage join)
    {
        int rank = (int)Math.Min(header.Sequence, int.MaxValue);
        if (_shard is null || header.Flags.Has(FrameFlags.Final))
        {
            if (rank == 0)
                _starting.Clear(); // all join in the order of their ranks, just before the start; those before had none
            _starting.Add((header.Session, join with { Rank = rank }, header.ShardVersion));
            return;
        }

        if (rank >= _members.Length)
            throw new ProtocolException($"there is no rank {rank}");
        var session = new Session(header.Session, join, rank);
        session.Follow(_members[rank]);
        session.Generation = header.ShardVersion;
        _members[rank] = session;
        _admission.Replace(session);
        RestoreClock(rank, header);
        _shard.Abandon(rank);
    }

    /// <summary>Training begins; or it goes on with other workers, from what those before had reached.</summary>
    private void ReplayStart(JobHead head)
    {
        if (_starting.Count == 0)
            throw new ProtocolException("a start without workers");
        EarlierJob? earlier = _shard is null ? null : Reached();
        Forget();
        _admission = NewAdmission(_starting.Count);
        foreach ((ulong id, JoinMessage join, ulong generation) in _starting)
            _admission.Admit(id, join).Generation = generation;
        _admission.Restore(head.Agreed);
        Begin(head);
        if (earlier is not null)
            BeginFrom(earlier, head.Seconds);
    }

    /// <summary>What a worker missed while it was away is no debt, after a recovery either.</summary>
    private void RestoreClock(int rank, in FrameHeader header) => _clocks[rank] = Math.Max(_clocks[rank], header.Rounds);

    /// <summary>All is replayed: training goes on as soon as the workers are there again.</summary>
    private void Recovered(string from)
    {
        if (_members.Length != _options.Workers || _members[0].Id == 0 || _reshards)
        {
            TakeEarlier(from);
            return;
        }

        _shard!.Restored();
        long now = _time.GetTimestamp();
        (_totalWeight, _weightedPasses, _left) = (0, 0, 0);
        foreach (Session member in _members)
        {
            _totalWeight += _weights[member.Rank];
            _weightedPasses += _weights[member.Rank] * member.Passes;
            bool isEvicted = _shard.WeightOf(member.Rank) == 0 && _policy.Optimizer is null;
            member.LostAt = isEvicted ? now : null;
            member.IsAbsent |= isEvicted;
            _left += member.IsAbsent ? 1 : 0;
            member.HeardAt = now;
            member.Durable = _shard.ClockOf(member.Rank);
            member.GoneBecause = "the server was started anew";
        }

        CountRounds();
        _phase = Phase.Training;
        OpenAgain();
        _gathering?.Restart();
        for (int rank = 0; rank < _members.Length; rank++)
            _speeds.Sent(rank, Seconds());
        _evaluateAt = _options.Evaluates ? now : long.MaxValue;
        _checkpointAt = After(_state!.CheckpointInterval);
        _startsAt = _state.HasBegun() ? 0 : 1;
        _monitor.Begin(Seconds());
        Tell(MonitorEventKind.Phase, $"recovered from {from} and {_replayed} records of the journal: {_shard.Version} pushes of {_members.Length} workers; waiting for them");
        TellStands();
    }

    private void TellStands()
    {
        for (int rank = 0; rank < _members.Length && _members.Length <= MostStandsTold; rank++)
            TellStand(rank);
    }

    /// <summary>Where a worker stands: what was acknowledged beyond that was lost with what was not on disk.</summary>
    private void TellStand(int rank) =>
        Log?.Invoke(new LogLine($"rank {rank} stands at push {_shard!.ClockOf(rank)}, key {_shard.NextKeyOf(rank)}, generation {_members[rank].Generation}", Rank: rank));

    private void Forget()
    {
        _admission = NewAdmission(_options.Workers);
        (_shard, _members, _timeline) = (null, [], null);
        _coders.Clear();
        _decisions.Clear();
    }

    private InputException Damaged(string what) => new($"The state in '{_state!.Where}' cannot be taken up: {what}. To begin anew, move that folder away.");
}
