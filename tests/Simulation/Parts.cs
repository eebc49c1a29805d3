using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Generation;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Deals rows out to workers.</summary>
internal static class Parts
{
    /// <summary>A few generated rows.</summary>
    public static SparseRows Small()
    {
        using var text = new MemoryStream();
        new ClassificationGenerator(new ClassificationSettings { Rows = 400, Features = 20, Density = 0.5, Seed = 3 }).WriteTraining(text, null, CancellationToken.None);
        text.Position = 0;
        return LibsvmReader.Read(text, "generated", RowPart.All, TextFile.DefaultBlockBytes, CancellationToken.None);
    }

    /// <summary>At random, as the programs do it; or sorted by label, in blocks of equal size: the hardest way.</summary>
    public static SparseRows[] Split(SparseRows all, int workers, bool labelSorted, ulong seed)
    {
        var parts = new SparseRows[workers];
        int[] order = new int[all.Rows];
        for (int row = 0; row < order.Length; row++)
            order[row] = row;
        if (labelSorted)
        {
            float[] labels = all.Labels.ToArray();
            Array.Sort(order, (a, b) => labels[a] != labels[b] ? labels[a].CompareTo(labels[b]) : a.CompareTo(b));
        }

        for (int part = 0; part < workers; part++)
        {
            var rows = new List<int>();
            var random = new RowPart(part, workers, seed);
            for (int j = 0; j < order.Length; j++)
            {
                if (labelSorted ? (long)j * workers / order.Length == part : random.Owns(j))
                    rows.Add(order[j]);
            }

            parts[part] = Take(all, rows);
        }

        return parts;
    }

    /// <summary>Sorted by the features that rows have, in blocks of equal size: most features are those of few workers.</summary>
    public static SparseRows[] SplitByFeatures(SparseRows all, int workers)
    {
        int[] order = new int[all.Rows];
        for (int row = 0; row < order.Length; row++)
            order[row] = row;
        Array.Sort(order, (a, b) => all.RowColumns(a).SequenceCompareTo(all.RowColumns(b)) is var by && by != 0 ? by : a.CompareTo(b));
        var parts = new SparseRows[workers];
        for (int part = 0; part < workers; part++)
        {
            int first = (int)((long)part * order.Length / workers), end = (int)((part + 1L) * order.Length / workers);
            parts[part] = Take(all, [.. order[first..end]]);
        }

        return parts;
    }

    /// <summary>The rows of several parts together.</summary>
    public static SparseRows Join(ReadOnlySpan<SparseRows> parts)
    {
        var starts = new List<long> { 0 };
        var columns = new List<int>();
        var values = new List<float>();
        var labels = new List<float>();
        foreach (SparseRows part in parts)
        {
            for (int row = 0; row < part.Rows; row++)
            {
                columns.AddRange(part.RowColumns(row));
                values.AddRange(part.RowValues(row));
                labels.Add(part.Labels[row]);
                starts.Add(columns.Count);
            }
        }

        return new SparseRows(parts[0].Source, [.. starts], [.. columns], [.. values], [.. labels], parts[0].Features);
    }

    private static SparseRows Take(SparseRows all, List<int> rows)
    {
        var starts = new List<long> { 0 };
        var columns = new List<int>();
        var values = new List<float>();
        var labels = new List<float>();
        foreach (int row in rows)
        {
            columns.AddRange(all.RowColumns(row));
            values.AddRange(all.RowValues(row));
            labels.Add(all.Labels[row]);
            starts.Add(columns.Count);
        }

        return new SparseRows(all.Source, [.. starts], [.. columns], [.. values], [.. labels], all.Features);
    }
}
