using System;
using System.Buffers;

namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// What policy asp does with a gradient as soon as it arrives. One file an optimiser. The shard's thread calls it; all memory is taken
/// in <see cref="Start"/>, nothing in <see cref="TryApply"/>.
/// </summary>
public interface IServerOptimizer
{
    /// <summary>As on the command line, behind "asp:".</summary>
    string Name { get; }

    /// <summary>Doubles of state that it keeps for each parameter.</summary>
    int StatePerParameter { get; }

    /// <summary>The learning rate when none is given, or 0: none is known.</summary>
    /// <param name="smoothness">An upper bound of the Lipschitz constant of the gradients that are pushed; 0 where there is none.</param>
    /// <param name="workers">How many push them.</param>
    double DefaultRate(double smoothness, int workers);

    /// <summary>Takes its memory. Called once, before any gradient.</summary>
    /// <param name="parameters">Length of the model.</param>
    /// <param name="chunkKeys">Parameters in each chunk but the last.</param>
    /// <param name="rate">Learning rate, more than 0.</param>
    void Start(int parameters, int chunkKeys, double rate);

    /// <summary>One of its <see cref="StatePerParameter"/> arrays, a double a parameter, for checkpoints.</summary>
    Span<double> State(int which);

    /// <summary>Gradients that it counts for each chunk; empty if it counts none.</summary>
    Span<int> Counts { get; }

    /// <summary>Parameters were set from a checkpoint.</summary>
    /// <param name="key">The chunk's first parameter.</param>
    /// <param name="x">Its parameters.</param>
    void Restored(int key, ReadOnlySpan<double> x);

    /// <summary>Validates one chunk of one gradient whole, where it was received, then applies it.</summary>
    /// <param name="gradient">4 bytes for each of <paramref name="x"/>.</param>
    /// <param name="key">The chunk's first parameter; chunks do not change their borders.</param>
    /// <param name="x">The parameters of the chunk; updated.</param>
    /// <param name="limit">Largest magnitude that is allowed, at most that of a float.</param>
    /// <returns>False, and nothing is changed: a value is not finite, or beyond the limit, or a parameter would get there.</returns>
    bool TryApply(in ReadOnlySequence<byte> gradient, int key, Span<double> x, float limit);
}
