using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Worker;

/// <summary>What is learned: a worker's part of the data and its local computation. Called by one thread.</summary>
public interface ITask
{
    /// <summary>Parameters that this worker's data needs.</summary>
    int Parameters { get; }

    /// <summary>Parameters that belong together and travel together; 1 if none do.</summary>
    int RowLength { get; }

    /// <summary>What the server makes of the workers' vectors.</summary>
    Aggregate Aggregate { get; }

    /// <summary>Its weight: its number of examples.</summary>
    double Weight { get; }

    /// <summary>
    /// Numbers of which every worker needs the largest of all. With <see cref="Aggregate.Optimized"/> the first is an upper bound of the
    /// Lipschitz constant of the gradients, or 0: the server's learning rate may be derived from it.
    /// </summary>
    double[] Agreed { get; }

    /// <summary>
    /// How much of what this worker pushes falls on each of so many equal slices of the rows, 256 at most, in any unit that all workers share; empty: evenly. With several servers the model is
    /// cut by them, so that each server has as much to do.
    /// </summary>
    double[] Loads => [];

    /// <summary>What must be the same at every worker.</summary>
    IReadOnlyList<KeyValuePair<string, string>> Settings { get; }

    /// <summary>
    /// How many values <see cref="Evaluate"/> gives: the objective; then, where examples are held out, their squared error and their
    /// number, each over <see cref="Weight"/>; then whatever the task likes.
    /// </summary>
    int Values { get; }

    /// <summary>All have joined: what was agreed is known. Called once, before any step.</summary>
    /// <exception cref="InputException">The data cannot be used after all.</exception>
    void Start(StartMessage agreed);

    /// <summary>Computes this worker's next vector from the aggregate.</summary>
    /// <param name="input">The aggregate, and what else is known.</param>
    /// <param name="x">Receives the vector, or with <see cref="Aggregate.Optimized"/> a gradient, as long as the aggregate.</param>
    /// <returns>Passes over the data that it took.</returns>
    double Step(in StepInput input, Span<float> x);

    /// <summary>
    /// The last step was the first half of a round of two exchanges: its vector says what all need to know of each other (their gradients at the same aggregate)
    /// before they go on. Only after a step with <see cref="StepInput.IsTogether"/>; the next step is the second half.
    /// </summary>
    bool IsHalf => false;

    /// <summary>Computes values at <paramref name="z"/>, to be averaged over the workers by weight.</summary>
    /// <param name="z">The aggregate, as long as the model.</param>
    /// <param name="values">Receives the values.</param>
    /// <param name="isLast">Training is over and this is the model: what takes longer is worth it now.</param>
    void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast);
}
