using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Optimizers;

namespace HpAsyncPs.Server;

/// <content>The values of a chunk: validated whole, then decoded and applied in one sweep from where they were received.</content>
public sealed partial class Shard
{
    // A bound is a sum of floats in double, and more by what rounding h + c to a float can add, each time.
    private const double Rounding = 1 + (1.0 / (1 << 23));

    private bool ApplyValues(int rank, Reconstruction of, CodecId codec, in ReadOnlySequence<byte> payload, int begin, int count)
    {
        Span<double> sum = _sum.AsSpan(begin, count);
        if (_optimizer is not null)
            return ApplyGradient(rank, _optimizer, codec, payload, begin, sum);
        Span<float> h = of.Values!.Span.Slice(begin, count);
        ref double bound = ref _bounds[(rank * Chunks) + (begin / ChunkKeys)];
        if (codec == CodecId.Fp32)
        {
            if (!Fp32Codec.StaysWithin(payload, h, _limit))
                return false;
            Fp32Codec.Apply(payload, of.Weight, h, sum);
            bound = double.PositiveInfinity; // not known without a sweep
            return true;
        }

        Delta delta = Read(rank, codec, payload, count);
        if (!StaysWithin(delta, h, ref bound))
            return false;
        delta.Apply(of.Weight, h, sum);
        return true;
    }

    /// <summary>Would the chunk stay within the limit? The bound becomes that of what it will be.</summary>
    private bool StaysWithin(in Delta delta, ReadOnlySpan<float> h, ref double bound)
    {
        double most = delta.LargestMagnitude(), after = (bound + most) * Rounding;
        if (!(after <= _limit))
            after = (DeltaKernel.LargestMagnitude(h) + most) * Rounding; // as it is, not as it may have become
        if (!(after <= _limit) && !delta.StaysWithin(h, _limit))
            return false;
        bound = Math.Min(after, _limit);
        return true;
    }

    private bool ApplyGradient(int rank, IServerOptimizer optimizer, CodecId codec, in ReadOnlySequence<byte> payload, int begin, Span<double> x)
    {
        if (codec == CodecId.Fp32)
            return optimizer.TryApply(payload, begin, x, _limit);
        Read(rank, codec, payload, x.Length).Decode(MemoryMarshal.Cast<byte, float>(_decoded.AsSpan(0, x.Length * sizeof(float))));
        return optimizer.TryApply(new ReadOnlySequence<byte>(_decoded, 0, x.Length * sizeof(float)), begin, x, _limit);
    }

    private Delta Read(int rank, CodecId codec, in ReadOnlySequence<byte> payload, int count)
    {
        if (codec == CodecId.Rows && RowLength == 1)
            throw new ProtocolException($"Worker {rank} pushed rows; this model has none.") { Fault = FrameFault.Codec };
        if (Delta.Read((DeltaCodec)codec, OnePiece(payload), count, RowLength, out Delta delta) is { } wrong)
            throw new ProtocolException($"Worker {rank} pushed a chunk of codec {codec} that cannot be read: {wrong}.") { Fault = FrameFault.Codec };
        return delta;
    }

    /// <summary>What to say of values that were not applied.</summary>
    private ProtocolException Unfit(int rank, in FrameHeader header, in ReadOnlySequence<byte> payload, int begin, int count)
    {
        bool isFinite = float.IsFinite(header.Codec == CodecId.Fp32 ? Fp32Codec.LargestMagnitude(payload) : Read(rank, header.Codec, payload, count).LargestMagnitude());
        string what = isFinite ? $"values that would take a parameter beyond {_limit:g3}, an overflow or a --max-magnitude of hpaps-server," : "NaN, infinity or an overflow";
        return new ProtocolException($"Worker {rank} pushed {what} in keys {begin} to {begin + count} of push {header.Sequence}: check its data and "
            + $"{(_optimizer is null ? "step size" : "give a smaller --rate")}. Nothing of that chunk was applied.")
        { Fault = isFinite ? FrameFault.TooLarge : FrameFault.NotFinite };
    }

    private ReadOnlySpan<byte> OnePiece(in ReadOnlySequence<byte> payload)
    {
        if (payload.IsSingleSegment)
            return payload.FirstSpan;
        payload.CopyTo(_onePiece);
        return _onePiece.AsSpan(0, (int)payload.Length);
    }
}
