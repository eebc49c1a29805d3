using System;
using System.Buffers;
using System.Numerics.Tensors;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>
/// One of several servers. Servers do not talk to each other: what one must know of another, the workers say. The first cuts the model, evaluates and ends the job, and collects at the end, from a
/// worker that has evaluated it, what the others have of the model.
/// </content>
public sealed partial class ParameterServer
{
    // For a piece of the model: of one worker, before another is asked, and of all.
    private static readonly TimeSpan CollectPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CollectPatience = TimeSpan.FromSeconds(30);

    private int[] _bounds = []; // of the first of several servers
    private ulong _asked; // at a server after the first: the evaluation that was asked for last
    private float[] _whole = []; // the model, as it is collected
    private int _collected;
    private ulong _modelIsOf; // the evaluation
    private Session? _collectsFrom;
    private long _collectedAt; // the last piece
    private long _collectUntil;

    /// <summary>Parameters of this server's shard.</summary>
    private int OwnParameters => _bounds.Length > 0 ? _bounds[1] : _admission.Parameters;

    /// <summary>Workers come to a server after the first when all are at the first.</summary>
    private TimeSpan JoinLimit => _options.Shard.IsFirst ? _options.JoinTimeout : 2 * _options.JoinTimeout;

    /// <summary>Cuts the model, at the first of several servers. False: the job has failed.</summary>
    private bool TryCut()
    {
        if (_options.Shard is not { IsFirst: true, Count: > 1 } shard)
            return true;
        if (shard.Cut(_admission.Parameters, _admission.RowLength, _admission.Agreement().Loads) is { } bounds)
        {
            _bounds = bounds;
            Log?.Invoke($"{_admission.Parameters} parameters are cut into {shard.Count} shards, from keys {string.Join(", ", bounds[..^1])} on");
            return true;
        }

        Fail($"{_admission.Parameters} parameters in rows of {_admission.RowLength} cannot be cut into {shard.Count} shards: start fewer servers.");
        return false;
    }

    /// <summary>What is wrong with the place that a worker, or a state on disk, gives this server; null: nothing.</summary>
    private string? WrongShard(JoinMessage join)
    {
        string? said = MessageParts.Find(join.Settings, ShardIndex.Setting), own = _options.Shard.Count > 1 ? _options.Shard.ToString() : null;
        if (said == own)
            return null;
        return said is null ? $"This server has shard {own}, and the worker was given it as the only one: give it all {_options.Shard.Count}, --server FIRST,SECOND,..."
            : own is null ? $"The worker takes this server for shard {said}, and it was started for the whole model: start it with --shard {said}, or give the worker this server alone."
            : $"The worker takes this server for shard {said}, and it has shard {own}: give all workers all servers, in the order of their shards, --server FIRST,SECOND,...";
    }

    /// <summary>A worker has the first server's part of an evaluation, and asks for this one's.</summary>
    private void AskedEvaluation(Session session, ulong number, bool isFinal)
    {
        if (_options.Shard.IsFirst || number == 0)
            throw new ProtocolException("Evaluations are asked for at servers after the first.") { Fault = FrameFault.OutOfTurn };
        bool isStale = _asked >> 32 == number >> 32 && number < _asked; // of the same life of the first server: its worker will hear of the newer one
        if (_shard is null || !_options.Evaluates || isStale || _phase is not (Phase.Training or Phase.Finishing))
            return;
        session.AskedEvaluation = _asked = number;
        if (isFinal && _phase == Phase.Training)
        {
            (_phase, _trained) = (Phase.Finishing, _time.GetElapsedTime(_startedAt));
            _phaseUntil = _stopWanted is null ? long.MaxValue : _phaseUntil;
            CloseOpening(isEnd: true);
            _shard.MostPublications = int.MaxValue;
        }

        BeginAskedEvaluation();
        if (_evaluation?.Number != number)
            return;
        session.EvaluationDue = true;
        if (!session.IsSending)
            SendDue(session);
    }

    /// <summary>The first who asks has it frozen; the others get the same.</summary>
    private void BeginAskedEvaluation()
    {
        if (_options.Shard.IsFirst || _asked == 0 || _evaluation?.Number == _asked)
            return;
        DropEvaluation();
        if (!TryFreeze(_asked))
            return; // a slow reader has the memory for it: the next tick tries again
        foreach (Session member in _members)
        {
            member.EvaluationDue = member is { IsAbsent: false } && member.AskedEvaluation == _asked;
            if (member.EvaluationDue && !member.IsSending)
                SendDue(member);
        }
    }

    /// <summary>With codec auto, the first server chooses for all.</summary>
    private void FollowCodec(string name)
    {
        if (_options.Shard.IsFirst)
            throw new ProtocolException("Which codec is used is for the first server to say.") { Fault = FrameFault.OutOfTurn };
        CodecSpec codec;
        try
        {
            codec = CodecSpec.Parse(name);
        }
        catch (FormatException e)
        {
            throw new ProtocolException(e.Message) { Fault = FrameFault.Codec };
        }

        if (_chooser is { IsIdle: false } && codec != _codec && codec != CodecSpec.Auto && codec.Ratio is null)
            SwitchTo(codec, "as at the first server");
    }

    /// <summary>A worker says that the first server has ended the job.</summary>
    private void FollowEnd(string reason)
    {
        if (_phase is not (Phase.Training or Phase.Finishing))
            return;
        _reason = reason;
        if (_phase == Phase.Training)
            _trained = _time.GetElapsedTime(_startedAt);
        Note(MonitorEventKind.Phase, $"the first server has ended the job: {reason}");
        SendStop();
    }

    /// <summary>Does the model have parts that are elsewhere? Then they are asked for, and the job ends when they are here.</summary>
    private bool BeginsToCollect()
    {
        if (_bounds.Length == 0 || _whole.Length > 0 || _model is null || !_options.Evaluates)
            return false; // with plain push and pull the workers have left, and each server has its own part
        if (_endsAtOnce)
        {
            _model = null; // a part of one is none
            Fail("It was asked to end at once, before what the other servers have of the model was here: it is not saved.");
            return true;
        }

        _modelIsOf = _evaluation?.Number ?? 0;
        try
        {
            _whole = new float[_bounds[^1]];
        }
        catch (OutOfMemoryException)
        {
            Fail($"This machine's memory does not take the whole model, {_bounds[^1]} parameters, beside this server's shard: let the first server run where there is more.");
            return true;
        }

        _phase = Phase.Collecting;
        DropEvaluation();
        _collectUntil = After(CollectPatience);
        Collect(_time.GetTimestamp());
        return true;
    }

    /// <summary>Looks for a worker that can send what is missing, and gives up when there was none for some time.</summary>
    private void Collect(long now)
    {
        if (now > _collectUntil || _endsAtOnce || _left == _members.Length)
        {
            _model = null;
            Fail("No worker could say what the other servers have of the model: it is not saved. Their logs say more.");
            return;
        }

        bool isSilent = _time.GetElapsedTime(_collectedAt, now) > CollectPause;
        if (_collectsFrom is { Peer: not null } && !isSilent)
            return;
        Session? best = null;
        foreach (Session member in _members)
        {
            if (member is { Peer: not null } && member != _collectsFrom && (best is null || (member.Evaluated == _modelIsOf && best.Evaluated != _modelIsOf)))
                best = member;
        }

        if ((best ?? _collectsFrom) is { Peer: not null } one)
            CollectFrom(one);
    }

    private void CollectFrom(Session session)
    {
        (_collectsFrom, _collectedAt) = (session, _time.GetTimestamp());
        _collected = _bounds[1];
        session.Send(new FrameHeader(FrameKind.Collect) { Sequence = _modelIsOf }, []);
    }

    private void Collected(Session session, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (_phase != Phase.Collecting || session != _collectsFrom)
            return; // it was asked, and then another one was
        if (header.KeyBegin != (ulong)_collected || header.KeyBegin + header.KeyCount > (ulong)_whole.Length)
            throw new ProtocolException($"Keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount} of the model came; key {_collected} of {_whole.Length} comes next.") { Fault = FrameFault.OutOfRange };
        Span<float> chunk = _whole.AsSpan(_collected, (int)header.KeyCount);
        Fp32Codec.CopyTo(payload, chunk);
        if (!TensorPrimitives.IsFiniteAll<float>(chunk))
            throw new ProtocolException("A part of the model has values that are no numbers.") { Fault = FrameFault.NotFinite };
        _collected += chunk.Length;
        (_collectedAt, _collectUntil) = (_time.GetTimestamp(), After(CollectPatience));
        if (_collected < _whole.Length)
            return;
        _model!.CopyTo(_whole, 0);
        _model = _whole;
        SendStop();
    }
}
