using System;
using System.Globalization;

namespace HpAsyncPs.Protocol;

/// <summary>Which of a job's servers one is: server <paramref name="Index"/> of <paramref name="Count"/> has the shard of that number.</summary>
/// <param name="Index">From 0 on. Server 0 is the first: it admits the workers, cuts the model, evaluates and ends the job.</param>
/// <param name="Count">Servers of the job.</param>
public readonly record struct ShardIndex(int Index, int Count)
{
    /// <summary>The setting by which a worker says for which one it takes a server.</summary>
    public const string Setting = "shard";

    // Of the mean load of a row: what a row costs that nobody pushes.
    private const double LeastLoad = 0.1;

    /// <summary>The one server of a job.</summary>
    public static ShardIndex Only => new(0, 1);

    /// <summary>The first, or the only one.</summary>
    public bool IsFirst => Index == 0;

    /// <summary>Reads I/S.</summary>
    /// <exception cref="FormatException">It is none; the message says what one is.</exception>
    public static ShardIndex Parse(string text) =>
        text.Split('/') is [var left, var right] && int.TryParse(left, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            && int.TryParse(right, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= Limits.Servers && index < count
            ? new ShardIndex(index, count)
            : throw new FormatException($"'{text}' is not I/S with 0 <= I < S <= {Limits.Servers}: server I of S.");

    /// <summary>Cuts a model into key ranges, rows whole, of loads as even as that goes.</summary>
    /// <param name="parameters">Of the model.</param>
    /// <param name="rowLength">Parameters in a row; divides their number.</param>
    /// <param name="loads">Of equal slices of the rows; empty: every row is as good as another.</param>
    /// <returns>The first key of each server's range, then <paramref name="parameters"/>; null where there are fewer rows than servers.</returns>
    public int[]? Cut(int parameters, int rowLength, ReadOnlySpan<double> loads)
    {
        int rows = parameters / rowLength;
        if (rows < Count)
            return null;
        double total = 0;
        foreach (double load in loads)
            total += load;
        double least = total > 0 ? LeastLoad * total / rows : 1; // of a row: memory is a load as well
        int[] bounds = new int[Count + 1];
        double sum = 0, all = total + (least * rows);
        for (int row = 0, next = 1; next < Count; row++)
        {
            bool isFull = sum >= all * next / Count && row > bounds[next - 1] / rowLength;
            if (isFull || rows - row <= Count - next) // one at least is left for each
                bounds[next++] = row * rowLength;
            sum += least + LoadOf(row, rows, loads);
        }

        bounds[Count] = parameters;
        return bounds;
    }

    private static double LoadOf(int row, int rows, ReadOnlySpan<double> loads)
    {
        if (loads.IsEmpty)
            return 0;
        int slice = (int)((long)row * loads.Length / rows);
        long first = (((long)slice * rows) + loads.Length - 1) / loads.Length, end = ((((long)slice + 1) * rows) + loads.Length - 1) / loads.Length;
        return loads[slice] / (end - first);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Index}/{Count}";
}
