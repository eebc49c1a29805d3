using System;
using System.Buffers;
using System.Collections.Generic;
using HpAsyncPs.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;
using Microsoft.Extensions.ObjectPool;

namespace HpAsyncPs.Server;

/// <summary>
/// A key range with its parameters and its single writer. Keeps each worker's reconstruction h_i and the weighted sum
/// S = sum_i w_i h_i in double; the aggregate is S times a scale (1 / sum_i w_i for a mean, 1 for a sum), so that a
/// change of weights needs no sweep. No I/O, no locks: one thread calls it.
/// </summary>
public sealed class Shard
{
    /// <summary>
    /// The sum is made anew from the reconstructions after this many pushes, so that its rounding error is bounded by
    /// a constant and not by the number of pushes. One sweep a worker in 65,536 costs nothing that can be measured.
    /// </summary>
    public const int PushesBetweenRebuilds = 65_536;

    private readonly Reconstruction[] _reconstructions;
    private readonly double[] _sum;
    private readonly double _scale;
    private readonly FloatPool _snapshots;
    private readonly DefaultObjectPool<Publication> _publications;
    private Publication? _newest;
    private int _sinceRebuild;

    /// <param name="parameters">Number of parameters.</param>
    /// <param name="weights">One for each rank.</param>
    /// <param name="aggregate">Mean or sum.</param>
    public Shard(int parameters, ReadOnlySpan<double> weights, Aggregate aggregate)
    {
        Parameters = parameters;
        _sum = new double[parameters];
        double total = 0;
        foreach (double weight in weights)
            total += weight;
        _scale = aggregate == Aggregate.Mean ? 1 / total : 1;

        // Users: the newest publication, the one being evaluated, the next one, and one old one a slow reader.
        _snapshots = new FloatPool(parameters, weights.Length + 3, "publications of a shard");
        _publications = new DefaultObjectPool<Publication>(new PublicationPolicy(weights.Length), weights.Length + 3);
        var pool = new FloatPool(parameters, weights.Length, "reconstructions, one a worker");
        _reconstructions = new Reconstruction[weights.Length];
        for (int rank = 0; rank < weights.Length; rank++)
        {
            FloatBuffer h = pool.Lease();
            h.Span.Clear();
            _reconstructions[rank] = new Reconstruction(h, aggregate == Aggregate.Mean ? weights[rank] : 1);
        }
    }

    /// <summary>Number of parameters.</summary>
    public int Parameters { get; }

    /// <summary>+1 for every push applied whole.</summary>
    public ulong Version { get; private set; }

    /// <summary>Publications that somebody holds.</summary>
    public int LeasedPublications => _snapshots.Leased;

    /// <summary>The weighted sum, for tests.</summary>
    public ReadOnlySpan<double> Sum => _sum;

    /// <summary>The factor from sum to aggregate.</summary>
    public double Scale => _scale;

    /// <summary>Bytes that a shard takes for each parameter: at least, and with every reader slow.</summary>
    public static (long Least, long Most) BytesPerParameter(long workers) => (8 + (4 * (workers + 1)), 8 + (4 * ((2 * workers) + 3)));

    /// <summary>A rank's reconstruction.</summary>
    public ReadOnlySpan<float> ReconstructionOf(int rank) => _reconstructions[rank].Values.Span;

    /// <summary>The last push of a rank that is applied whole.</summary>
    public ulong ClockOf(int rank) => _reconstructions[rank].Sequence;

    /// <summary>
    /// Applies one chunk of a push: validated whole, then applied, exactly once. A chunk that was applied before is
    /// left alone. Returns true when it completed a push.
    /// </summary>
    /// <exception cref="ProtocolException">The chunk is out of turn, out of range or not finite; nothing was applied.</exception>
    public bool Apply(int rank, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        Reconstruction of = _reconstructions[rank];
        if (header.KeyBegin + header.KeyCount > (ulong)Parameters)
        {
            throw new ProtocolException($"Worker {rank} pushed keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount}, "
                + $"the shard has {Parameters}.");
        }

        int begin = (int)header.KeyBegin, count = (int)header.KeyCount;
        bool old = header.Sequence <= of.Sequence || (header.Sequence == of.Sequence + 1 && begin + count <= of.NextKey);
        if (old)
            return false;
        if (header.Sequence != of.Sequence + 1 || begin != of.NextKey)
        {
            throw new ProtocolException($"Worker {rank} pushed chunk {begin} of push {header.Sequence}; "
                + $"chunk {of.NextKey} of push {of.Sequence + 1} comes next.");
        }

        bool last = begin + count == Parameters;
        if (last != header.Flags.Has(FrameFlags.Last) || (!last && count != Limits.ChunkParameters))
        {
            throw new ProtocolException($"Worker {rank} pushed a {(last ? "last " : "")}chunk of keys {begin} to {begin + count}; chunks have "
                + $"{Limits.ChunkParameters} keys, and the last one ends at key {Parameters}.");
        }

        Span<float> h = of.Values.Span.Slice(begin, count);
        if (!Fp32Codec.StaysFinite(payload, h))
        {
            throw new ProtocolException($"Worker {rank} pushed NaN, infinity or an overflow in keys {begin} to {begin + count} "
                + $"of push {header.Sequence}: check its data and step size. Nothing of that chunk was applied.");
        }

        Fp32Codec.Apply(payload, of.Weight, h, _sum.AsSpan(begin, count));
        of.NextKey = begin + count;
        if (!last)
            return false;
        of.Sequence++;
        of.NextKey = 0;
        Version++;
        if (++_sinceRebuild == PushesBetweenRebuilds)
            Rebuild();
        return true;
    }

    /// <summary>The present state, frozen; the caller is a reader of it. Null when every buffer is held by readers.</summary>
    public Publication? TryPublish()
    {
        if (_newest is null || _newest.Version != Version)
        {
            if (_newest is not null)
                Release(_newest);
            _newest = TryFreeze();
        }

        _newest?.Acquire();
        return _newest;
    }

    /// <summary>A reader lets go.</summary>
    public void Release(Publication publication)
    {
        if (publication.Release())
            _publications.Return(publication);
    }

    /// <summary>Lets go of the publication that the shard keeps for the next reader.</summary>
    public void ForgetNewest()
    {
        if (_newest is not null)
            Release(_newest);
        _newest = null;
    }

    private Publication? TryFreeze()
    {
        FloatBuffer? values = _snapshots.TryLease();
        if (values is null)
            return null;
        Publication publication = _publications.Get();
        DeltaKernel.Publish(_sum, _scale, values.Span);
        publication.Freeze(values, Version);
        for (int rank = 0; rank < _reconstructions.Length; rank++)
            publication.SetContains(rank, _reconstructions[rank].Sequence, _reconstructions[rank].NextKey);
        publication.Acquire();
        return publication;
    }

    private void Rebuild()
    {
        _sinceRebuild = 0;
        Array.Clear(_sum);
        foreach (Reconstruction of in _reconstructions)
            DeltaKernel.AddWeighted(of.Values.Span, of.Weight, _sum);
    }

    private sealed class Reconstruction(FloatBuffer values, double weight)
    {
        public FloatBuffer Values { get; } = values;

        public double Weight { get; } = weight;

        /// <summary>The last push that is applied whole.</summary>
        public ulong Sequence { get; set; }

        /// <summary>The first key of the next push that is not applied yet.</summary>
        public int NextKey { get; set; }
    }

    private sealed class PublicationPolicy(int workers) : PooledObjectPolicy<Publication>
    {
        public override Publication Create() => new(workers);

        public override bool Return(Publication obj) => true;
    }
}
