using System;
using System.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <summary>Snapshots as they arrive, chunk by chunk.</summary>
public sealed partial class WorkerSession
{
    private void ReceiveChunk(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        Snapshot arriving = _arriving!;
        int parameters = arriving.Values.Length;
        int begin = _arrived, count = (int)header.KeyCount;
        bool last = begin + count == parameters;
        if (header.KeyBegin != (ulong)begin || count > parameters - begin || count > _chunkKeys || last != header.Flags.Has(FrameFlags.Last)
            || begin % _chunkKeys != 0)
        {
            throw new ProtocolException($"A snapshot chunk of keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount} came; "
                + $"key {begin} of {parameters} comes next.");
        }

        bool isOwn = header.Flags.Has(FrameFlags.Own);
        if (isOwn != _awaitsOwn || (isOwn && header.Codec != CodecId.Fp32))
            throw new ProtocolException(isOwn ? "this worker's own vector came unasked" : "a snapshot came before this worker's own vector");
        Span<float> chunk = arriving.Values.Slice(begin, count);
        if (header.Codec != CodecId.Fp32 || header.Flags.Has(FrameFlags.Change))
            ReceiveChange(header, payload, begin, chunk);
        else
            Fp32Codec.CopyTo(payload, chunk);
        arriving.SetContains(begin / _chunkKeys, header.Sequence);
        _arrived = last ? 0 : begin + count;
        if (!last)
            return;
        if (isOwn)
        {
            ReceiveOwn(arriving.Values);
            return;
        }

        arriving.Version = header.ShardVersion;
        arriving.Rounds = header.Rounds;
        arriving.IsTogether = header.Flags.Has(FrameFlags.Half);
        arriving.Passes = header.PassesQ8 / 256.0;
        if (header.Flags.Has(FrameFlags.Evaluate))
        {
            arriving.Evaluation = header.Sequence;
            (_arriving, _toEvaluate) = (_toEvaluate, arriving);
            _hasEvaluation = true;
            if (header.Flags.Has(FrameFlags.Final))
            {
                IsFinishing = true;
                _interrupt.Cancel();
            }

            News?.Invoke(this);
            return;
        }

        (_arriving, _newest) = (_newest, arriving);
        _hasNewer = true;
        ArrivedAt = _time.GetTimestamp();
        _pulling = AwaitsSnapshot = false;
    }

    /// <summary>What changed since the last snapshot, or evaluation, that came whole; without flag change, the rows that are others than in the last snapshot.</summary>
    private void ReceiveChange(in FrameHeader header, in ReadOnlySequence<byte> payload, int begin, Span<float> chunk)
    {
        ReadOnlySpan<byte> bytes = payload.FirstSpan;
        if (!payload.IsSingleSegment)
        {
            payload.CopyTo(_onePiece);
            bytes = _onePiece.AsSpan(0, (int)payload.Length);
        }

        if (Delta.Read((DeltaCodec)header.Codec, bytes, chunk.Length, _options.RowLength, out Delta delta) is { } wrong)
            throw new ProtocolException($"a change of codec {header.Codec} cannot be read: {wrong}");
        if (!float.IsFinite(delta.LargestMagnitude()))
            throw new ProtocolException($"a change of codec {header.Codec} has values that are no numbers");
        bool isChange = header.Flags.Has(FrameFlags.Change);
        Snapshot last = !isChange || !header.Flags.Has(FrameFlags.Evaluate) ? LastSnapshot : LastEvaluation;
        last.Values.Slice(begin, chunk.Length).CopyTo(chunk);
        if (isChange)
            delta.AddTo(chunk);
        else
            delta.CopyTo(chunk);
    }

    private Snapshot LastEvaluation => _hasEvaluation ? _toEvaluate! : _evaluating!;

    private Snapshot LastSnapshot => _hasNewer ? _newest! : _current!;

    /// <summary>The server says what it thinks that this worker has.</summary>
    private void Check(in FrameHeader header)
    {
        FrameFlags what = header.Flags & FrameFlags.Evaluate;
        ReadOnlySpan<float> values = (what == FrameFlags.None ? LastSnapshot : LastEvaluation).Values;
        if (header.KeyCount == 0 || header.KeyBegin + header.KeyCount > (ulong)values.Length)
            throw new ProtocolException($"A check of keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount} came; there are {values.Length}.");
        if (VectorChecksum.Of(values.Slice((int)header.KeyBegin, (int)header.KeyCount)) == header.ShardVersion)
            return;
        Disagreements++;
        _options.Log?.Invoke(LogLine.Warning("this worker's snapshot is none of what the server sent; the next one comes whole", Rank));
        Send(new FrameHeader(FrameKind.Check) { Flags = what }, []);
    }
}
