using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Numerics.Tensors;
using System.Text;
using System.Text.Json;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;

namespace HpAsyncPs.Learning.Output;

/// <summary>A trained factorisation: rating = mean + b_user + b_item + p_user.q_item.</summary>
public sealed class FactorModel
{
    private readonly float[] _items;
    private readonly List<float[]> _userRows = [];
    private readonly List<int[]> _rated = [];
    private readonly int _rowLength;

    private FactorModel(string folder, ModelDescription description, float[] items)
    {
        Folder = folder;
        _items = items;
        _rowLength = description.RowLength;
        Mean = Setting(description.Settings, "mean");
        Description = description;
    }

    /// <summary>Where it was read from.</summary>
    public string Folder { get; }

    /// <summary>What model.json says.</summary>
    public ModelDescription Description { get; }

    /// <summary>Mean of the training ratings.</summary>
    public double Mean { get; }

    /// <summary>Ids of items.</summary>
    public IdTable Items { get; } = new();

    /// <summary>Ids of users.</summary>
    public IdTable Users { get; } = new();

    /// <summary>Whether an item has training ratings; others have no factors, and a bias of zero.</summary>
    public bool KnowsItem(int item) => item >= 0 && ItemRow(item).ContainsAnyExcept(0f);

    /// <summary>Whether a user has training ratings; others have no factors, and a bias of zero.</summary>
    public bool KnowsUser(int user) => user >= 0 && _userRows[user].AsSpan().ContainsAnyExcept(0f);

    /// <summary>Numbers of the items that a user has rated, those that were held out included.</summary>
    public IReadOnlyList<int> Rated(int user) => user >= 0 ? _rated[user] : [];

    /// <summary>How many ratings each item has, held out or not.</summary>
    public int[] Raters()
    {
        int[] raters = new int[Items.Count];
        foreach (int[] one in _rated)
        {
            foreach (int item in one)
                raters[item]++;
        }

        return raters;
    }

    /// <summary>The rating that is predicted. A user or an item that is not known (-1) counts as an average one.</summary>
    public double Predict(int user, int item)
    {
        ReadOnlySpan<float> p = user >= 0 ? _userRows[user] : [], q = item >= 0 ? ItemRow(item) : [];
        double rating = Mean + (p.IsEmpty ? 0 : p[^1]) + (q.IsEmpty ? 0 : q[^1]);
        return p.IsEmpty || q.IsEmpty ? rating : rating + TensorPrimitives.Dot(p[..^1], q[..^1]);
    }

    /// <summary>Reads a model: from the folder itself, or from model/ inside a run's folder.</summary>
    /// <exception cref="InputException">There is none, or it is broken, or users are missing.</exception>
    public static FactorModel Read(string folder)
    {
        ModelFolder whole = ModelFolder.Read(folder);
        ModelDescription description = whole.Description;
        if (description.Task != FactorTask.Name)
            throw new InputException($"{folder}: the model is of task '{description.Task}', not of matrix factorisation; give one that 'hpaps train mf' wrote");
        folder = ModelFolder.Find(folder);
        if (description.RowLength < 2 || whole.Weights.Length % description.RowLength != 0)
            throw Broken(folder, $"model.json says rows of {description.RowLength}, which {whole.Weights.Length} parameters are not");
        if (description.Settings is null || description.Workers < 1)
            throw Broken(folder, "model.json has no settings, or no workers");
        if (!whole.Weights.AsSpan().ContainsAnyExcept(0f))
            throw Broken(folder, "all weights are zero: nothing was trained");
        var model = new FactorModel(folder, description, whole.Weights);
        if (double.IsNaN(model.Mean))
            throw Broken(folder, "model.json has no mean among its settings");
        byte[] ids = ReadAll(folder, Path.Combine(folder, UserPart.Items));
        foreach (Range line in Lines(ids))
            model.Items.Add(ids.AsSpan(line));
        if (model.Items.Count * description.RowLength != whole.Weights.Length)
            throw Broken(folder, $"{UserPart.Items} has {model.Items.Count} different ids, weights.npy {whole.Weights.Length / description.RowLength} rows");
        for (int part = 0; part < description.Workers; part++)
            model.ReadPart(part);
        return model;
    }

    /// <summary>Item rows, in units of the ratings, from parameters as they are exchanged.</summary>
    /// <param name="parameters">Distances from the start.</param>
    /// <param name="settings">Of the task.</param>
    /// <returns>
    /// Rows of the factors and the bias, zero for items without training ratings; and their length. The parameters themselves if the
    /// settings, which came from the workers, are not those of matrix factorisation.
    /// </returns>
    internal static (float[] Rows, int RowLength) ItemRows(float[] parameters, IReadOnlyDictionary<string, string> settings)
    {
        double rank = Setting(settings, "rank"), scale = Setting(settings, "scale"), start = Setting(settings, "start");
        int length = rank is >= 1 and <= FactorSettings.MostRank ? (int)rank + 1 : 0;
        if (length != rank + 1 || parameters.Length % length != 0 || !(scale > 0) || !(start >= 0)
            || !ulong.TryParse(settings.GetValueOrDefault("seed"), CultureInfo.InvariantCulture, out ulong seed))
        {
            return (parameters, 1);
        }

        var of = new FactorSettings { Rank = length - 1, Start = start, Seed = seed };
        float root = (float)Math.Sqrt(scale);
        float[] rows = new float[parameters.Length];
        for (int item = 0; item < parameters.Length / length; item++)
        {
            ReadOnlySpan<float> from = parameters.AsSpan(item * length, length);
            if (!from.ContainsAnyExcept(0f))
                continue;
            for (int k = 0; k < of.Rank; k++)
                rows[(item * length) + k] = root * (from[k] + of.StartOf(item, k));
            rows[(item * length) + of.Rank] = (float)(scale * from[of.Rank]);
        }

        return (rows, length);
    }

    /// <summary>This model as a start for other ratings, of which users and items are found by their ids.</summary>
    /// <param name="items">Ids of all items.</param>
    /// <param name="data">A worker's part of them.</param>
    /// <param name="rank">Factors that are to be trained.</param>
    /// <exception cref="InputException">The model has another number of factors.</exception>
    public FactorStart StartFor(IdTable items, FactorData data, int rank)
    {
        if (rank != _rowLength - 1)
            throw new InputException($"{Folder}: the model to begin from has {_rowLength - 1} factors: train with --rank {_rowLength - 1}, or begin from another");
        float[] rows = new float[items.Count * _rowLength], users = new float[data.Users * _rowLength];
        for (int item = 0; item < items.Count; item++)
        {
            if (Items.Find(items[item]) is var known and >= 0)
                Rescale(ItemRow(known), data.Scale, 0, rows.AsSpan(item * _rowLength, _rowLength));
        }

        for (int user = 0; user < data.Users; user++)
        {
            if (Users.Find(data.UserNames[data.UserPlaces[user]]) is var known and >= 0)
                Rescale(_userRows[known], data.Scale, Mean - data.Mean, users.AsSpan(user * _rowLength, _rowLength));
        }

        return new FactorStart(rows, users);
    }

    // From units of the ratings to those of their standard deviation; a row that was never trained stays zero.
    private static void Rescale(ReadOnlySpan<float> row, double scale, double shift, Span<float> to)
    {
        if (!row.ContainsAnyExcept(0f))
            return;
        TensorPrimitives.Multiply(row[..^1], (float)(1 / Math.Sqrt(scale)), to);
        to[^1] = (float)((row[^1] + shift) / scale);
    }

    private ReadOnlySpan<float> ItemRow(int item) => _items.AsSpan(item * _rowLength, _rowLength);

    private void ReadPart(int part)
    {
        string path = UserPart.PathOf(Folder, part, "json");
        UserPartDescription? description = null;
        try
        {
            description = JsonSerializer.Deserialize(ReadAll(Folder, path), OutputJson.Default.UserPartDescription);
        }
        catch (JsonException)
        {
            // told below
        }

        if (description is null || description.Format != ModelFolder.Format)
            throw Broken(Folder, $"{Path.GetFileName(path)} is not what a worker writes");
        if (description.Checksum != Description.Checksum)
        {
            throw Broken(Folder, $"{Path.GetFileName(path)} belongs to other weights than weights.npy: it is of another run, "
                + "or the run failed before its end");
        }

        float[] rows = NpyFile.Read(UserPart.PathOf(Folder, part, "npy"));
        int count = 0;
        byte[] text = ReadAll(Folder, UserPart.PathOf(Folder, part, "txt"));
        foreach (Range line in Lines(text))
        {
            ReadOnlySpan<byte> all = text.AsSpan(line);
            int tab = all.IndexOf((byte)'\t');
            if (Users.Add(tab < 0 ? all : all[..tab]) != _userRows.Count || (count + 1) * _rowLength > rows.Length)
                throw Broken(Folder, $"users-{part}.txt does not fit users-{part}.npy, or has a user twice");
            _userRows.Add(rows[(count * _rowLength)..((count + 1) * _rowLength)]);
            _rated.Add(Numbers(tab < 0 ? [] : all[(tab + 1)..], part));
            count++;
        }

        if (count != description.Users || rows.Length != count * _rowLength)
            throw Broken(Folder, $"users-{part}.txt has {count} users, users-{part}.json {description.Users}, users-{part}.npy {rows.Length / _rowLength}");
    }

    private int[] Numbers(ReadOnlySpan<byte> text, int part)
    {
        var numbers = new List<int>();
        foreach (Range one in text.Split((byte)' '))
        {
            if (text[one].IsEmpty)
                continue;
            if (!int.TryParse(text[one], NumberStyles.None, CultureInfo.InvariantCulture, out int item) || item >= Items.Count)
                throw Broken(Folder, $"users-{part}.txt names an item that is not there");
            numbers.Add(item);
        }

        return [.. numbers];
    }

    private static List<Range> Lines(byte[] bytes)
    {
        var lines = new List<Range>();
        int start = 0, length;
        while ((length = bytes.AsSpan(start).IndexOf((byte)'\n')) >= 0)
        {
            lines.Add(start..(start + length));
            start += length + 1;
        }

        return lines;
    }

    private static byte[] ReadAll(string folder, string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"{folder}: {Path.GetFileName(path)} is missing, which a worker writes at its end; train again, or, if the worker "
                + "ran on another machine, copy users-* and items.txt from the folder of its --out", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message}); check the file and its permissions", e);
        }
    }

    private static double Setting(IReadOnlyDictionary<string, string> settings, string key) =>
        double.TryParse(settings.GetValueOrDefault(key), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && double.IsFinite(value)
            ? value
            : double.NaN;

    private static InputException Broken(string folder, string what) => new($"{folder}: {what}; train again, or give another model");
}
