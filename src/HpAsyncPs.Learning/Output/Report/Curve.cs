using System;
using System.Collections.Generic;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>A number of each sample, plotted over time, bytes and passes.</summary>
/// <param name="name">What it is.</param>
/// <param name="of">The number at a sample; NaN where there is none.</param>
/// <param name="show">The number for people.</param>
internal sealed class Curve(string name, Func<TraceRow, double> of, Func<double, string> show)
{
    private const double LogarithmicFrom = 50; // times from the least to the most
    private const int MostDots = 40;

    /// <summary>A line to reach, or null.</summary>
    public double? Target { get; init; }

    /// <summary>On a logarithmic axis, whatever the range.</summary>
    public bool IsRatio { get; init; }

    /// <summary>The three plots, or why there are none.</summary>
    public void Write(Markup page, IReadOnlyList<TraceRow> trace)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity, leastPositive = double.PositiveInfinity;
        foreach (TraceRow row in trace)
        {
            double value = of(row);
            if (!double.IsFinite(value))
                continue;
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
            if (value > 0)
                leastPositive = Math.Min(leastPositive, value);
        }

        bool isLogarithmic = high > 0 && (IsRatio || (low > 0 && high / low >= LogarithmicFrom));
        if (!(low <= high) || (IsRatio && !isLogarithmic))
        {
            page.Add($"<p class=\"empty\">{Reason(trace.Count, low <= high)}</p>\n");
            return;
        }

        if (Target is { } target && double.IsFinite(target) && (!isLogarithmic || target > 0))
            (low, high, leastPositive) = (Math.Min(low, target), Math.Max(high, target), Math.Min(leastPositive, target));
        Axis y = isLogarithmic ? Axis.Logarithmic(leastPositive, high, Target) : Axis.Linear(low, high);
        page.Add($"<div class=\"plots\">\n");
        (double divisor, string unit) = UnitOfTime(Most(trace, Seconds));
        Write(page, trace, y, Seconds, divisor, "over time", $"training time, {unit}", Show.Duration);
        (divisor, unit) = Show.UnitOf(Most(trace, Bytes));
        Write(page, trace, y, Bytes, divisor, "over bytes", $"sent up and down, {unit}", Show.Bytes);
        Write(page, trace, y, Passes, 1, "over passes", "passes over all data", PassesOf);
        page.Add($"</div>\n");
        int hidden = Count(trace, value => isLogarithmic && value <= 0), broken = Count(trace, value => !double.IsFinite(value));
        if (y.IsCut)
            page.Add($"<p class=\"note\">{Plot.CutNote}</p>\n");
        if (hidden > 0)
            page.Add($"<p class=\"note\">{Samples(hidden)} at or below 0 have no place on a logarithmic axis and are not drawn.</p>\n");
        if (broken > 0)
            page.Add($"<p class=\"note\">{Samples(broken)} without a finite value are not drawn.</p>\n");
    }

    private static double Seconds(TraceRow row) => row.Seconds;

    private static double Bytes(TraceRow row) => (double)row.UplinkBytes + row.DownlinkBytes;

    private static double Passes(TraceRow row) => row.Passes;

    private static string PassesOf(double passes) => $"{passes:#,0.#} passes";

    private static string Samples(int count) => count == 1 ? "1 sample" : $"{count} samples";

    /// <summary>The unit that a time on an axis is told in.</summary>
    public static (double Seconds, string Name) UnitOfTime(double most) => most switch
    {
        < 180 => (1, "s"),
        < 10_800 => (60, "min"),
        _ => (3600, "h"),
    };

    private static double Most(IReadOnlyList<TraceRow> trace, Func<TraceRow, double> x)
    {
        double most = 0;
        foreach (TraceRow row in trace)
            most = double.IsFinite(x(row)) ? Math.Max(most, x(row)) : most;
        return most;
    }

    private static string Reason(int samples, bool isFinite) => samples == 0
        ? "No evaluation was made."
        : isFinite ? "All samples are at or below 0: a logarithmic axis has no place for them." : "No sample has a finite value.";

    private int Count(IReadOnlyList<TraceRow> trace, Predicate<double> which)
    {
        int count = 0;
        foreach (TraceRow row in trace)
            count += which(of(row)) ? 1 : 0;
        return count;
    }

    private void Write(
        Markup page, IReadOnlyList<TraceRow> trace, Axis y, Func<TraceRow, double> x, double divisor, string title, string xName,
        Func<double, string> showX)
    {
        var along = Axis.Linear(0, Most(trace, x) / divisor, endsAtMark: false);
        TraceRow? last = null;
        foreach (TraceRow row in trace)
            last = double.IsNaN(y.Place(of(row))) || !(x(row) >= 0 && double.IsFinite(x(row))) ? last : row;
        if (last is null)
        {
            page.Add($"<p class=\"empty\">No sample has a finite place {title}.</p>\n");
            return;
        }

        string end = $"{show(of(last))} after {showX(x(last))}";
        page.Add($"<figure>\n<figcaption><b>{title}</b> {end}</figcaption>\n");
        var plot = Plot.Begin(page, $"{name} {title}: {end}", y, y.IsLogarithmic ? $"{name}, logarithmic" : name, xName);
        plot.MarkX(along.Ticks, withLines: true);
        List<(double X, double Y, TraceRow Row)?> points = Thin(trace, y, x, along, divisor);
        page.Add($"<path class=\"curve\" d=\"");
        bool isBroken = true;
        foreach ((double X, double Y, TraceRow Row)? point in points)
        {
            if (point is { } p)
                page.Add($"{(isBroken ? "M" : "L")}{plot.X(p.X)} {Plot.Y(p.Y)}");
            isBroken = point is null;
        }

        page.Add($"\"/>\n");
        foreach ((double X, double Y, TraceRow Row)? point in points)
        {
            if (point is { } p && (points.Count <= MostDots || p.Row == last))
            {
                page.Add($"<circle class=\"dot\" cx=\"{plot.X(p.X)}\" cy=\"{Plot.Y(p.Y)}\" r=\"{(p.Row == last ? 3.5 : 2)}\">");
                page.Add($"<title>{show(of(p.Row))} after {showX(x(p.Row))}</title></circle>\n");
            }
        }

        if (Target is { } target)
            plot.MarkTarget(y, target, show(target));
        plot.End();
        page.Add($"</figure>\n");
    }

    private List<(double X, double Y, TraceRow Row)?> Thin(
        IReadOnlyList<TraceRow> trace, Axis y, Func<TraceRow, double> x, Axis along, double divisor)
    {
        var points = new List<(double X, double Y, TraceRow Row)>();
        foreach (TraceRow row in trace)
            points.Add((along.Place(x(row) / divisor), y.Place(of(row)), row));
        return Thinned.Of(points);
    }
}
