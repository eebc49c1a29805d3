using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// Logistic regression for a server that applies gradients (policy asp): each push is the gradient of the mean loss of a batch of this
/// worker's rows, with l2, at the newest snapshot. Batches go through the rows in a new random order every pass. The gradient is
/// weighted by the worker's share of all rows times the number of workers, which makes the sum of one push of each worker unbiased.
/// Source: Robbins, Monro, A Stochastic Approximation Method, Ann. Math. Statist. 22(3), 1951; in a cluster: Dean et al., Large Scale
/// Distributed Deep Networks, NIPS 2012.
/// </summary>
public sealed class GradientTask : ITask
{
    private readonly SparseRows _data;
    private readonly LogisticSettings _settings;
    private readonly Penalty _penalty;
    private readonly int[] _order;
    private LogisticLoss? _loss;
    private double[] _gradient = [];
    private double _scale;
    private int _next;
    private ulong _random;

    /// <param name="data">This worker's rows.</param>
    /// <param name="settings">The same at every worker, with a batch of at least 1; l1 must be 0.</param>
    /// <exception cref="InputException">There are no rows, or the settings are for another task.</exception>
    public GradientTask(SparseRows data, LogisticSettings settings)
    {
        if (data.Rows == 0)
            throw new InputException($"{data.Source}: no row falls to this worker; use fewer workers.");
        if (settings.Batch < 1)
            throw new InputException($"A batch has at least one row; it is {settings.Batch}.");
        if (settings.L1 > 0)
            throw new InputException("Gradients have no l1: use --l1 with policy async, auto, bsp, bsp:1 or ssp:S, which reach the optimum with it.");
        if (data.Features >= Limits.Parameters)
            throw new InputException($"{data.Source}: the largest index is {data.Features}; a model has at most {Limits.Parameters} parameters. Is one index wrong?");
        _data = settings.Intercept ? data.WithConstant() : data;
        _settings = settings;
        _penalty = new Penalty(settings.L2, 0, settings.Intercept);
        _order = new int[_data.Rows];
        for (int row = 0; row < _order.Length; row++)
            _order[row] = row;
        _next = settings.Batch < _order.Length ? _order.Length : 0; // the first batch begins with a shuffle
        _random = Mixing.Mix(settings.Seed);
        double curvature = settings.Batch < _order.Length ? Smoothness.LargestSquaredRowNorm(_data) : Smoothness.LargestEigenvalueBound(_data);
        Agreed = LogisticModel.Agree((LogisticLoss.LargestCurvature * curvature) + settings.L2, data);
        Settings = settings.Described();
    }

    /// <inheritdoc/>
    public int Parameters => Math.Max(1, _data.Features);

    /// <inheritdoc/>
    public int RowLength => 1;

    /// <inheritdoc/>
    public Aggregate Aggregate => Aggregate.Optimized;

    /// <inheritdoc/>
    public double Weight => _data.Rows;

    /// <inheritdoc/>
    public double[] Agreed { get; }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; }

    /// <inheritdoc/>
    public int Values => 2;

    /// <inheritdoc/>
    public void Start(StartMessage agreed)
    {
        _loss = new LogisticLoss(_data, LogisticModel.LabelsOf(_data.Source, agreed.Agreed).Signs(_data));
        _gradient = new double[agreed.Parameters];
        _scale = agreed.Share * agreed.Workers;
    }

    /// <inheritdoc/>
    public double Step(in StepInput input, Span<float> x)
    {
        ReadOnlySpan<float> z = input.Aggregate;
        ReadOnlySpan<int> batch = NextBatch();
        _loss!.Gradient(batch, z, _gradient);
        for (int j = 0; j < x.Length; j++)
            x[j] = (float)(_scale * (_gradient[j] + (_penalty.L2Of(j) * z[j])));
        return (double)batch.Length / _order.Length;
    }

    /// <summary>Objective and training accuracy.</summary>
    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
    {
        (double loss, double accuracy) = _loss!.Evaluate(z);
        values[0] = loss + _penalty.Of(z);
        values[1] = accuracy;
    }

    /// <summary>All rows in order if the batch takes them all; else the next of a shuffled order, the last of a pass shorter.</summary>
    private ReadOnlySpan<int> NextBatch()
    {
        if (_settings.Batch >= _order.Length)
            return _order;
        if (_next == _order.Length)
        {
            Shuffle();
            _next = 0;
        }

        int count = Math.Min(_settings.Batch, _order.Length - _next);
        _next += count;
        return _order.AsSpan(_next - count, count);
    }

    /// <summary>Fisher and Yates's shuffle.</summary>
    private void Shuffle()
    {
        for (int last = _order.Length - 1; last > 0; last--)
        {
            _random = Mixing.Mix(_random);
            int other = (int)Math.BigMul(_random, (ulong)last + 1, out _);
            (_order[last], _order[other]) = (_order[other], _order[last]);
        }
    }
}
