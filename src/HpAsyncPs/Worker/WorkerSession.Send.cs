using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <content>Pushes on their way, chunk by chunk, as the connection takes them.</content>
public sealed partial class WorkerSession
{
    private void Encode(ReadOnlySpan<float> x, PendingPush push)
    {
        int begin = push.Encoded, count = Math.Min(_chunkKeys, x.Length - begin);
        ReadOnlySpan<float> chunk = x.Slice(begin, count);
        if (_options.Aggregate == Aggregate.Optimized)
            chunk.CopyTo(push.Delta.Span.Slice(begin, count)); // a gradient, as it is
        else
            DeltaKernel.Encode(chunk, _reconstruction!.Span.Slice(begin, count), push.Delta.Span.Slice(begin, count));
        push.Encoded += count;
    }

    private void SendPending()
    {
        // A connection may say that it is writable from inside Send; the loop that is under way goes on by itself.
        if (_isSending)
            return;
        _isSending = true;
        try
        {
            SendChunks();
        }
        finally
        {
            _isSending = false;
        }
    }

    private void SendChunks()
    {
        while (_trains && !_hasEnded && !_isFull && NextToSend() is { } push && _sendingKey < push.Encoded)
        {
            ReadOnlySpan<float> delta = push.Delta.Span;
            int count = Math.Min(_chunkKeys, delta.Length - _sendingKey);
            var header = new FrameHeader(FrameKind.Push)
            {
                Codec = CodecId.Fp32,
                Flags = _sendingKey + count < delta.Length ? FrameFlags.None : push.Pulls ? FrameFlags.Last | FrameFlags.Pull : FrameFlags.Last,
                Sequence = push.Sequence,
                ShardVersion = push.FromVersion,
                KeyBegin = (ulong)_sendingKey,
                KeyCount = (uint)count,
                PassesQ8 = push.PassesQ8,
            };
            ReadOnlySpan<float> chunk = delta.Slice(_sendingKey, count);
            _sendingKey += count;
            if (_sendingKey == delta.Length)
                (_sendingSequence, _sendingKey) = (push.Sequence, 0);
            _isFull = true; // unless it takes the chunk, or says within Send that it can take more
            if (SendChunk(header, chunk))
                _isFull = false;
        }
    }

    private bool SendChunk(FrameHeader header, ReadOnlySpan<float> chunk)
    {
        int rowLength = _options.RowLength;
        int changed = rowLength == 1
            ? -1
            : RowsCodec.FindChanged(chunk, rowLength, _rows.AsSpan(0, RowsCodec.MostRows(chunk.Length, rowLength)));
        if (changed < 0)
            return Send(header, MemoryMarshal.AsBytes(chunk));
        header.Codec = CodecId.Rows;
        return Send(header, RowsCodec.Encode(chunk, rowLength, _rows.AsSpan(0, changed), 0, _payload));
    }

    private PendingPush? NextToSend()
    {
        for (int j = 0; j < _pendingCount; j++)
        {
            if (_pending[j].Sequence == _sendingSequence + 1)
                return _pending[j];
        }

        return null;
    }
}
