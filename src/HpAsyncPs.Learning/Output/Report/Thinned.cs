using System.Collections.Generic;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>Points of a curve, as many as can be seen.</summary>
internal static class Thinned
{
    private const int Columns = 180;

    /// <summary>
    /// The points to draw, given as places between 0 and 1 in order of x: of those that fall into one column of the plot, the first, the
    /// least, the most and the last. A gap, which a place that is not there leaves, is null.
    /// </summary>
    public static List<(double X, double Y, T Of)?> Of<T>(IReadOnlyList<(double X, double Y, T Of)> all)
    {
        var points = new List<(double X, double Y, T Of)?>();
        var column = new List<(double X, double Y, T Of)>();
        foreach ((double X, double Y, T Of) point in all)
        {
            if (!(point.X >= 0) || double.IsNaN(point.Y))
            {
                AddColumn(points, column);
                if (points.Count > 0 && points[^1] is not null)
                    points.Add(null);
                continue;
            }

            if (column.Count > 0 && (int)(column[0].X * Columns) != (int)(point.X * Columns))
                AddColumn(points, column);
            column.Add(point);
        }

        AddColumn(points, column);
        return points;
    }

    private static void AddColumn<T>(List<(double X, double Y, T Of)?> points, List<(double X, double Y, T Of)> column)
    {
        int least = 0, most = 0;
        for (int j = 1; j < column.Count; j++)
        {
            least = column[j].Y < column[least].Y ? j : least;
            most = column[j].Y > column[most].Y ? j : most;
        }

        for (int j = 0; j < column.Count; j++)
        {
            if (j == 0 || j == least || j == most || j == column.Count - 1)
                points.Add(column[j]);
        }

        column.Clear();
    }
}
