using System;
using System.Buffers;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using HpAsyncPs.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server.Optimizers;
using Microsoft.Extensions.ObjectPool;

namespace HpAsyncPs.Server;

/// <summary>
/// A key range with its parameters and its single writer. Keeps each worker's reconstruction h_i and the weighted sum
/// S = sum_i w_i h_i in double; the aggregate is S times a scale (1 / sum_i w_i for a mean, 1 for a sum), so that a
/// change of weights needs no sweep. With an optimiser there are no reconstructions: S is the model, and each push a gradient. No I/O, no locks: one thread calls it.
/// </summary>
public sealed partial class Shard
{
    /// <summary>
    /// The sum is made anew from the reconstructions after this many pushes, so that its rounding error is bounded by
    /// a constant and not by the number of pushes. One sweep a worker in 65,536 costs nothing that can be measured.
    /// </summary>
    public const int PushesBetweenRebuilds = 65_536;

    private readonly Reconstruction[] _reconstructions;

    // For each rank: its last push that is applied whole, and the first key of the next one that is not applied yet.
    private readonly ulong[] _sequences;
    private readonly int[] _nextKeys;
    private readonly double[] _sum;
    private readonly byte[] _onePiece = new byte[Limits.ChunkBytes];
    private readonly byte[] _decoded;

    // For each rank and chunk: |h| is at most this, so that a delta whose scales say that it is small needs no look at its values.
    private readonly double[] _bounds;
    private readonly bool _isMean;
    private readonly float _limit;
    private double _scale;
    private readonly FloatPool _snapshots;
    private readonly DefaultObjectPool<Publication> _publications;
    private readonly IServerOptimizer? _optimizer;
    private Publication? _newest;
    private int _sinceRebuild;

    /// <param name="parameters">Number of parameters.</param>
    /// <param name="rowLength">Parameters in a row; divides their number.</param>
    /// <param name="weights">One for each rank.</param>
    /// <param name="aggregate">What is made of the pushes.</param>
    /// <param name="optimizer">With <see cref="Aggregate.Optimized"/>: applies the gradients, started; else null.</param>
    /// <param name="mostChunkKeys">Keys of a chunk, at most.</param>
    /// <param name="mostMagnitude">Of a parameter of a worker's vector, or with an optimiser of the model and of a gradient.</param>
    public Shard(
        int parameters, int rowLength, ReadOnlySpan<double> weights, Aggregate aggregate, IServerOptimizer? optimizer = null, int mostChunkKeys = Limits.ChunkParameters,
        float mostMagnitude = float.MaxValue)
    {
        _optimizer = optimizer;
        Parameters = parameters;
        RowLength = rowLength;
        ChunkKeys = Limits.ChunkKeys(rowLength, weights.Length, mostChunkKeys);
        _sum = new double[parameters];
        _decoded = optimizer is null ? [] : new byte[ChunkKeys * sizeof(float)];
        _bounds = new double[optimizer is null ? weights.Length * Chunks : 0];
        double total = 0;
        foreach (double weight in weights)
            total += weight;
        _isMean = aggregate == Aggregate.Mean;
        _scale = aggregate == Aggregate.Mean ? 1 / total : 1;
        _limit = Math.Min(mostMagnitude, aggregate == Aggregate.Sum ? float.MaxValue / weights.Length : float.MaxValue); // the aggregate stays finite too

        // Users: the newest publication, the one being evaluated, the next one, and one old one a slow reader. See MostPublications.
        _snapshots = new FloatPool(parameters, weights.Length + 3, "publications of a shard");
        _publications = new DefaultObjectPool<Publication>(new PublicationPolicy(weights.Length), weights.Length + 3);
        _reconstructions = new Reconstruction[weights.Length];
        _sequences = new ulong[weights.Length];
        _nextKeys = new int[weights.Length];
        FloatPool? pool = optimizer is null ? new FloatPool(parameters, weights.Length, "reconstructions, one a worker") : null;
        for (int rank = 0; rank < weights.Length; rank++)
        {
            FloatBuffer? h = pool?.Lease();
            h?.Span.Clear();
            _reconstructions[rank] = new Reconstruction(h, aggregate == Aggregate.Mean ? weights[rank] : 1);
        }
    }

    /// <summary>Number of parameters.</summary>
    public int Parameters { get; }

    /// <summary>Parameters in a row.</summary>
    public int RowLength { get; }

    /// <summary>Keys in every chunk but the last.</summary>
    public int ChunkKeys { get; }

    /// <summary>+1 for every push applied whole.</summary>
    public ulong Version { get; private set; }

    /// <summary>
    /// Publications, of 4 bytes a parameter each, beyond which <see cref="TryPublish()"/> makes no other one: who wants one waits for a
    /// reader to let go.
    /// </summary>
    public int MostPublications { get; set; } = int.MaxValue;

    /// <summary>Takes the memory of so many publications now, so that no reader waits for it later.</summary>
    public void Reserve(int publications)
    {
        _snapshots.Reserve(publications);
        var made = new Publication[publications];
        for (int j = 0; j < publications; j++)
            made[j] = _publications.Get();
        foreach (Publication publication in made)
            _publications.Return(publication);
    }

    /// <summary>Publications that somebody holds.</summary>
    public int LeasedPublications => _snapshots.Leased;

    /// <summary>The weighted sum, or with an optimiser the model; for tests.</summary>
    public ReadOnlySpan<double> Sum => _sum;

    /// <summary>The factor from sum to aggregate.</summary>
    public double Scale => _scale;

    /// <summary>Bytes that a shard takes for each parameter, with the copy of the model at the end: at least, and with every reader slow.</summary>
    /// <param name="workers">Of the job.</param>
    /// <param name="optimizer">Of the policy, or null.</param>
    /// <param name="publications">At least.</param>
    /// <param name="codes">Snapshots go out as coded changes: what each worker has is kept, and what is evaluated.</param>
    public static (long Least, long Most) BytesPerParameter(long workers, IServerOptimizer? optimizer, int publications, bool codes)
    {
        long own = 8 + (optimizer is null ? 4 * workers : 8 * optimizer.StatePerParameter) + (codes ? (4 * workers) + 8 : 0);
        return (own + (4 * (publications + 1)), own + (4 * (workers + 4)));
    }

    /// <summary>A rank's reconstruction; empty with an optimiser.</summary>
    public ReadOnlySpan<float> ReconstructionOf(int rank) => _reconstructions[rank].Values is { } values ? values.Span : [];

    /// <summary>The last push of a rank that is applied whole.</summary>
    public ulong ClockOf(int rank) => _sequences[rank];

    /// <summary>The first key of a rank's next push that is not applied yet.</summary>
    public int NextKeyOf(int rank) => _nextKeys[rank];

    /// <summary>Has a rank's push been applied in part?</summary>
    public bool IsWithinPush(int rank) => _nextKeys[rank] > 0;

    /// <summary>
    /// Applies one chunk of a push: validated whole, then applied, exactly once. A chunk that was applied before is
    /// left alone. Returns true when it completed a push.
    /// </summary>
    /// <param name="rank">Whose.</param>
    /// <param name="header">Of the frame.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="isThere">The values are in the state already, which comes from a checkpoint: only the counting is made up for.</param>
    /// <exception cref="ProtocolException">The chunk is out of turn, out of range, not finite or too large; nothing was applied.</exception>
    public bool Apply(int rank, in FrameHeader header, in ReadOnlySequence<byte> payload, bool isThere = false)
    {
        ref ulong sequence = ref _sequences[rank];
        ref int nextKey = ref _nextKeys[rank];
        if (header.KeyBegin + header.KeyCount > (ulong)Parameters)
        {
            throw new ProtocolException($"Worker {rank} pushed keys {header.KeyBegin} to {header.KeyBegin + header.KeyCount}, "
                + $"the shard has {Parameters}.")
            { Fault = FrameFault.OutOfRange };
        }

        int begin = (int)header.KeyBegin, count = (int)header.KeyCount;
        bool old = header.Sequence <= sequence || (header.Sequence == sequence + 1 && begin + count <= nextKey);
        if (old)
            return false;
        if (header.Sequence != sequence + 1 || begin != nextKey)
        {
            throw new ProtocolException($"Worker {rank} pushed chunk {begin} of push {header.Sequence}; "
                + $"chunk {nextKey} of push {sequence + 1} comes next.")
            { Fault = FrameFault.OutOfTurn };
        }

        bool last = begin + count == Parameters;
        if (last != header.Flags.Has(FrameFlags.Last) || count > ChunkKeys || (!last && count != ChunkKeys))
        {
            throw new ProtocolException($"Worker {rank} pushed a {(last ? "last " : "")}chunk of keys {begin} to {begin + count}; chunks have "
                + $"{ChunkKeys} keys, and the last one ends at key {Parameters}.")
            { Fault = FrameFault.WrongLength };
        }

        if (!isThere && !ApplyValues(rank, _reconstructions[rank], header.Codec, payload, begin, count))
            throw Unfit(rank, header, payload, begin, count);

        nextKey = begin + count;
        if (!last)
            return false;
        sequence++;
        nextKey = 0;
        Version++;
        if (_optimizer is null && ++_sinceRebuild == PushesBetweenRebuilds)
            Rebuild();
        return true;
    }

    /// <summary>The present state, frozen; the caller is a reader of it. Null when there are as many publications as may be, all with readers.</summary>
    public Publication? TryPublish()
    {
        if (_newest is null || _newest.Version != Version)
        {
            ForgetNewest();
            _newest = TryFreeze();
        }

        _newest?.Acquire();
        return _newest;
    }

    /// <summary>The aggregate that <see cref="BeginFrom"/> has made a rank's vector of, frozen as <see cref="TryPublish()"/> freezes the present state.</summary>
    internal Publication? TryPublish(int rank)
    {
        if (TryFreeze() is not { } publication)
            return null;
        publication.Overwrite(AggregateOf(rank));
        return publication;
    }

    /// <summary>Would <see cref="TryPublish()"/> give a publication?</summary>
    public bool CanPublish => _newest?.Version == Version || _snapshots.Leased - (_newest is { IsShared: false } ? 1 : 0) < MostPublications;

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
        FloatBuffer? values = _snapshots.Leased < MostPublications ? _snapshots.TryLease() : null;
        if (values is null)
            return null;
        Publication publication = _publications.Get();
        DeltaKernel.Publish(_sum, _scale, values.Span);
        publication.Freeze(values, Version, _sequences, _nextKeys);
        publication.Acquire();
        return publication;
    }

    private sealed class Reconstruction(FloatBuffer? values, double weight)
    {
        public FloatBuffer? Values { get; } = values;

        public double Weight { get; set; } = weight;
    }

    private sealed class PublicationPolicy(int workers) : PooledObjectPolicy<Publication>
    {
        public override Publication Create() => new(workers);

        public override bool Return(Publication obj) => true;
    }
}
