using System;
using System.Runtime.InteropServices;
using HpAsyncPs.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server;

/// <summary>
/// What all workers evaluate, where deltas are coded: it follows the aggregate by coded changes, the same bytes for all. The objective is exact for the vector
/// that is here, and it is this vector that a run which meets its target ends with.
/// </summary>
internal sealed class EvaluationStream(FloatBuffer values, FloatBuffer room, int chunkKeys)
{
    private readonly int[] _lengths = new int[(values.Length + chunkKeys - 1) / chunkKeys];
    private readonly CodecId[] _codecs = new CodecId[(values.Length + chunkKeys - 1) / chunkKeys];

    /// <summary>What is evaluated.</summary>
    public ReadOnlySpan<float> Values => values.Span;

    /// <summary>Number of the evaluation that it is at; 0: of none.</summary>
    public ulong Number { get; private set; }

    /// <summary>Number of the evaluation before: who had that one whole is sent the change.</summary>
    public ulong Previous { get; private set; }

    /// <summary>Coded changes so far.</summary>
    public ulong Changes { get; private set; }

    /// <summary>Takes the aggregate as it is: nobody has the evaluation before, which was of something else.</summary>
    public void Begin(ulong number, ReadOnlySpan<float> aggregate)
    {
        (Previous, Number) = (ulong.MaxValue, number);
        aggregate.CopyTo(values.Span);
    }

    /// <summary>Moves on to the aggregate as it is now.</summary>
    public void Advance(ulong number, ReadOnlySpan<float> aggregate, DeltaEncoder encoder)
    {
        (Previous, Number) = (Number, number);
        Changes++;
        Span<float> all = values.Span;
        for (int begin = 0; begin < all.Length; begin += chunkKeys)
        {
            int count = Math.Min(chunkKeys, all.Length - begin), chunk = begin / chunkKeys;
            _lengths[chunk] = encoder.Encode(aggregate.Slice(begin, count), all.Slice(begin, count), Room(begin, count), out DeltaCodec codec);
            _codecs[chunk] = (CodecId)codec;
        }
    }

    /// <summary>The coded change of a chunk.</summary>
    public ReadOnlySpan<byte> Change(int begin, int count, out CodecId codec)
    {
        codec = _codecs[begin / chunkKeys];
        return Room(begin, count)[.._lengths[begin / chunkKeys]];
    }

    private Span<byte> Room(int begin, int count) => MemoryMarshal.AsBytes(room.Span.Slice(begin, count));
}
