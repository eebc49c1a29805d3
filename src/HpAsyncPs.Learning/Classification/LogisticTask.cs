using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// L2-regularised logistic regression, f_i(z) = mean log(1 + exp(-y a.z)) + l2/2 |z|^2 over this worker's rows. One step
/// is a gradient step from the aggregate with the step 1 / L, L an upper bound of all workers' smoothness: the worker's
/// side of Mishchenko, Iutzeler, Malick, Amini, A Delay-tolerant Proximal-Gradient Algorithm for Distributed Learning,
/// ICML 2018. Converges to the optimum of all rows together, whatever the delays.
/// </summary>
public sealed class LogisticTask : ITask
{
    /// <summary>Its name in settings and on the command line.</summary>
    public const string Name = "logreg";

    // Curvature of the logistic function is at most 1/4.
    private const double LargestCurvature = 0.25;

    /// <summary>How many numbers the workers agree on.</summary>
    public const int AgreedNumbers = 3;

    // The gradient in double, a sweep of the smoothness bound, and the session's twelve vectors.
    private const int BytesPerFeature = 8 + 16 + (12 * 4);

    // Places in Agreed.
    private const int EigenvaluePlace = 0;
    private const int MaxLabelPlace = 1;
    private const int MinusMinLabelPlace = 2;

    private readonly SparseRows _data;
    private readonly double _l2;
    private LogisticLoss? _loss;
    private double[] _gradient = [];
    private double _stepSize;

    /// <param name="data">This worker's rows.</param>
    /// <param name="l2">Regularisation, at least 0.</param>
    /// <param name="seed">Of the split of the data; told to the others.</param>
    /// <param name="parts">Parts that one file is split into, or 1: each worker has a file of its own; told to the others.</param>
    /// <exception cref="InputException">There are no rows, or the labels or indices cannot be used.</exception>
    public LogisticTask(SparseRows data, double l2, ulong seed, int parts = 1)
    {
        if (data.Rows == 0)
            throw new InputException($"{data.Source}: no row falls to this worker; use fewer workers.");
        // What is wrong with this part alone is told before joining, with file and line; one class only may be the part's luck.
        if (data.DistinctLabels is not [{ Label: -1 or 0 or 1 or 2 }])
            BinaryLabels.Of(data);
        long bytes = (long)data.Features * BytesPerFeature, available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > available)
        {
            throw new InputException($"{data.Source}: the largest index is {data.Features}; so many parameters take {bytes / 1e9:0.#} GB at a worker, "
                + $"this machine has {available / 1e9:0.#} GB. Is one index wrong? Else use a larger machine.");
        }

        _data = data;
        _l2 = l2;
        Agreed = [Smoothness.LargestEigenvalueBound(data), data.MaxLabel, -data.MinLabel];
        Settings =
        [
            new("task", Name),
            new("l2", l2.ToString("R", CultureInfo.InvariantCulture)),
            new("seed", seed.ToString(CultureInfo.InvariantCulture)),
            new("parts", parts.ToString(CultureInfo.InvariantCulture)),
        ];
    }

    /// <inheritdoc/>
    public int Parameters => Math.Max(1, _data.Features);

    /// <inheritdoc/>
    public int RowLength => 1;

    /// <inheritdoc/>
    public Aggregate Aggregate => Aggregate.Mean;

    /// <inheritdoc/>
    public double Weight => _data.Rows;

    /// <inheritdoc/>
    public double[] Agreed { get; }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; }

    /// <inheritdoc/>
    public int Values => 2;

    /// <summary>The labels of all workers together, from what was agreed.</summary>
    /// <param name="source">For messages.</param>
    /// <param name="agreed">The largest of all workers.</param>
    /// <exception cref="InputException">They are not two classes.</exception>
    public static BinaryLabels LabelsOf(string source, IReadOnlyList<double> agreed) =>
        BinaryLabels.Agreed(source, (float)-agreed[MinusMinLabelPlace], (float)agreed[MaxLabelPlace]);

    /// <inheritdoc/>
    public void Start(StartMessage agreed)
    {
        _loss = new LogisticLoss(_data, LabelsOf(_data.Source, agreed.Agreed).Signs(_data));
        _gradient = new double[agreed.Parameters];
        double smoothness = (LargestCurvature * agreed.Agreed[EigenvaluePlace]) + _l2;
        _stepSize = smoothness > 0 ? 1 / smoothness : 0; // rows without a feature: nothing can be learned
    }

    /// <inheritdoc/>
    public double Step(ReadOnlySpan<float> z, Span<float> x, double jobPasses, CancellationToken interrupt)
    {
        if (!_loss!.Gradient(z, _gradient, interrupt))
            return 0;
        for (int j = 0; j < z.Length; j++)
            x[j] = (float)(z[j] - (_stepSize * (_gradient[j] + (_l2 * z[j]))));
        return 1;
    }

    /// <summary>Objective and training accuracy.</summary>
    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
    {
        (double loss, double accuracy) = _loss!.Evaluate(z);
        double norm = 0;
        foreach (float w in z)
            norm += (double)w * w;
        values[0] = loss + (0.5 * _l2 * norm);
        values[1] = accuracy;
    }
}
