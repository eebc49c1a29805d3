using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Output.Comparing;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>The plots of a comparison: a curve a configuration, and how the configurations depend on what differs between them.</summary>
internal static class ComparisonPlots
{
    private const double LogarithmicTimesFrom = 20; // the slowest run, as a multiple of the fastest

    /// <summary>What is plotted upwards of a sample, and of a configuration at its end.</summary>
    private sealed record Metric(string Name, string Lead, bool IsRatio, Func<TraceRow, double> Of, Func<ComparedConfiguration, double?> AtEnd, Func<double, string> Show, double? Target);

    /// <summary>Objective or gap, and error, over time, bytes, pushes and passes.</summary>
    public static void WriteCurves(Markup page, Comparison comparison, List<ShownConfiguration> shown)
    {
        foreach (Metric metric in MetricsOf(comparison))
        {
            page.Add($"<section>\n<h2>{char.ToUpperInvariant(metric.Name[0]) + metric.Name[1..]}</h2>\n<p class=\"lead\">{metric.Lead}</p>\n");
            if (shown.Count == 0)
            {
                page.Add($"<p class=\"empty\">No run is done.</p>\n</section>\n");
                continue;
            }

            SeriesPlot.WriteLegend(page, Of(shown, static _ => 0, static _ => 0));
            page.Add($"<div class=\"plots four\">\n");
            List<Series> overTime = Of(shown, static row => row.Seconds, metric.Of);
            (double unit, string name) = Curve.UnitOfTime(MostX(overTime));
            Plot(page, metric, overTime, "over time", $"{(comparison.VirtualTime ? "virtual time" : "training time")}, {name}", unit, Show.Duration, isTime: true);
            List<Series> overBytes = Of(shown, static row => (double)row.UplinkBytes + row.DownlinkBytes, metric.Of);
            (unit, name) = Show.UnitOf(MostX(overBytes));
            Plot(page, metric, overBytes, "over bytes", $"sent up and down, {name}", unit, Show.Bytes);
            Plot(page, metric, Of(shown, static row => row.Pushes, metric.Of), "over pushes", "pushes of all workers", 1, static value => $"{Show.Count(value)} pushes");
            Plot(page, metric, Of(shown, static row => row.Passes, metric.Of), "over passes", "passes over all data", 1, static value => $"{value:#,0.#} passes");
            page.Add($"</div>\n");
            TellLeftOut(page, comparison, shown);
            page.Add($"</section>\n");
        }
    }

    /// <summary>How much sooner more workers are at the target; nothing where there is one number of workers.</summary>
    public static void WriteGain(Markup page, Comparison comparison)
    {
        List<Series> series = Across(comparison, static one => one.Workers, static one => one.Gain, static setting => setting with { Workers = 0 });
        if (series.Count == 0)
            return;
        page.Add($"<section>\n<h2>Gain with workers</h2>\n<p class=\"lead\">Seconds to the target of {comparison.Baseline} with the fewest workers, divided by those of each, where all runs of both got there. What cannot be decided is left out.</p>\n");
        SeriesPlot.WriteLegend(page, series);
        page.Add($"<div class=\"plots\">\n");
        new SeriesPlot
        {
            Title = "over workers",
            XName = "workers",
            YName = "times sooner",
            ShowX = static value => $"{value:0} workers",
            ShowY = static value => $"{value:0.##} times sooner",
            IsRatio = false,
            Span = (0, 1),
        }.Write(page, series);
        page.Add($"</div>\n</section>\n");
    }

    /// <summary>What communicating less often costs; nothing where there is one solver.</summary>
    public static void WriteFrequency(Markup page, Comparison comparison)
    {
        static ComparedSetting Without(ComparedSetting setting) => setting with { Solver = "" };
        if (Across(comparison, static one => one.PushesPerWorkerPass, static _ => 1, Without).Count == 0)
            return;
        bool stopsAtTarget = comparison.Plan is { } plan && (plan.TargetGap ?? plan.TargetRmse) is not null;
        page.Add($"<section>\n<h2>Accuracy and frequency of communication</h2>\n<p class=\"lead\">Each point is a solver: how many pushes a worker makes for a pass over its own data, ");
        page.Add($"and {(stopsAtTarget ? "when it was at the target, where runs stop" : "how far it came in the passes, or the time, that all had")}.</p>\n");
        SeriesPlot.WriteLegend(page, Across(comparison, static one => one.PushesPerWorkerPass, static _ => 1, Without));
        page.Add($"<div class=\"plots\">\n");
        if (stopsAtTarget)
            Frequency("time to the target", "seconds to the target", static one => one.SecondsToTarget?.Median, Show.Duration, isRatio: false);
        foreach (Metric metric in MetricsOf(comparison))
            Frequency(metric.Name, $"{metric.Name} at the end", metric.AtEnd, metric.Show, metric.IsRatio ? true : null);
        if (comparison.Configurations[0].TestAccuracy is not null)
            Frequency("test accuracy", "test accuracy at the end", static one => one.TestAccuracy, static value => $"{100 * value:0.00} %", isRatio: null);
        page.Add($"</div>\n</section>\n");

        void Frequency(string title, string name, Func<ComparedConfiguration, double?> of, Func<double, string> show, bool? isRatio) => new SeriesPlot
        {
            Title = title,
            XName = "pushes a worker and pass",
            YName = name,
            ShowX = static value => $"{value:#,0.##} pushes a worker and pass",
            ShowY = show,
            IsRatio = isRatio,
            IsLogarithmicX = true,
        }.Write(page, Across(comparison, static one => one.PushesPerWorkerPass, of, Without));
    }

    /// <summary>Version lags, as the share of the pushes below each.</summary>
    public static void WriteStaleness(Markup page, List<ShownConfiguration> shown)
    {
        var series = new List<Series>();
        foreach (ShownConfiguration one in shown)
        {
            double all = 0, below = 0;
            foreach (StalenessBin bin in one.Run.StalenessBins)
                all += bin.Pushes;
            var points = new List<(double X, double Y)>();
            foreach (StalenessBin bin in one.Run.StalenessBins)
            {
                below += bin.Pushes;
                points.Add((bin.Most + 1, 100 * below / all));
            }

            if (all > 0)
                series.Add(new Series(one.Style, one.Name, points));
        }

        page.Add($"<section>\n<h2>Staleness</h2>\n<p class=\"lead\">The share of the pushes whose version lag is below each number: the further left a curve rises, the fresher are the snapshots that workers compute from.</p>\n");
        SeriesPlot.WriteLegend(page, series);
        page.Add($"<div class=\"plots\">\n");
        new SeriesPlot
        {
            Title = "version lag",
            XName = "lag below",
            YName = "share of the pushes, %",
            ShowX = static value => $"a lag below {value:0}",
            ShowY = static value => $"{value:0.##} %",
            IsRatio = false,
            IsLogarithmicX = true,
            Span = (0, 100),
        }.Write(page, series);
        page.Add($"</div>\n</section>\n");
    }

    private static List<Metric> MetricsOf(Comparison comparison)
    {
        bool hasGap = false, hasRmse = false;
        foreach (ComparedConfiguration one in comparison.Configurations)
        {
            hasGap |= one.RelativeGap is not null;
            hasRmse |= one.TestRmse is not null;
        }

        double? TargetOf(string name) => comparison.Target is { } target && target.Metric == name ? target.Value : null;
        double? GapOf(double? reference) => (TargetOf(ComparisonTarget.Objective) - reference) / (reference is { } value ? Math.Abs(value) : null);
        var metrics = new List<Metric>();
        if (hasRmse)
        {
            metrics.Add(new Metric("test RMSE", "Root mean squared error of the held-out ratings.", false, static row => row.TestRmse ?? double.NaN, static one => one.TestRmse,
                static value => $"{value:0.0000}", TargetOf(ComparisonTarget.Rmse)));
        }

        if (hasGap)
        {
            metrics.Add(new Metric("relative gap", $"(objective − reference) / |reference|, the reference being {comparison.Reference:R}. A curve is the run of its configuration in the middle.", true,
                static row => row.RelativeGap ?? double.NaN, static one => one.RelativeGap, Show.Gap, TargetOf(ComparisonTarget.Gap) ?? GapOf(comparison.Reference)));
        }
        else if (!hasRmse && comparison.BestObjective is { } best && best != 0)
        {
            metrics.Add(new Metric("gap to the best",
                $"(objective − best) / |best|, the best being {best:0.#########}, the lowest objective of all these runs, as no reference was given: the run that has it is at 0 there, which a logarithmic axis cannot show.", true,
                row => (row.Objective - best) / Math.Abs(best), static one => one.GapToBest, Show.Gap, GapOf(best)));
        }

        metrics.Add(new Metric("objective", "Exact at each sample: every worker evaluated the same snapshot.", false, static row => row.Objective, static one => one.Objective,
            static value => $"{value:0.######}", TargetOf(ComparisonTarget.Objective)));
        return metrics;
    }

    private static void Plot(Markup page, Metric metric, List<Series> series, string title, string xName, double unit, Func<double, string> showX, bool isTime = false)
    {
        double shortest = double.PositiveInfinity, longest = 0;
        foreach (Series one in series)
        {
            if (one.Points.Count > 0)
                (shortest, longest) = (Math.Min(shortest, one.Points[^1].X), Math.Max(longest, one.Points[^1].X));
        }

        new SeriesPlot
        {
            Title = title,
            XName = xName,
            YName = metric.Name,
            ShowX = showX,
            ShowY = metric.Show,
            UnitOfX = unit,
            IsRatio = metric.IsRatio ? true : null,
            IsLogarithmicX = isTime && longest > LogarithmicTimesFrom * shortest,
            Target = metric.Target,
        }.Write(page, series);
    }

    private static List<Series> Of(List<ShownConfiguration> shown, Func<TraceRow, double> x, Func<TraceRow, double> y)
    {
        var all = new List<Series>();
        foreach (ShownConfiguration one in shown)
        {
            var points = new List<(double X, double Y)>();
            foreach (TraceRow row in one.Run.Trace)
                points.Add((x(row), y(row)));
            all.Add(new Series(one.Style, one.Name, points));
        }

        return all;
    }

    /// <summary>Curves across configurations that differ in one thing: those with two points or more, the first as many as can be told apart.</summary>
    private static List<Series> Across(
        Comparison comparison, Func<ComparedConfiguration, double?> x, Func<ComparedConfiguration, double?> y, Func<ComparedSetting, ComparedSetting> without)
    {
        var groups = new List<(ComparedSetting Key, List<(double X, double Y, string Label)> Points, int Count)>();
        foreach (ComparedConfiguration one in comparison.Configurations)
        {
            ComparedSetting key = without(one.Setting);
            int at = groups.FindIndex(group => group.Key == key);
            if (at < 0)
            {
                at = groups.Count;
                groups.Add((key, [], 0));
            }

            groups[at] = (key, groups[at].Points, groups[at].Count + 1);
            if (x(one) is { } right && y(one) is { } up)
                groups[at].Points.Add((right, up, one.Solver));
        }

        groups.RemoveAll(static group => group.Count < 2);
        var keys = new List<ComparedSetting>();
        foreach ((ComparedSetting key, _, _) in groups)
            keys.Add(key);
        var all = new List<Series>();
        foreach ((ComparedSetting key, List<(double X, double Y, string Label)> points, _) in groups)
        {
            if (all.Count == Series.Most)
                break;
            points.Sort(static (a, b) => a.X.CompareTo(b.X));
            List<(double X, double Y)> places = points.ConvertAll(static point => (point.X, point.Y));
            all.Add(new Series(all.Count, key.NameAmong(keys), places) { Labels = key.Solver.Length > 0 ? null : points.ConvertAll(static point => point.Label) });
        }

        return all;
    }

    private static double MostX(List<Series> series)
    {
        double most = 0;
        foreach (Series one in series)
        {
            foreach ((double x, _) in one.Points)
                most = double.IsFinite(x) ? Math.Max(most, x) : most;
        }

        return most;
    }

    private static void TellLeftOut(Markup page, Comparison comparison, List<ShownConfiguration> shown)
    {
        int all = 0;
        foreach (ComparedConfiguration one in comparison.Configurations)
            all += one.Shown is null ? 0 : 1;
        if (all > shown.Count)
            page.Add($"<p class=\"note\">{shown.Count} of {all} configurations are drawn: the baseline, and those that were at the target first, or ended lowest.</p>\n");
    }
}
