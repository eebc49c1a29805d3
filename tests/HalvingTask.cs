using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Tests;

/// <summary>The smallest task: f(z) = mean (z_j - 1)^2 / 2, half a gradient step.</summary>
internal sealed class HalvingTask(int parameters) : ITask
{
    public int Parameters => parameters;

    public int RowLength => 1;

    public Aggregate Aggregate => Aggregate.Mean;

    public double Weight => 1;

    public double[] Agreed => [];

    public IReadOnlyList<KeyValuePair<string, string>> Settings => [];

    public int Values => 1;

    public void Start(StartMessage agreed)
    {
    }

    public double Step(in StepInput input, Span<float> x)
    {
        ReadOnlySpan<float> z = input.Aggregate;
        for (int j = 0; j < z.Length; j++)
            x[j] = z[j] - (0.5f * (z[j] - 1));
        return 1;
    }

    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
    {
        values[0] = 0;
        foreach (float v in z)
            values[0] += (v - 1) * (v - 1) / 2 / z.Length;
    }
}
