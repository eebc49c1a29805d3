using System;
using System.Collections.Generic;
using System.Globalization;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Which two labels a file uses for its two classes: -1/+1, 0/1 or 1/2. The larger label is the positive class.
/// </summary>
/// <param name="Negative">Label that becomes -1.</param>
/// <param name="Positive">Label that becomes +1.</param>
public readonly record struct BinaryLabels(float Negative, float Positive)
{
    private const string Remedy = "supported labels are -1/+1, 0/1 and 1/2: relabel the file";

    /// <summary>Decides from rows which are all there is.</summary>
    /// <exception cref="InputException">The labels are not one of the supported pairs; names the first offending line.</exception>
    public static BinaryLabels Of(SparseRows rows)
    {
        IReadOnlyList<SeenLabel> seen = rows.DistinctLabels;
        foreach (SeenLabel one in seen)
        {
            if (one.Label is not (-1 or 0 or 1 or 2))
                throw Unsupported(rows, one);
        }

        if (seen.Count > 2 || (seen.Count == 2 && !Supported(rows.MinLabel, rows.MaxLabel)))
            throw Unsupported(rows, seen[^1]);
        return Agreed(rows.Source, rows.MinLabel, rows.MaxLabel);
    }

    /// <summary>
    /// Decides from the range of the labels over several parts, of which one may hold a single class. Labels between the
    /// two are found by <see cref="Signs"/>, on the part that has them.
    /// </summary>
    /// <param name="source">Path of the file, for messages.</param>
    /// <param name="minLabel">Smallest <see cref="SparseRows.MinLabel"/> of all parts.</param>
    /// <param name="maxLabel">Largest <see cref="SparseRows.MaxLabel"/> of all parts.</param>
    /// <exception cref="InputException">The range is not that of a supported pair, or there is one class only.</exception>
    public static BinaryLabels Agreed(string source, float minLabel, float maxLabel)
    {
        if (Supported(minLabel, maxLabel))
            return new BinaryLabels(minLabel, maxLabel);
        if (minLabel == maxLabel)
        {
            string what = $"every row has label {Show(minLabel)}, two classes are needed";
            throw new InputException($"{source}: {what}; {Remedy} or add the rows of the other class");
        }

        if (!(minLabel < maxLabel))
            throw new InputException($"{source}: there are no labels; give a file with rows");
        throw new InputException($"{source}: labels go from {Show(minLabel)} to {Show(maxLabel)}; {Remedy}");
    }

    /// <summary>The labels as -1 and +1, one per row.</summary>
    /// <exception cref="InputException">A row has neither label; names the first such line.</exception>
    public float[] Signs(SparseRows rows)
    {
        foreach (SeenLabel one in rows.DistinctLabels)
        {
            if (one.Label != Negative && one.Label != Positive)
                throw Unsupported(rows, one, $", other rows have {Show(Negative)} and {Show(Positive)}");
        }

        // At most two distinct labels are left, and both are known.
        ReadOnlySpan<float> labels = rows.Labels;
        var signs = new float[labels.Length];
        for (int row = 0; row < labels.Length; row++)
            signs[row] = labels[row] == Positive ? 1f : -1f;
        return signs;
    }

    private static bool Supported(float min, float max) => (min, max) is (-1, 1) or (0, 1) or (1, 2);

    private static InputException Unsupported(SparseRows rows, SeenLabel offending, string others = "")
    {
        var found = new List<string>();
        foreach (SeenLabel one in rows.DistinctLabels)
            found.Add(Show(one.Label));
        string more = found.Count > 2 ? " and maybe more" : "";
        string place = TextFile.Place(offending.File ?? rows.Source, offending.Line);
        string list = string.Join(", ", found);
        return new InputException($"{place}: label '{Show(offending.Label)}' does not fit (labels found: {list}{more}{others}); {Remedy}");
    }

    private static string Show(float label) => label.ToString("R", CultureInfo.InvariantCulture);
}
