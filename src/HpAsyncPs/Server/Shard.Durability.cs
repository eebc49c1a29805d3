using System;
using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Server.Optimizers;

namespace HpAsyncPs.Server;

/// <content>
/// The state as sections of a checkpoint, and back. A section is a chunk of one worker's vector, or, with an optimiser, a chunk of the model with
/// the optimiser's state of it:
/// <code>
/// offset size field
///      0    4 rank       of the vector; -1: the model
///      4    4 key        first key of the chunk
///      8    8 position   where the journal ended when it was copied: what was journalled before is in it
///     16    4 count      gradients that the optimiser counts for the chunk; else 0
///     20    4 part       0: the values; j: the optimiser's j-th state
///     24      values     float of a vector, double of a model or a state
/// </code>
/// Training goes on while chunks are copied, so each has a position of its own.
/// </content>
public sealed partial class Shard
{
    private const int SectionHead = 24;
    private const int Model = -1;

    /// <summary>Bytes of the largest section.</summary>
    internal int LargestSection => SectionHead + (Math.Min(ChunkKeys, Parameters) * (_optimizer is null ? sizeof(float) : sizeof(double)));

    /// <summary>Chunks of all vectors, or of the model.</summary>
    internal int StateChunks => Chunks * (_optimizer is null ? _reconstructions.Length : 1);

    /// <summary>Sections of a chunk: all are to be copied at one position.</summary>
    internal int SectionsOfChunk => 1 + (_optimizer?.StatePerParameter ?? 0);

    private int Chunks => (Parameters + ChunkKeys - 1) / ChunkKeys;

    /// <summary>Copies a section.</summary>
    /// <param name="chunk">0 to <see cref="StateChunks"/> - 1.</param>
    /// <param name="part">0 to <see cref="SectionsOfChunk"/> - 1.</param>
    /// <param name="position">Where the journal ends now.</param>
    /// <param name="section">At least <see cref="LargestSection"/> long.</param>
    /// <returns>Its bytes.</returns>
    internal int Copy(int chunk, int part, long position, Span<byte> section)
    {
        int key = chunk % Chunks * ChunkKeys, count = Math.Min(ChunkKeys, Parameters - key), rank = _optimizer is null ? chunk / Chunks : Model;
        BinaryPrimitives.WriteInt32LittleEndian(section, rank);
        BinaryPrimitives.WriteInt32LittleEndian(section[4..], key);
        BinaryPrimitives.WriteInt64LittleEndian(section[8..], position);
        BinaryPrimitives.WriteInt32LittleEndian(section[16..], _optimizer is { Counts: { Length: > 0 } counts } ? counts[key / ChunkKeys] : 0);
        BinaryPrimitives.WriteInt32LittleEndian(section[20..], part);
        ReadOnlySpan<byte> values = _optimizer is null
            ? MemoryMarshal.AsBytes<float>(_reconstructions[rank].Values!.Span.Slice(key, count))
            : MemoryMarshal.AsBytes<double>((part == 0 ? _sum : _optimizer.State(part - 1)).Slice(key, count));
        values.CopyTo(section[SectionHead..]);
        return SectionHead + values.Length;
    }

    /// <summary>Takes a section back; of two of the same chunk the later counts. False when it is none of this shard.</summary>
    /// <param name="section">As it was copied.</param>
    /// <param name="positions">For each of <see cref="StateChunks"/>, receives the position.</param>
    internal bool TryRestore(ReadOnlySpan<byte> section, Span<long> positions)
    {
        if (section.Length < SectionHead)
            return false;
        int rank = BinaryPrimitives.ReadInt32LittleEndian(section), key = BinaryPrimitives.ReadInt32LittleEndian(section[4..]);
        int part = BinaryPrimitives.ReadInt32LittleEndian(section[20..]), vectors = _optimizer is null ? _reconstructions.Length : 0;
        bool isMine = _optimizer is null ? rank >= 0 && rank < vectors && part == 0 : rank == Model && part >= 0 && part < SectionsOfChunk;
        if (!isMine || key < 0 || key >= Parameters || key % ChunkKeys != 0)
            return false;
        int count = Math.Min(ChunkKeys, Parameters - key);
        Span<byte> values = _optimizer is null
            ? MemoryMarshal.AsBytes(_reconstructions[rank].Values!.Span.Slice(key, count))
            : MemoryMarshal.AsBytes((part == 0 ? _sum : _optimizer.State(part - 1)).Slice(key, count));
        if (section.Length != SectionHead + values.Length)
            return false;
        section[SectionHead..].CopyTo(values);
        if (_optimizer is null)
            _bounds[ChunkOf(rank, key)] = double.PositiveInfinity;
        if (_optimizer is { Counts: { Length: > 0 } counts })
            counts[key / ChunkKeys] = BinaryPrimitives.ReadInt32LittleEndian(section[16..]);
        if (part == 0)
            _optimizer?.Restored(key, _sum.AsSpan(key, count));
        positions[ChunkOf(Math.Max(0, rank), key)] = BinaryPrimitives.ReadInt64LittleEndian(section[8..]);
        return true;
    }

    /// <summary>The place of a chunk among <see cref="StateChunks"/>.</summary>
    internal int ChunkOf(int rank, int key) => (_optimizer is null ? rank * Chunks : 0) + (key / ChunkKeys);

    /// <summary>Pushes that were applied, from a checkpoint.</summary>
    internal void Restore(ulong version) => Version = version;

    /// <summary>Where a rank stands, from a checkpoint.</summary>
    internal void Restore(int rank, ulong sequence, int nextKey, double weight)
    {
        (_sequences[rank], _nextKeys[rank]) = (sequence, nextKey);
        _reconstructions[rank].Weight = weight;
    }

    /// <summary>What is left when everything was restored and replayed: the sum of the vectors.</summary>
    internal void Restored()
    {
        ForgetNewest();
        SetWeight(0, _reconstructions[0].Weight);
    }

    /// <summary>What counts, whoever contributed it: the aggregate, or with an optimiser the model and then its states.</summary>
    internal double[][] Reached()
    {
        double[][] all = new double[SectionsOfChunk][];
        all[0] = new double[Parameters];
        TensorPrimitives.Multiply(_sum, _optimizer is null ? _scale : 1, all[0]);
        for (int part = 1; part < all.Length; part++)
            all[part] = _optimizer!.State(part - 1).ToArray();
        return all;
    }

    /// <summary>The aggregate that <see cref="BeginFrom"/> has made a rank's vector of, if it has not pushed since.</summary>
    internal double[] AggregateOf(int rank)
    {
        double[] values = new double[Parameters];
        ReadOnlySpan<float> vector = ReconstructionOf(rank);
        for (int key = 0; key < values.Length; key++)
            values[key] = (double)vector[key] * (_isMean ? 1 : _reconstructions.Length);
        return values;
    }

    /// <summary>Gradients that the optimiser counts, for each key; empty if it counts none.</summary>
    internal int[] CountsOfKeys()
    {
        if (_optimizer is not { Counts: { Length: > 0 } counts })
            return [];
        int[] all = new int[Parameters];
        for (int key = 0; key < Parameters; key++)
            all[key] = counts[key / ChunkKeys];
        return all;
    }

    /// <summary>
    /// Begins from what an earlier job had reached: all vectors are the aggregate, or of a sum equal parts of it, so that the aggregate is as it was whatever the weights are.
    /// </summary>
    internal void BeginFrom(EarlierJob earlier)
    {
        double[] values = earlier.Values[0];
        float[] one = new float[_optimizer is null ? Parameters : 0];
        for (int key = 0; key < one.Length; key++)
            one[key] = (float)(_isMean ? values[key] : values[key] / _reconstructions.Length);
        for (int rank = 0; rank < _reconstructions.Length && _optimizer is null; rank++)
            one.CopyTo(_reconstructions[rank].Values!.Span);
        Array.Fill(_bounds, double.PositiveInfinity);
        if (_optimizer is null)
            Rebuild();
        else
            Restore(_optimizer, earlier);
        Version = Math.Max(Version, earlier.Version);
        ForgetNewest();
    }

    private void Restore(IServerOptimizer optimizer, EarlierJob earlier)
    {
        earlier.Values[0].CopyTo(_sum, 0);
        for (int part = 1; part < earlier.Values.Length; part++)
            earlier.Values[part].CopyTo(optimizer.State(part - 1));
        for (int key = 0; key < Parameters; key += ChunkKeys)
        {
            if (earlier.Counts.Length > 0)
                optimizer.Counts[key / ChunkKeys] = earlier.Counts[key];
            optimizer.Restored(key, _sum.AsSpan(key, Math.Min(ChunkKeys, Parameters - key)));
        }
    }

    /// <summary>Clears those chunks of a rank's vector that were copied before a position.</summary>
    internal void ReplayEviction(int rank, long begin, ReadOnlySpan<long> positions)
    {
        _nextKeys[rank] = 0;
        _reconstructions[rank].Weight = 0;
        for (int key = 0; key < Parameters; key += ChunkKeys)
        {
            if (positions[ChunkOf(rank, key)] <= begin)
                _reconstructions[rank].Values!.Span.Slice(key, Math.Min(ChunkKeys, Parameters - key)).Clear();
        }
    }
}
