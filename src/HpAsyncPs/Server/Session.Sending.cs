using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <content>A snapshot, or the worker's own vector, on its way to the worker.</content>
public sealed partial class Session
{
    private enum Way
    {
        Nothing,
        Own,
        Values,
        Rows,
        Change,
        EvaluationChange,
    }

    private Way _way;
    private Publication? _sending;
    private EvaluationStream? _sendingStream;
    private ChunkCoder? _coder;
    private FrameFlags _sendingFlags;
    private ulong _sendingVersion;
    private ulong _sendingEvaluation;
    private ulong? _hasEvaluation; // number of the last evaluation that the worker has whole, 0: zeros; null: not known
    private uint _sendingRounds;
    private double _sendingPasses;
    private int _nextKey;

    /// <summary>What its worker has of the aggregate; null where snapshots go out as values.</summary>
    internal Downlink? Downlink { get; set; }

    internal bool IsSending => _way != Way.Nothing;

    /// <summary>When the snapshot that is being sent was begun.</summary>
    internal long SendingSince { get; private set; }

    /// <param name="publication">What is sent.</param>
    /// <param name="now">When.</param>
    /// <param name="flags">Of every chunk.</param>
    /// <param name="evaluation">Number of the evaluation, or 0.</param>
    /// <param name="passes">Of the whole job, now.</param>
    /// <param name="rounds">Pushes of the worker that has made the fewest, now: later ones are not in the publication.</param>
    /// <param name="coder">How changes are coded; null: values are sent as they are.</param>
    internal void Begin(Publication publication, long now, FrameFlags flags, ulong evaluation, double passes, ulong rounds, ChunkCoder? coder)
    {
        Begin(now, flags, evaluation, passes, rounds);
        (_sending, _sendingVersion, _coder) = (publication, publication.Version, coder);
        _way = coder is null || Downlink is not { IsKnown: true } ? Way.Values : coder.IsExact ? Way.Rows : Way.Change;
    }

    /// <summary>Begins to send what is evaluated: as a change to who had the evaluation before.</summary>
    internal void Begin(EvaluationStream stream, ulong version, long now, double passes, ulong rounds)
    {
        Begin(now, FrameFlags.Evaluate, stream.Number, passes, rounds);
        (_sendingStream, _sendingVersion) = (stream, version);
        _way = _hasEvaluation == stream.Previous ? Way.EvaluationChange : Way.Values;
    }

    /// <summary>Begins to send the worker its own vector. It does not push until it has it, so the vector stays as it is.</summary>
    internal void BeginOwn(long now)
    {
        SendingSince = now;
        _way = Way.Own;
        _nextKey = 0;
    }

    /// <summary>Sends chunks while the connection takes them. True when what is being sent has gone out whole.</summary>
    internal bool SendChunks(Shard shard)
    {
        int parameters = shard.Parameters;
        while (_nextKey < parameters && !IsFull)
        {
            int count = Math.Min(shard.ChunkKeys, parameters - _nextKey);
            var header = new FrameHeader(FrameKind.Snapshot)
            {
                Codec = CodecId.Fp32,
                Flags = _nextKey + count == parameters ? FrameFlags.Last : FrameFlags.None,
                KeyBegin = (ulong)_nextKey,
                KeyCount = (uint)count,
            };
            SendChunk(shard, header, _nextKey, count);
            _nextKey += count;
        }

        if (_nextKey < parameters)
            return false;
        SentWhole(shard);
        return true;
    }

    /// <summary>Ends the sending, finished or not; the caller releases what it returns.</summary>
    internal Publication? EndSending()
    {
        Publication? sent = _sending;
        (_way, _sending, _sendingStream) = (Way.Nothing, null, null);
        return sent;
    }

    private void Begin(long now, FrameFlags flags, ulong evaluation, double passes, ulong rounds)
    {
        SendingSince = now;
        _sendingPasses = passes;
        _sendingRounds = (uint)Math.Min(uint.MaxValue, rounds);
        _sendingFlags = flags;
        _sendingEvaluation = evaluation;
        _nextKey = 0;
    }

    private void SendChunk(Shard shard, FrameHeader header, int begin, int count)
    {
        if (_way == Way.Own)
        {
            header.Flags |= FrameFlags.Own;
            header.Sequence = shard.ClockOf(Rank);
            header.ShardVersion = shard.Version;
            Send(header, MemoryMarshal.AsBytes(shard.ReconstructionOf(Rank).Slice(begin, count)));
            return;
        }

        header.Flags |= _sendingFlags | (_way is Way.Change or Way.EvaluationChange ? FrameFlags.Change : FrameFlags.None);
        header.Sequence = _sendingFlags.Has(FrameFlags.Evaluate) ? _sendingEvaluation : _sending!.Contains(Rank, begin);
        header.ShardVersion = _sendingVersion;
        header.Rounds = _sendingRounds;
        header.PassesQ8 = Passes8(_sendingPasses);
        ReadOnlySpan<byte> payload;
        if (_way == Way.EvaluationChange)
        {
            payload = _sendingStream!.Change(begin, count, out CodecId codec);
            header.Codec = codec;
        }
        else if (_way == Way.Change)
        {
            payload = _coder!.Encode(_sending!.Values.Slice(begin, count), Downlink!.Values.Slice(begin, count), out CodecId codec);
            header.Codec = codec;
        }
        else
        {
            ReadOnlySpan<float> values = (_sendingStream is { } stream ? stream.Values : _sending!.Values).Slice(begin, count);
            payload = MemoryMarshal.AsBytes(values);
            if (_way == Way.Rows)
            {
                payload = _coder!.EncodeRows(values, Downlink!.Values.Slice(begin, count), out CodecId codec);
                header.Codec = codec;
            }

            if (_coder is not null && !_sendingFlags.Has(FrameFlags.Evaluate))
                values.CopyTo(Downlink!.Values[begin..]);
        }

        Send(header, payload);
    }

    private void SentWhole(Shard shard)
    {
        if (_sendingStream is { } stream)
        {
            _hasEvaluation = stream.Number;
            if (_way == Way.EvaluationChange && stream.Changes % Limits.BetweenChecks == 0)
                SendCheck(shard, stream.Changes, stream.Values, FrameFlags.Evaluate);
        }
        else if (_sendingFlags.Has(FrameFlags.Evaluate) && _way != Way.Own)
        {
            _hasEvaluation = null; // the aggregate itself, and not what the stream has
        }
        else if (Downlink is { } downlink && _way is Way.Values or Way.Rows or Way.Change)
        {
            if (_way == Way.Values)
                downlink.IsKnown = _coder is not null; // no change makes known what is not, or is not any more
            else if (++downlink.Changes % Limits.BetweenChecks == 0)
                SendCheck(shard, downlink.Changes, downlink.Values, FrameFlags.None);
        }
    }

    /// <summary>The worker has another evaluation than was sent: the next one goes out as values. False: it does anyhow.</summary>
    internal bool ForgetEvaluation()
    {
        bool had = _hasEvaluation is not null;
        _hasEvaluation = null;
        return had;
    }

    private void SendCheck(Shard shard, ulong changes, ReadOnlySpan<float> values, FrameFlags flags)
    {
        int chunks = (shard.Parameters + shard.ChunkKeys - 1) / shard.ChunkKeys;
        int begin = (int)(changes / Limits.BetweenChecks % (ulong)chunks) * shard.ChunkKeys, count = Math.Min(shard.ChunkKeys, shard.Parameters - begin);
        Send(new FrameHeader(FrameKind.Check) { Flags = flags, KeyBegin = (ulong)begin, KeyCount = (uint)count, ShardVersion = VectorChecksum.Of(values.Slice(begin, count)) }, []);
    }

    private static uint Passes8(double passes) => (uint)Math.Min(uint.MaxValue, passes * 256);
}
