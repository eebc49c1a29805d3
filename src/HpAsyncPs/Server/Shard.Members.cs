using System;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Server;

/// <content>Whose vectors count, and with which weight.</content>
public sealed partial class Shard
{
    /// <summary>A rank's factor in the sum: its weight in a mean, 1 in a sum, 0 when it is evicted.</summary>
    public double WeightOf(int rank) => _reconstructions[rank].Weight;

    /// <summary>Forgets that a part of a rank's next push was applied: the worker begins it anew, from its vector as it is here.</summary>
    public void Abandon(int rank) => _nextKeys[rank] = 0;

    /// <summary>
    /// Takes a rank's contribution out: the aggregate is exactly that of the others, their weights made to sum to one again. With an optimiser
    /// there is nothing to take out: gradients are in the model.
    /// </summary>
    public void Evict(int rank)
    {
        if (_optimizer is not null)
            return;
        _nextKeys[rank] = 0;
        _reconstructions[rank].Values!.Span.Clear();
        SetWeight(rank, 0);
    }

    /// <summary>From now on a rank's vector counts with another weight.</summary>
    public void SetWeight(int rank, double weight)
    {
        _reconstructions[rank].Weight = weight;
        if (_optimizer is not null)
            return;
        double total = 0;
        foreach (Reconstruction of in _reconstructions)
            total += of.Weight;
        if (_isMean && total > 0)
            _scale = 1 / total;
        ForgetNewest();
        Rebuild();
    }

    /// <summary>
    /// From now on a mean is that of the workers that have pushed: training has ended before the others were heard, whose zeros are no vectors.
    /// </summary>
    public void CountOnlyHeard()
    {
        double heard = 0;
        for (int rank = 0; rank < _reconstructions.Length; rank++)
            heard += _sequences[rank] > 0 ? _reconstructions[rank].Weight : 0;
        if (!_isMean || heard == 0)
            return;
        ForgetNewest();
        _scale = 1 / heard;
    }

    private void Rebuild()
    {
        _sinceRebuild = 0;
        Array.Clear(_sum);
        foreach (Reconstruction of in _reconstructions)
            DeltaKernel.AddWeighted(of.Values!.Span, of.Weight, _sum);
    }
}
