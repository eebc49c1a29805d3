using System;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>
/// What people do who compress without feedback: what changed since the last push travels, and what the codec leaves out of it is gone.
/// Here to show what the feedback is good for.
/// </summary>
internal sealed class ForgetfulTask(ITask task) : ITask
{
    private readonly float[] _meant = new float[task.Parameters];
    private readonly float[] _before = new float[task.Parameters];

    public int Parameters => task.Parameters;

    public int RowLength => task.RowLength;

    public Aggregate Aggregate => task.Aggregate;

    public double Weight => task.Weight;

    public double[] Agreed => task.Agreed;

    public IReadOnlyList<KeyValuePair<string, string>> Settings => task.Settings;

    public int Values => task.Values;

    public bool IsHalf => task.IsHalf;

    public void Start(StartMessage agreed) => task.Start(agreed);

    public double Step(in StepInput input, Span<float> x)
    {
        _meant.CopyTo(_before, 0);
        double passes = task.Step(new StepInput(input.Aggregate, input.Own, input.JobPasses, input.Rounds, input.Share, input.Lag, input.IsTogether, input.Interrupt), _meant);
        for (int j = 0; j < x.Length; j++)
            x[j] = input.Own[j] + (_meant[j] - _before[j]);
        return passes;
    }

    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast) => task.Evaluate(z, values, isLast);
}
