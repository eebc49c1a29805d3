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
        if (header.KeyBegin != (ulong)begin || count > parameters - begin || last != header.Flags.Has(FrameFlags.Last)
            || begin % _chunkKeys != 0)
        {
            throw new ProtocolException($"A snapshot chunk of keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount} came; "
                + $"key {begin} of {parameters} comes next.");
        }

        bool isOwn = header.Flags.Has(FrameFlags.Own);
        if (isOwn != _awaitsOwn || (isOwn && header.Codec != CodecId.Fp32))
            throw new ProtocolException(isOwn ? "this worker's own vector came unasked" : "a snapshot came before this worker's own vector");
        if (header.Codec == CodecId.Rows)
            ReceiveRows(payload, begin, arriving.Values.Slice(begin, count));
        else
            Fp32Codec.CopyTo(payload, arriving.Values.Slice(begin, count));
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

            return;
        }

        (_arriving, _newest) = (_newest, arriving);
        _hasNewer = true;
        _pulling = AwaitsSnapshot = false;
        DropContained();
    }

    /// <summary>
    /// Pushes that the newest snapshot contains make room. What is not acknowledged may have to be sent again, and stays: with a server that waits for its
    /// disk the acknowledgement comes after the snapshot, and maybe nothing after it, so both ask.
    /// </summary>
    private void DropContained()
    {
        ulong whole = Math.Min((_hasNewer ? _newest : _current)!.ContainsWhole(), Acknowledged);
        int done = 0;
        while (done < _pendingCount && _pending[done].Sequence <= whole)
            done++;
        if (done == 0)
            return;

        // Contained pushes go to the end of the ring and are used again.
        for (int j = 0; j < done; j++)
        {
            PendingPush push = _pending[0];
            Array.Copy(_pending, 1, _pending, 0, _pending.Length - 1);
            _pending[^1] = push;
        }

        _pendingCount -= done;
    }

    /// <summary>Changed rows, over what the last whole snapshot has in the other rows.</summary>
    private void ReceiveRows(in ReadOnlySequence<byte> payload, int begin, Span<float> destination)
    {
        ReadOnlySpan<byte> bytes = payload.FirstSpan;
        if (!payload.IsSingleSegment)
        {
            payload.CopyTo(_onePiece);
            bytes = _onePiece.AsSpan(0, (int)payload.Length);
        }

        if (_options.RowLength == 1)
            throw new ProtocolException("rows of a snapshot came; this model has none");
        if (RowsCodec.Read(bytes, destination.Length, _options.RowLength, out ChangedRows rows) is { } wrong)
            throw new ProtocolException($"rows of a snapshot cannot be read: {wrong}");
        Snapshot last = _hasNewer ? _newest! : _current!;
        if (last.Version != rows.BaseVersion)
            throw new ProtocolException($"rows of a snapshot complete version {rows.BaseVersion}; this worker has {last.Version}");
        last.Values.Slice(begin, destination.Length).CopyTo(destination);
        rows.CopyTo(destination);
    }
}
