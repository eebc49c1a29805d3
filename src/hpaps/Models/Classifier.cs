using System;
using System.Collections.Generic;
using System.Globalization;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Models;

/// <summary>How good a model is on some rows.</summary>
internal sealed record ModelQuality
{
    public string Model { get; init; } = "";

    public string Data { get; init; } = "";

    public long Rows { get; init; }

    /// <summary>Mean logistic loss.</summary>
    public double MeanLoss { get; init; }

    /// <summary>The regularisation that the model was trained with.</summary>
    public double L2 { get; init; }

    /// <summary>The weight of |w|_1 that the model was trained with.</summary>
    public double L1 { get; init; }

    /// <summary>Mean loss + l2/2 |w|^2 + l1 |w|_1.</summary>
    public double Objective { get; init; }

    /// <summary>Share of the rows that are predicted.</summary>
    public double Accuracy { get; init; }

    /// <summary>Columns of the file that the model does not know.</summary>
    public int IgnoredFeatures { get; init; }

    /// <summary>Entries in such columns.</summary>
    public long IgnoredEntries { get; init; }
}

/// <summary>A trained classifier of two classes.</summary>
internal sealed class Classifier
{
    private readonly string _folder;
    private readonly ModelFolder _model;

    private Classifier(string folder, ModelFolder model)
    {
        _folder = folder;
        _model = model;
        Labels = model.ClassLabels();
    }

    /// <summary>The labels of the file that it was trained on.</summary>
    public BinaryLabels Labels { get; }

    /// <param name="name">What messages call it.</param>
    /// <param name="model">The model.</param>
    public static Classifier Of(string name, ModelFolder model) => new(name, model);

    /// <exception cref="InputException">There is no such model.</exception>
    public static Classifier Read(string folder) => new(folder, ModelFolder.Read(folder));

    /// <exception cref="InputException">The rows have other labels than the model.</exception>
    public ModelQuality Evaluate(SparseRows rows)
    {
        (double loss, double accuracy) = new LogisticLoss(rows, Labels.Signs(rows)).Evaluate(_model.Weights, Intercept);
        double l2 = Setting("l2"), l1 = _model.Description.Settings.ContainsKey("l1") ? Setting("l1") : 0;
        (int features, long entries) = Unknown(rows);
        return new ModelQuality
        {
            Model = _folder,
            Data = rows.Source,
            Rows = rows.Rows,
            MeanLoss = loss,
            L2 = l2,
            L1 = l1,
            Objective = loss + new Penalty(l2, l1, false).Of(_model.Weights),
            Accuracy = accuracy,
            IgnoredFeatures = features,
            IgnoredEntries = entries,
        };
    }

    /// <summary>The label that is predicted for a row, and the probability of the positive class.</summary>
    public (float Label, double Probability) Predict(SparseRows rows, int row)
    {
        double margin = Intercept + LogisticLoss.Dot(_model.Weights, rows.RowColumns(row), rows.RowValues(row));

        // A margin of zero counts as negative, as it does in the accuracy.
        return (margin > 0 ? Labels.Positive : Labels.Negative, 1 / (1 + Math.Exp(-margin)));
    }

    /// <summary>How many columns, and how many entries in them, the model has no weight for.</summary>
    public (int Features, long Entries) Unknown(SparseRows rows)
    {
        if (rows.Features <= _model.Weights.Length)
            return (0, 0);
        var features = new HashSet<int>();
        long entries = 0;
        foreach (int column in rows.Columns)
        {
            if (column < _model.Weights.Length)
                continue;
            entries++;
            features.Add(column);
        }

        return (features.Count, entries);
    }

    private double Intercept => _model.Description.Intercept ?? 0;

    private double Setting(string name)
    {
        if (_model.Description.Settings.TryGetValue(name, out string? text)
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
        {
            return value;
        }

        throw new InputException($"{_folder}: model.json has no setting {name}; train again, or give another --model");
    }
}
