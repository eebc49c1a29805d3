using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Classification;

/// <summary>The model that an aggregate stands for, from what the workers agreed on and how they were set.</summary>
/// <param name="Weights">One a feature.</param>
/// <param name="Intercept">The constant, if there is one.</param>
/// <param name="Labels">Of the two classes.</param>
public sealed record LogisticModel(float[] Weights, float? Intercept, BinaryLabels Labels)
{
    // Places in ITask.Agreed.
    internal const int EigenvaluePlace = 0;
    private const int MaxLabelPlace = 1;
    private const int MinusMinLabelPlace = 2;

    // Curvature of the logistic function is at most 1/4.
    private const double LargestCurvature = 0.25;

    /// <summary>Takes the model out of an aggregate.</summary>
    /// <param name="aggregate">As it was exchanged.</param>
    /// <param name="agreed">The largest of all workers.</param>
    /// <param name="settings">As <see cref="LogisticTask.Settings"/>.</param>
    /// <exception cref="InputException">The settings cannot be read.</exception>
    public static LogisticModel Of(ReadOnlySpan<float> aggregate, IReadOnlyList<double> agreed, IReadOnlyDictionary<string, string> settings)
    {
        if (!LocalSolver.TryParse(settings.GetValueOrDefault("solver", ""), out LocalSolver solver))
            throw new InputException($"The workers' solver '{settings.GetValueOrDefault("solver")}' is not known: use the same release everywhere.");
        double l2 = Number(settings, "l2"), smoothness = SmoothnessOf(agreed, l2);
        bool hasIntercept = settings.GetValueOrDefault("intercept") == "yes";
        float[] weights = new float[aggregate.Length / solver.Vectors];
        new Penalty(l2, Number(settings, "l1"), hasIntercept).Shrink(aggregate[..weights.Length], smoothness > 0 ? 1 / smoothness : 0, weights);
        BinaryLabels labels = LabelsOf("the data", agreed);
        return hasIntercept ? new LogisticModel(weights[1..], weights[0], labels) : new LogisticModel(weights, null, labels);
    }

    /// <summary>A hash of weights and intercept: workers that agree in it begin from the same model.</summary>
    public string Checksum() => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(Weights.AsSpan()), BitConverter.SingleToUInt32Bits(Intercept ?? 0))
        .ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Weights as they are trained, as many as wanted: the intercept first if it is wanted, zeros last.</summary>
    internal float[] Start(int parameters, bool withIntercept)
    {
        float[] start = new float[parameters];
        int first = withIntercept ? 1 : 0;
        Weights.CopyTo(start, first);
        if (withIntercept)
            start[0] = Intercept ?? 0;
        return start;
    }

    /// <summary>The labels of all workers together, from what was agreed.</summary>
    /// <param name="source">For messages.</param>
    /// <param name="agreed">The largest of all workers.</param>
    /// <exception cref="InputException">They are not two classes.</exception>
    public static BinaryLabels LabelsOf(string source, IReadOnlyList<double> agreed) =>
        BinaryLabels.Agreed(source, (float)-agreed[MinusMinLabelPlace], (float)agreed[MaxLabelPlace]);

    /// <summary>What a worker that pushes gradients agrees on: their Lipschitz constant, and the labels.</summary>
    internal static double[] Agree(double lipschitz, SparseRows data) => [lipschitz, data.MaxLabel, -data.MinLabel];

    /// <summary>An upper bound of every worker's smoothness.</summary>
    internal static double SmoothnessOf(IReadOnlyList<double> agreed, double l2) => (LargestCurvature * agreed[EigenvaluePlace]) + l2;

    private static double Number(IReadOnlyDictionary<string, string> settings, string key) =>
        double.TryParse(settings.GetValueOrDefault(key), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : throw new InputException($"The workers' setting {key} is missing or no number: use the same release everywhere.");
}
