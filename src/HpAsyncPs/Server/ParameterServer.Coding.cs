using System;
using System.Collections.Generic;
using HpAsyncPs.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.Server;

/// <content>How deltas are coded, both ways, and whether both ends have the same of it.</content>
public sealed partial class ParameterServer
{
    // The best of three codecs, by rates that change, is looked for that often.
    private static readonly TimeSpan BetweenChoices = TimeSpan.FromMilliseconds(100);

    // A link that was never full in so many rounds takes whatever comes.
    private const int RoundsOfUnknownRates = 20;

    // That are kept for the report; the log has all.
    private const int MostDecisions = 200;

    private readonly Dictionary<CodecSpec, ChunkCoder> _coders = [];
    private readonly List<CodecDecision> _decisions = [];
    private CodecSpec _codec = CodecSpec.Fp32;
    private CodecChooser? _chooser;
    private PushMeter[] _meters = [];
    private readonly List<PushCost> _costs = [];
    private long _choiceAt;
    private ChunkCoder? _coder; // of snapshots; null: they go out as values
    private ChunkCoder? _evaluationCoder;
    private EvaluationStream? _evaluationStream;
    private bool _evaluatedExactly; // the last evaluation was not the stream's

    /// <summary>Checks that found the two ends of a session to have different vectors. The session was resynchronised each time.</summary>
    public long Disagreements { get; private set; }

    /// <summary>Are snapshots sent as changes, now or later? Known before the model is: rows always are.</summary>
    private bool Codes(int rowLength) => rowLength > 1 || _options.Codec != CodecSpec.Fp32;

    /// <summary>Memory for what the workers have, and what is evaluated.</summary>
    /// <exception cref="OutOfMemoryException">It does not fit.</exception>
    private void AssembleCoding(int parameters)
    {
        if (_options.Codec == CodecSpec.Auto)
        {
            _chooser = new CodecChooser(parameters, _options.CodingCosts, Array.Exists(_members, static member => member.Peer is null or { HasLink: true }));
            _meters = Array.ConvertAll(_members, static _ => new PushMeter());
        }

        CodecSpec codec = _chooser?.Current ?? _options.Codec;
        bool mayCode = _chooser is { IsIdle: true } ? _admission.RowLength > 1 : Codes(_admission.RowLength);
        if (mayCode)
        {
            var pool = new FloatPool(parameters, _members.Length + 2, "what the workers have of the aggregate, one a worker, and what is evaluated");
            foreach (Session member in _members)
                member.Downlink = new Downlink(Zeroed(pool));
            if (_options.Evaluates && _options.Codec != CodecSpec.Fp32 && _chooser is not { IsIdle: true })
                _evaluationStream = new EvaluationStream(Zeroed(pool), pool.Lease(), _shard!.ChunkKeys);
        }

        if (_chooser is { IsIdle: false })
            Decide(codec, "to begin with");
        else
            UseCodec(codec);
        if (_chooser is { IsIdle: true })
            _decisions.Add(new CodecDecision(0, codec.Name, $"vectors of less than {CodecChooser.LeastBytes / 1024} KiB are not coded"));
    }

    private void UseCodec(CodecSpec codec)
    {
        _codec = codec;
        _coder = codec == CodecSpec.Fp32 && _admission.RowLength == 1 ? null : CoderOf(codec);
        _evaluationCoder = codec.Ratio is null ? _coder : CoderOf(CodecSpec.Of(codec.Values)); // what most values are missing from would be no model to evaluate
    }

    private ChunkCoder CoderOf(CodecSpec codec)
    {
        if (!_coders.TryGetValue(codec, out ChunkCoder? coder))
            _coders[codec] = coder = new ChunkCoder(codec, _admission.RowLength, Math.Min(_shard!.ChunkKeys, _shard.Parameters));
        return coder;
    }

    private void Decide(CodecSpec codec, string reason)
    {
        UseCodec(codec);
        double seconds = _phase == Phase.Training ? _time.GetElapsedTime(_startedAt).TotalSeconds : 0;
        if (_decisions.Count < MostDecisions)
            _decisions.Add(new CodecDecision(seconds, codec.Name, reason));
        for (int rank = 0; rank < _meters.Length; rank++)
            _meters[rank].Restart(_members[rank], _shard!.ClockOf(rank));
        Tell(MonitorEventKind.Codec, $"codec {codec}: {reason}");
    }

    /// <summary>With codec auto: looks whether another one is better now, and tells the workers.</summary>
    private void ChooseCodec(long now)
    {
        if (!_options.Shard.IsFirst || _chooser is not { IsIdle: false } chooser || now < _choiceAt || _held > 0 || _rounds == 0)
            return;
        _choiceAt = After(BetweenChoices);
        List<PushCost> costs = _costs;
        costs.Clear();
        foreach (Session member in _members)
        {
            if (member is not { IsAbsent: false, Peer: { } peer } || _meters[member.Rank].Look(member, _shard!.ClockOf(member.Rank), peer.BytesPerSecond) is not { } cost)
                continue;
            if (peer.HasLink && !double.IsFinite(cost.UplinkRate + cost.DownlinkRate) && AverageRounds() < RoundsOfUnknownRates)
                return; // what is not known yet is no fast link
            costs.Add(cost);
        }

        if (costs.Count == 0 || chooser.Consider(AverageRounds(), costs, _policy.WorkersWait) is not { } reason)
            return;
        SwitchTo(chooser.Current, reason);
    }

    /// <summary>Another codec is used from now on, both ways.</summary>
    internal void SwitchTo(CodecSpec codec, string reason)
    {
        Decide(codec, reason);
        foreach (Session member in _members)
        {
            if (!member.IsAbsent)
                SendText(member, FrameKind.Codec, codec.Name);
        }
    }

    private double AverageRounds() => _shard!.Version / (double)_members.Length;

    private static FloatBuffer Zeroed(FloatPool pool)
    {
        FloatBuffer buffer = pool.Lease();
        buffer.Span.Clear();
        return buffer;
    }

    /// <summary>A worker says what it has of its own vector, behind a push, or, with no keys, that its snapshot is none of what was sent.</summary>
    private void Check(Session session, in FrameHeader header)
    {
        if (header.KeyCount == 0)
        {
            bool isKnown = header.Flags.Has(FrameFlags.Evaluate) ? session.ForgetEvaluation() : session.Downlink is { IsKnown: true };
            if (!isKnown)
                return; // the next one goes out whole anyhow
            Disagreements++;
            if (!header.Flags.Has(FrameFlags.Evaluate))
                session.Downlink!.IsKnown = false;
            Tell(MonitorEventKind.Disagreement, LogLine.Warning($"{session.Name} has another snapshot than the server thinks: the next one goes out whole", session.Rank));
            return;
        }

        if (_shard is null || header.KeyCount > _shard.ChunkKeys || header.KeyBegin + header.KeyCount > (ulong)_shard.Parameters)
            throw new ProtocolException($"A check of keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount}; the shard has {_shard?.Parameters ?? 0}, and one chunk is checked at a time.") { Fault = FrameFault.OutOfRange };
        if (_policy.Optimizer is not null || session.Disagrees || header.Sequence == session.Checked || _shard.ClockOf(session.Rank) != header.Sequence || _shard.IsWithinPush(session.Rank))
            return; // it is behind a push that came a second time, or comes a second time itself
        session.Checked = header.Sequence;
        if (VectorChecksum.Of(_shard.ReconstructionOf(session.Rank).Slice((int)header.KeyBegin, (int)header.KeyCount)) == header.ShardVersion)
            return;
        Disagreements++;
        session.Disagrees = true;
        Note(MonitorEventKind.Disagreement, $"{session.Name} has another vector than the server after push {header.Sequence}: the session is resynchronised");
        throw new ProtocolException($"Worker {session.Rank} has another vector than the server after push {header.Sequence}, in keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount}: the session is resynchronised.")
        { MayRetry = true };
    }
}
