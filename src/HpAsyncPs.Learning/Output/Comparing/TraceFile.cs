using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>Reads trace.csv, as a run leaves it.</summary>
public static class TraceFile
{
    /// <summary>The samples.</summary>
    /// <exception cref="InputException">It is not there, or not one.</exception>
    public static IReadOnlyList<TraceRow> Read(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message}); was the folder changed while runs were compared?", e);
        }

        var rows = new List<TraceRow>();
        string[] names = lines.Length > 0 ? lines[0].Split(',') : [];
        for (int j = 1; j < lines.Length; j++)
        {
            string[] cells = lines[j].Split(',');
            try
            {
                rows.Add(Row(names, cells));
            }
            catch (Exception e) when (e is FormatException or OverflowException or IndexOutOfRangeException)
            {
                throw new InputException($"{path}:{j + 1}: this is no row of a trace ({e.Message}); was it changed?", e);
            }
        }

        return rows;
    }

    private static TraceRow Row(string[] names, string[] cells)
    {
        // The error comes as it is shown; rows keep what it is the root of.
        double[] values = Cell("test_rmse") is { } rmse ? [Cell("objective") ?? double.NaN, rmse * rmse, 1] : [];
        return new TraceRow(Cell("seconds") ?? 0, Cell("passes") ?? 0, Cell("objective") ?? double.NaN, Cell("relative_gap"), (ulong)(Cell("pushes") ?? 0),
            (long)(Cell("uplink_bytes") ?? 0), (long)(Cell("downlink_bytes") ?? 0), (long)(Cell("staleness_p50") ?? 0), (long)(Cell("staleness_max") ?? 0), values);

        double? Cell(string name)
        {
            int at = Array.IndexOf(names, name);
            string text = at < 0 ? throw new FormatException($"there is no column {name}") : cells[at];
            return text.Length == 0 ? null : double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        }
    }
}
