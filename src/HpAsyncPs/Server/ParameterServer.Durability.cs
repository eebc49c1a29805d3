using System;
using System.Buffers;
using System.Buffers.Binary;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Durability;

namespace HpAsyncPs.Server;

/// <content>
/// What is kept on disk: a journal of what was applied, in the frames that brought it, and now and then a checkpoint. Kinds in the journal, with the session's
/// generation in the version field and its rank's clock in that of the rounds:
/// Join (rank in the sequence field): a session takes a rank over, with flag final: it is one of those of the next Start, which all stand before it; Start: training begins, or goes on with other workers; Push; Admitted: the session was resynchronised;
/// Members: the weight of its vector; Leave: it was evicted, with flag final: it left in order.
/// </content>
public sealed partial class ParameterServer
{
    /// <summary>Why a server ends whose job goes on with another start of it.</summary>
    public const string Suspended = "suspended";

    /// <summary>How long the last checkpoint may take: the journal has what it lacks.</summary>
    public static readonly TimeSpan SuspendTimeout = TimeSpan.FromSeconds(10);

    private readonly DurableState? _state;
    private readonly ArrayBufferWriter<byte> _record = new(1024);
    private byte[] _section = [];
    private CheckpointWriter? _checkpoint;
    private ulong _checkpoints; // number of the newest
    private long _checkpointAt;
    private long _checkpointFrom;
    private long _previousFrom;
    private readonly ArrayBufferWriter<byte> _head = new(1024);
    private int _headCopied;
    private int _copied;
    private long _copiedAt; // where the journal ended when the last chunk was copied; 0: not all are
    private long _committedAt;
    private long _startsAt; // where the journal has the start of the job, until that is on disk
    private long _suspendBy; // 0: that is not wanted

    /// <summary>The checkpoint that is being written, for tests without threads: they do its work.</summary>
    internal CheckpointWriter? Checkpoint => _checkpoint;

    private bool AcknowledgesDurable => _state is { Interval: null };

    /// <summary>
    /// Makes a checkpoint and ends, within <see cref="SuspendTimeout"/>, without ending the job: the workers wait for another start of the server. Nobody is
    /// admitted meanwhile. With nothing on disk it ends the job.
    /// </summary>
    public void RequestSuspend()
    {
        if (_state is null || _phase != Phase.Training)
            RequestStop("stopped", SuspendTimeout);
        else if (_suspendBy == 0)
            (_suspendBy, _checkpointAt) = (After(SuspendTimeout), long.MinValue);
    }

    /// <summary>Something has become durable: pushes that wait for that are acknowledged.</summary>
    public void JournalAdvanced()
    {
        if (_state is null || _phase is Phase.Joining or Phase.Ended)
            return;
        long durable = _state.Journal.Durable;
        foreach (Session member in _members)
        {
            if (member.BecomesDurable(durable))
                SendAcknowledged(member, followed: false);
        }
    }

    private void Keep(FrameKind kind, Session session, ReadOnlySpan<byte> payload, FrameFlags flags = FrameFlags.None)
    {
        if (_state is null)
            return;
        var header = new FrameHeader(kind) { Session = session.Id, Sequence = (ulong)session.Rank, ShardVersion = session.Generation, Rounds = (uint)Math.Min(uint.MaxValue, _clocks[session.Rank]), Flags = flags, PayloadLength = (uint)payload.Length };
        _state.Journal.Append(header, new ReadOnlySequence<byte>(payload.ToArray()));
        _state.Journal.Commit();
    }

    private void KeepJoin(Session session, FrameFlags flags = FrameFlags.None)
    {
        _record.ResetWrittenCount();
        session.Joined.Write(_record);
        Keep(FrameKind.Join, session, _record.WrittenSpan, flags);
    }

    private void KeepStart()
    {
        if (_state is null)
            return;
        foreach (Session member in _members)
            KeepJoin(member, FrameFlags.Final);
        _record.ResetWrittenCount();
        Head(0, ranks: []).Write(_record);
        Keep(FrameKind.Start, _members[0], _record.WrittenSpan);
        _startsAt = _state.Journal.End;
        _checkpointAt = After(_state.CheckpointInterval);
    }

    private void KeepWeight(Session session)
    {
        Span<byte> factor = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(factor, _shard!.WeightOf(session.Rank));
        Keep(FrameKind.Members, session, factor);
    }

    /// <summary>A chunk was applied: it goes into the journal, and with <see cref="AcknowledgesDurable"/> its push is acknowledged when that is on disk.</summary>
    private void KeepPush(Session session, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_state is null)
            return;
        long end = _state.Journal.Append(header, payload);
        if (!AcknowledgesDurable || !header.Flags.Has(FrameFlags.Last) || _state.Journal.Failure is not null)
            return; // a failed journal takes nothing more: the job ends at the next tick
        session.AwaitDurable(end, header.Sequence);
        _state.Journal.Commit();
    }

    /// <summary>Commits, makes checkpoints, and looks whether the disk still takes anything.</summary>
    private void TickState(long now)
    {
        if (_state is null || _phase is not (Phase.Training or Phase.Finishing))
            return;
        if (_state.Journal.Failure is { } failure)
        {
            Fail(failure);
            return;
        }

        if (_startsAt > 0 && _state.Journal.Durable >= _startsAt)
        {
            _startsAt = 0;
            if (_state.TryMarkBegun() is { } trouble)
            {
                Fail(trouble);
                return;
            }
        }

        if (_state.Interval is { } interval && _time.GetElapsedTime(_committedAt, now) >= interval)
        {
            _committedAt = now;
            _state.Journal.Commit();
        }

        if (_checkpoint is null && (now >= _checkpointAt || _state.Journal.End - _checkpointFrom > DurableState.JournalBytes) && (_state.Journal.End > _checkpointFrom || _suspendBy > 0))
            BeginCheckpoint();
        if (_checkpoint is not null)
            GoOnWithCheckpoint(_checkpoint, _state.Journal);
        if (_suspendBy > 0 && (now > _suspendBy || (_checkpoint is null && _checkpointAt != long.MinValue)))
        {
            Log?.Invoke("the state is on disk; the server ends, and the job goes on when it is started again");
            (_reason, _trained) = (Suspended, _time.GetElapsedTime(_startedAt));
            End();
        }
    }

    private void BeginCheckpoint()
    {
        _checkpointFrom = _state!.Journal.End;
        _head.ResetWrittenCount();
        Head(_checkpointFrom, Array.ConvertAll(_members, HeadOf)).WriteWithLength(_head);
        _checkpoint = _state.Begin(++_checkpoints);
        (_headCopied, _copied, _copiedAt) = (0, 0, 0);
        _checkpointAt = After(_state.CheckpointInterval);
        if (_section.Length == 0)
            _section = new byte[_shard!.LargestSection];
    }

    /// <summary>Writes what is left of the head, as far as there is room.</summary>
    private bool TryCopyHead(CheckpointWriter checkpoint)
    {
        while (_headCopied < _head.WrittenCount)
        {
            ReadOnlySpan<byte> piece = _head.WrittenSpan[_headCopied..];
            piece = piece[..Math.Min(piece.Length, Limits.ChunkBytes)];
            if (!checkpoint.TryWrite(piece))
                return false;
            _headCopied += piece.Length;
        }

        return true;
    }

    private void GoOnWithCheckpoint(CheckpointWriter checkpoint, Journal journal)
    {
        bool hasHead = TryCopyHead(checkpoint);
        while (hasHead && _copied < _shard!.StateChunks && TryCopy(checkpoint, journal.End))
            _copied++;
        if (_copied == _shard!.StateChunks && _copiedAt == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(_section, journal.End);
            if (!checkpoint.TryWrite(_section.AsSpan(0, sizeof(long))))
                return;
            _copiedAt = journal.End;
            journal.Commit();
        }

        // Only what the journal has, too, may be in a checkpoint: else a push that was lost with the journal would be applied twice.
        if (_copiedAt > 0 && journal.Durable >= _copiedAt)
            checkpoint.Complete();
        if (checkpoint.State == CheckpointState.Done)
        {
            journal.Truncate(_previousFrom); // the checkpoint before this one may be needed
            _previousFrom = _checkpointFrom;
            DropCheckpoint();
        }
        else if (checkpoint.State == CheckpointState.Failed)
        {
            string failure = checkpoint.Failure!;
            DropCheckpoint();
            Fail(failure);
        }
    }

    private bool TryCopy(CheckpointWriter checkpoint, long position)
    {
        for (int part = 0; part < _shard!.SectionsOfChunk; part++)
        {
            if (!checkpoint.TryWrite(_section.AsSpan(0, _shard.Copy(_copied, part, position, _section))))
                return false; // all parts of the chunk come again, at one position
        }

        return true;
    }

    private void DropCheckpoint()
    {
        _checkpoint?.Dispose();
        _checkpoint = null;
    }

    private JobHead Head(long position, RankHead[] ranks) => new()
    {
        Position = position,
        Version = _shard!.Version,
        Agreed = _admission.Agreement(),
        Seconds = _time.GetElapsedTime(_startedAt).TotalSeconds,
        Rate = _rate,
        Policy = _policy.Name,
        Ranks = ranks,
    };

    private RankHead HeadOf(Session member) => new()
    {
        Session = member.Id,
        Join = member.Joined,
        Sequence = _shard!.ClockOf(member.Rank),
        NextKey = (uint)_shard.NextKeyOf(member.Rank),
        Clock = _clocks[member.Rank],
        Factor = _shard.WeightOf(member.Rank),
        Weight = _weights[member.Rank],
        Passes = member.Passes,
        PassesBefore = member.PassesBefore,
        UplinkBytes = member.UplinkBytes,
        DownlinkBytes = member.DownlinkBytes,
        Generation = member.Generation,
        HasLeft = member is { IsAbsent: true, LostAt: null },
    };

    private long After(TimeSpan time) => _time.GetTimestamp() + (long)(time.TotalSeconds * _time.TimestampFrequency);
}
