using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// What people do who do not correct: each worker trains on its own rows from the aggregate, and the server averages the results, or adds
/// up what changed. Here to show that the exactness tests can fail.
/// </summary>
internal sealed class BiasedTask(SparseRows rows, double l2, bool addsDeltas) : ITask
{
    private const int LocalSteps = 20;

    private readonly LogisticTask _judge = new(rows, new LogisticSettings { L2 = l2, Solver = LocalSolver.None });
    private readonly LogisticLoss _loss = new(rows, new BinaryLabels(-1, 1).Signs(rows));
    private readonly double[] _gradient = new double[rows.Features];
    private readonly float[] _y = new float[rows.Features];
    private double _stepSize;
    private double _share;

    public int Parameters => rows.Features;

    public int RowLength => 1;

    public Aggregate Aggregate => addsDeltas ? Aggregate.Sum : Aggregate.Mean;

    public double Weight => rows.Rows;

    public double[] Agreed => _judge.Agreed;

    public IReadOnlyList<KeyValuePair<string, string>> Settings => [];

    public int Values => _judge.Values;

    public void Start(StartMessage agreed)
    {
        _judge.Start(agreed);
        _stepSize = 1 / ((0.25 * agreed.Agreed[0]) + l2);
        _share = 1.0 / agreed.Workers;
    }

    public double Step(in StepInput input, Span<float> x)
    {
        input.Aggregate.CopyTo(_y);
        for (int q = 0; q < LocalSteps; q++)
        {
            _loss.Gradient(_y, _gradient, [], input.Interrupt);
            for (int j = 0; j < _y.Length; j++)
                _y[j] -= (float)(_stepSize * (_gradient[j] + (l2 * _y[j])));
        }

        for (int j = 0; j < _y.Length; j++)
            x[j] = addsDeltas ? input.Own[j] + (float)(_share * (_y[j] - input.Aggregate[j])) : _y[j];
        return LocalSteps;
    }

    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast) => _judge.Evaluate(z, values, isLast);
}
