using System;
using System.Collections.Generic;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>One curve of a plot of several.</summary>
/// <param name="Style">Its number: curves of one number look alike on all plots of a page.</param>
/// <param name="Name">What it is.</param>
/// <param name="Points">In order of x.</param>
internal sealed record Series(int Style, string Name, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>What each point is, if that is said.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    // 6 hues and 4 kinds of strokes: no two of twelve curves share both, and neighbours share neither.
    private const int Hues = 6;
    private const int Dashes = 4;

    /// <summary>Most curves that can be told apart.</summary>
    public const int Most = 12;

    /// <summary>Class of its hue.</summary>
    public static string HueOf(int style) => $"h{style % Hues}";

    /// <summary>Class of its stroke.</summary>
    public static string DashOf(int style) => $"d{style % Dashes}";
}

/// <summary>A plot of several curves.</summary>
internal sealed record SeriesPlot
{
    private const double LogarithmicFrom = 50; // times from the least to the most
    private const int MostDots = 12;

    /// <summary>What it is of.</summary>
    public required string Title { get; init; }

    /// <summary>What goes to the right, and its unit.</summary>
    public required string XName { get; init; }

    /// <summary>What goes up.</summary>
    public required string YName { get; init; }

    /// <summary>A number along the bottom, for people.</summary>
    public required Func<double, string> ShowX { get; init; }

    /// <summary>A number upwards, for people.</summary>
    public required Func<double, string> ShowY { get; init; }

    /// <summary>How many of x make one of what the axis shows.</summary>
    public double UnitOfX { get; init; } = 1;

    /// <summary>Upwards logarithmic, whatever the range; null: by the range.</summary>
    public bool? IsRatio { get; init; }

    /// <summary>To the right logarithmic.</summary>
    public bool IsLogarithmicX { get; init; }

    /// <summary>A line to reach, or null.</summary>
    public double? Target { get; init; }

    /// <summary>The highest that the upward axis must show at least, and the lowest; null: by the curves.</summary>
    public (double Low, double High)? Span { get; init; }

    /// <summary>Writes it, or why there is nothing to see.</summary>
    public void Write(Markup page, IReadOnlyList<Series> all)
    {
        double low = Span?.Low ?? double.PositiveInfinity, high = Span?.High ?? double.NegativeInfinity, leastY = double.PositiveInfinity;
        double mostX = 0, leastX = double.PositiveInfinity;
        foreach (Series series in all)
        {
            foreach ((double x, double y) in series.Points)
            {
                if (!double.IsFinite(y) || !double.IsFinite(x))
                    continue;
                (low, high) = (Math.Min(low, y), Math.Max(high, y));
                leastY = y > 0 ? Math.Min(leastY, y) : leastY;
                leastX = x > 0 ? Math.Min(leastX, x) : leastX;
                mostX = Math.Max(mostX, x);
            }
        }

        bool isLogarithmic = IsRatio == true || (IsRatio is null && low > 0 && high / low >= LogarithmicFrom);
        if (mostX == 0 || !(low <= high) || (isLogarithmic && !double.IsFinite(leastY)) || (IsLogarithmicX && !double.IsFinite(leastX)))
        {
            page.Add($"<figure><figcaption><b>{Title}</b></figcaption><p class=\"empty\">No run has a number to draw.</p></figure>\n");
            return;
        }

        if (Target is { } target && (!isLogarithmic || target > 0))
            (low, high, leastY) = (Math.Min(low, target), Math.Max(high, target), Math.Min(leastY, target));
        Axis up = isLogarithmic ? Axis.Logarithmic(leastY, high, Target) : Axis.Linear(low, high);
        Axis along = IsLogarithmicX ? Axis.Logarithmic(leastX / UnitOfX, mostX / UnitOfX) : Axis.Linear(0, mostX / UnitOfX, endsAtMark: false);
        page.Add($"<figure>\n<figcaption><b>{Title}</b></figcaption>\n");
        var plot = Plot.Begin(page, $"{YName}, {Title}: {all.Count} curves", up, up.IsLogarithmic ? $"{YName}, logarithmic" : YName, IsLogarithmicX ? $"{XName}, logarithmic" : XName);
        plot.MarkX(along.Ticks, withLines: true);
        foreach (Series series in all)
            Write(page, plot, series, up, along);
        if (Target is { } line)
            plot.MarkTarget(up, line, ShowY(line));
        plot.End();
        if (up.IsCut)
            page.Add($"<p class=\"note\">{Plot.CutNote}</p>\n");
        page.Add($"</figure>\n");
    }

    /// <summary>What the curves are, for all plots of a section.</summary>
    public static void WriteLegend(Markup page, IReadOnlyList<Series> all)
    {
        page.Add($"<p class=\"legend\">");
        foreach (Series series in all)
        {
            page.Add($"<span class=\"key\"><svg class=\"series-key\" viewBox=\"0 0 34 10\" aria-hidden=\"true\">");
            page.Add($"<path class=\"series {Series.HueOf(series.Style)} {Series.DashOf(series.Style)}\" d=\"M1 5H33\"/></svg>{series.Name}</span> ");
        }

        page.Add($"</p>\n");
    }

    private void Write(Markup page, Plot plot, Series series, Axis up, Axis along)
    {
        var places = new List<(double X, double Y, int Of)>();
        for (int j = 0; j < series.Points.Count; j++)
            places.Add((along.Place(series.Points[j].X / UnitOfX), up.Place(series.Points[j].Y), j));
        List<(double X, double Y, int Of)?> points = Thinned.Of(places);
        page.Add($"<path class=\"series {Series.HueOf(series.Style)} {Series.DashOf(series.Style)}\" d=\"");
        bool isBroken = true;
        int last = -1;
        foreach ((double X, double Y, int Of)? point in points)
        {
            if (point is { } p)
            {
                page.Add($"{(isBroken ? "M" : "L")}{plot.X(p.X)} {Plot.Y(p.Y)}");
                last = p.Of;
            }

            isBroken = point is null;
        }

        page.Add($"\"><title>{series.Name}</title></path>\n");
        foreach ((double X, double Y, int Of)? point in points)
        {
            if (point is not { } p || (p.Of != last && points.Count > MostDots))
                continue;
            (double x, double y) = series.Points[p.Of];
            page.Add($"<circle class=\"point {Series.HueOf(series.Style)}\" cx=\"{plot.X(p.X)}\" cy=\"{Plot.Y(p.Y)}\" r=\"3.5\">");
            page.Add($"<title>{series.Name}{(series.Labels is { } labels ? $", {labels[p.Of]}" : "")}: {ShowY(y)} at {ShowX(x)}</title></circle>\n");
            if (series.Labels is { } words && series.Style == 0)
                page.Add($"<text class=\"mark\" x=\"{plot.X(p.X)}\" y=\"{Plot.Y(p.Y) - 7}\" text-anchor=\"{(p.X > 0.7 ? "end" : "start")}\">{words[p.Of]}</text>\n");
        }
    }
}
