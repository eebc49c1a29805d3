using System;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <content>Pushes on their way, chunk by chunk, as the connection takes them.</content>
public sealed partial class WorkerSession
{
    private CodecSpec? _codec;
    private DeltaEncoder? _encoder;
    private bool _hasResidual; // of gradients, perhaps

    private const int RepeatsOfFourBits = 3; // of small vectors, which cost round trips alone

    /// <summary>How often each push of a round of two exchanges is repeated, so that next to nothing is left out of it: not at all where the codec leaves out nothing, or the bytes would cost too much.</summary>
    internal int Repeats => _codec is not { Ratio: null, Values: not ValueCodec.Fp32 } || Started!.Parameters * sizeof(float) >= Limits.SmallVectorBytes ? 0
        : _codec.Values == ValueCodec.Int4 ? RepeatsOfFourBits : 1;

    private void Encode(ReadOnlySpan<float> x, PendingPush push)
    {
        int begin = push.Encoded, count = Math.Min(_chunkKeys, x.Length - begin);
        ReadOnlySpan<float> chunk = x.Slice(begin, count);
        Span<float> h = _reconstruction!.Span.Slice(begin, count);
        Span<byte> room = push.Room(begin, count);
        if (_options.Aggregate == Aggregate.Optimized && !_hasResidual)
        {
            MemoryMarshal.AsBytes(chunk).CopyTo(room); // a gradient, as it is
            push.Set(begin, count, CodecId.Fp32, room.Length);
            return;
        }

        int bytes = _encoder!.Encode(chunk, h, room, out DeltaCodec codec);
        push.Set(begin, count, (CodecId)codec, bytes);
        if (_options.Aggregate == Aggregate.Optimized)
            TensorPrimitives.Subtract(h, chunk, h); // a gradient is not there next time: what is kept is minus the residual
        else if (push.HasCheck && begin / _chunkKeys == push.Check.Chunk)
            push.Check = (push.Check.Chunk, VectorChecksum.Of(h));
    }

    /// <summary>Pushes are coded so from now on.</summary>
    private void Code(string name)
    {
        CodecSpec spec;
        try
        {
            spec = CodecSpec.Parse(name);
        }
        catch (FormatException e)
        {
            throw new ProtocolException(e.Message);
        }

        if (spec == _codec)
            return;
        _codec = spec;
        News?.Invoke(this);
        _encoder = new DeltaEncoder(spec.For(_options.RowLength, (ulong)Rank + 1), Math.Min(_chunkKeys, Started?.Parameters ?? _chunkKeys));
        _hasResidual |= spec.Values != ValueCodec.Fp32 || spec.Ratio is not null;
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
            int parameters = Started!.Parameters, count = Math.Min(_chunkKeys, parameters - _sendingKey);
            var header = new FrameHeader(FrameKind.Push)
            {
                Codec = push.Codec(_sendingKey),
                Flags = _sendingKey + count < parameters ? FrameFlags.None : push.Pulls ? FrameFlags.Last | FrameFlags.Pull : FrameFlags.Last,
                Sequence = push.Sequence,
                ShardVersion = push.FromVersion,
                KeyBegin = (ulong)_sendingKey,
                KeyCount = (uint)count,
                PassesQ8 = push.PassesQ8,
            };
            header.Flags |= push.IsHalf ? FrameFlags.Half : FrameFlags.None;
            ReadOnlySpan<byte> payload = push.Payload(_sendingKey, count);
            _sendingKey += count;
            bool isLast = _sendingKey == parameters;
            if (isLast)
                (_sendingSequence, _sendingKey) = (push.Sequence, 0);
            _isFull = true; // unless it takes the chunk, or says within Send that it can take more
            if (Send(header, payload))
                _isFull = false;
            if (isLast && push.HasCheck)
                SendCheck(push, parameters);
        }
    }

    private void SendCheck(PendingPush push, int parameters)
    {
        int begin = push.Check.Chunk * _chunkKeys, count = Math.Min(_chunkKeys, parameters - begin);
        Send(new FrameHeader(FrameKind.Check) { Sequence = push.Sequence, KeyBegin = (ulong)begin, KeyCount = (uint)count, ShardVersion = push.Check.Checksum }, []);
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
