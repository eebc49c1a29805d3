using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>A task that keeps from which aggregates it went on, and what was evaluated.</summary>
internal sealed class Recorder(LogisticTask task) : ITask
{
    public List<float[]> Evaluated { get; } = [];

    /// <summary>From which aggregates it went on.</summary>
    public List<float[]> Stepped { get; } = [];

    /// <summary>The step that goes out of the range of numbers.</summary>
    public int BreaksAt { get; set; }

    public int Parameters => task.Parameters;

    public int RowLength => task.RowLength;

    public Aggregate Aggregate => task.Aggregate;

    public double Weight => task.Weight;

    public double[] Agreed => task.Agreed;

    public IReadOnlyList<KeyValuePair<string, string>> Settings => task.Settings;

    public int Values => task.Values;

    public bool IsHalf => ((ITask)task).IsHalf;

    public void Start(StartMessage agreed) => task.Start(agreed);

    public double Step(in StepInput input, Span<float> x)
    {
        Stepped.Add(input.Aggregate.ToArray());
        double passes = task.Step(input, x);
        if (Stepped.Count == BreaksAt)
            x[0] = 1e30f; // which no server takes
        return passes;
    }

    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
    {
        Evaluated.Add(z.ToArray());
        task.Evaluate(z, values, isLast);
    }

    public double ObjectiveAt(float[] z)
    {
        double[] values = new double[Values];
        task.Evaluate(z, values, false);
        return values[0];
    }
}
