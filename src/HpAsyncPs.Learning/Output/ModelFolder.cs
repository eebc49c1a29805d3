using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Output;

/// <summary>What model.json says. Parameters are in weights.npy beside it.</summary>
public sealed record ModelDescription
{
    /// <summary>Format of this file.</summary>
    public int Format { get; init; } = ModelFolder.Format;

    /// <summary>Task that the model is of.</summary>
    public string Task { get; init; } = "";

    /// <summary>Number of parameters.</summary>
    public int Parameters { get; init; }

    /// <summary>Parameters that belong together: weights.npy has rows of so many.</summary>
    public int RowLength { get; init; } = 1;

    /// <summary>Workers that trained it.</summary>
    public int Workers { get; init; }

    /// <summary>XxHash3 of the parameters as they were exchanged: what workers write beside them names it.</summary>
    public string Checksum { get; init; } = "";

    /// <summary>Objective at these parameters, if it was evaluated.</summary>
    public double? Objective { get; init; }

    /// <summary>For classification: the label of the negative and that of the positive class.</summary>
    public IReadOnlyList<float>? Labels { get; init; }

    /// <summary>For classification with an intercept: the constant that is added to w.x.</summary>
    public float? Intercept { get; init; }

    /// <summary>Settings of the task.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>A trained model on disk: model.json and weights.npy.</summary>
public sealed record ModelFolder(ModelDescription Description, float[] Weights)
{
    /// <summary>The format that this program writes and reads.</summary>
    public const int Format = 1;

    private const string DescriptionFile = "model.json";
    private const string WeightsFile = "weights.npy";

    /// <summary>Labels of the two classes.</summary>
    /// <exception cref="InputException">The model is not a classifier.</exception>
    public BinaryLabels ClassLabels() => Description is { Task: LogisticTask.Name, Labels: [var negative, var positive] }
        ? new BinaryLabels(negative, positive)
        : throw new InputException($"The model is of task '{Description.Task}', not a classifier; give one that 'hpaps train logreg' wrote.");

    /// <summary>The classifier that this is.</summary>
    /// <exception cref="InputException">It is none.</exception>
    public LogisticModel ToLogistic() => new(Weights, Description.Intercept, ClassLabels());

    /// <summary>Writes the model; each file appears whole or not at all.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.Write(Path.Combine(folder, WeightsFile), output => NpyFile.Write(output, Weights, Description.RowLength));
        AtomicFile.Write(Path.Combine(folder, DescriptionFile),
            output => JsonSerializer.Serialize(output, Description, OutputJson.Default.ModelDescription));
    }

    /// <summary>The folder of the model: this one, or model/ in it.</summary>
    public static string Find(string folder)
    {
        string inside = Path.Combine(folder, RunFolder.Model);
        return !File.Exists(Path.Combine(folder, DescriptionFile)) && File.Exists(Path.Combine(inside, DescriptionFile)) ? inside : folder;
    }

    /// <summary>What model.json says: of the folder itself, or of model/ inside a run's folder.</summary>
    /// <exception cref="InputException">There is none, or it is broken.</exception>
    public static ModelDescription Describe(string folder)
    {
        string path = Path.Combine(Find(folder), DescriptionFile);
        ModelDescription description;
        try
        {
            description = JsonSerializer.Deserialize(File.ReadAllBytes(path), OutputJson.Default.ModelDescription)
                ?? throw new InputException($"{path}: it is empty; train again, or give another model");
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: it is not the JSON of a model ({e.Message}); train again, or give another model", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message}); give the folder that training wrote", e);
        }

        if (description.Format != Format)
            throw new InputException($"{path}: format {description.Format}, this program reads {Format}; use the release that wrote it");
        return description;
    }

    /// <summary>Reads a model: from the folder itself, or from model/ inside a run's folder.</summary>
    /// <exception cref="InputException">There is none, or it is broken.</exception>
    public static ModelFolder Read(string folder)
    {
        ModelDescription description = Describe(folder);
        folder = Find(folder);
        float[] weights = NpyFile.Read(Path.Combine(folder, WeightsFile));
        if (weights.Length != description.Parameters)
            throw new InputException($"{folder}: {description.Parameters} parameters, but {WeightsFile} has {weights.Length}; train again");
        return new ModelFolder(description, weights);
    }
}
