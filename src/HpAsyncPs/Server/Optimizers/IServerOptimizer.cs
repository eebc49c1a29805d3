using System;

namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// What policy asp does with a gradient as soon as it arrives. One file an optimiser. The shard's thread calls it; all memory is taken
/// in <see cref="Start"/>, nothing in <see cref="Apply"/>.
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
    /// <param name="rate">Learning rate, more than 0.</param>
    void Start(int parameters, double rate);

    /// <summary>Applies one chunk of one gradient.</summary>
    /// <param name="gradient">Finite.</param>
    /// <param name="key">The chunk's first parameter; chunks do not change their borders.</param>
    /// <param name="x">The parameters of the chunk, as many as <paramref name="gradient"/> has; updated.</param>
    void Apply(ReadOnlySpan<float> gradient, int key, Span<double> x);
}
