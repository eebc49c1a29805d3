using System;
using System.Collections.Generic;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>What each worker did over time: a lane each, filled from below with the shares of every moment.</summary>
internal static class Lanes
{
    /// <summary>Most lanes on a page.</summary>
    public const int Most = 24;

    /// <summary>Name of the part of a page that the lanes are.</summary>
    public const string Part = "lanes";

    private const double Height = 20;

    public static void Write(Markup page, IReadOnlyList<WorkerRecord> workers, Timeline? timeline)
    {
        if (timeline is null || timeline.Bins == 0 || workers.Count == 0)
        {
            page.Add($"<p class=\"empty\">No worker told where its time went.</p>\n");
            return;
        }

        WriteKey(page);
        page.Begin(Part);
        page.Add($"<div class=\"lanes\">\n<span class=\"who head\">worker</span><span></span><span class=\"share\">computing</span>\n");
        foreach (WorkerRecord worker in ShownWorkers.Of(workers, Most))
        {
            if (worker.Rank < timeline.Workers)
                Write(page, worker, timeline);
        }

        WriteAxis(page, timeline.Seconds);
        page.Add($"</div>\n");
        page.End(Part);
        ShownWorkers.Tell(page, workers.Count, Most, "Lanes");
        page.Add($"<p class=\"note\">{timeline.Bins} bins of {Length(timeline.BinSeconds)}. Workers tell every 50 ms at first and less often later; ");
        page.Add($"a step is told when it ends, and drawn evenly over the time since the last news.</p>\n");
    }

    /// <summary>What the lanes of a page share: their pattern, and what the colours mean.</summary>
    public static void WriteKey(Markup page)
    {
        page.Add($"<svg class=\"hidden\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>");
        page.Add($"<pattern id=\"stripes\" width=\"1.6\" height=\"4\" patternUnits=\"userSpaceOnUse\">");
        page.Add($"<rect class=\"evaluating\" width=\"1.6\" height=\"4\"/><rect class=\"gap\" width=\"0.5\" height=\"4\"/></pattern></defs></svg>\n");
        page.Add($"<p class=\"legend\">");
        Swatch(page, Activity.Busy, "computing");
        Swatch(page, Activity.Evaluating, "evaluating");
        Swatch(page, Activity.Idle, "waiting");
        page.Add($"<span>in each lane from the bottom up; blank: not told</span></p>\n");
    }

    private static string Length(double seconds) => seconds < 1 ? $"{1000 * seconds:0} ms" : Show.Duration(seconds);

    private static void Swatch(Markup page, Activity activity, string name)
    {
        page.Add($"<span class=\"key\"><svg width=\"26\" height=\"12\" viewBox=\"0 0 7 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
        page.Add($"<rect class=\"{ClassOf(activity)}\" width=\"7\" height=\"12\"/></svg>{name}</span> ");
    }

    private static string ClassOf(Activity activity) => activity switch
    {
        Activity.Busy => "busy",
        Activity.Evaluating => "striped",
        _ => "idle",
    };

    private static void Write(Markup page, WorkerRecord worker, Timeline timeline)
    {
        double all = worker.BusySeconds + worker.IdleSeconds + worker.EvaluatingSeconds;
        string busy = Show.Share(all > 0 ? worker.BusySeconds / all : 0), idle = Show.Share(all > 0 ? worker.IdleSeconds / all : 0);
        page.Add($"<span class=\"who\">{worker.Rank}</span>");
        page.Add($"<svg viewBox=\"0 0 {Timeline.MostBins} {Height}\" preserveAspectRatio=\"none\" role=\"img\" ");
        page.Add($"aria-label=\"worker {worker.Rank}: {busy} computing, {idle} waiting\">");
        page.Add($"<title>worker {worker.Rank} ({worker.Peer}): {busy} computing, {idle} waiting, {worker.Passes:#,0.0} passes over its data</title>");
        Span<double> floor = stackalloc double[Timeline.MostBins];
        floor.Clear();
        Fill(page, worker.Rank, timeline, Activity.Busy, floor);
        Fill(page, worker.Rank, timeline, Activity.Evaluating, floor);
        Fill(page, worker.Rank, timeline, Activity.Idle, floor);
        page.Add($"</svg><span class=\"share\">{busy}</span>\n");
    }

    /// <summary>One activity as an area on top of those below it; raises the floor for the next.</summary>
    private static void Fill(Markup page, int rank, Timeline timeline, Activity activity, Span<double> floor)
    {
        ReadOnlySpan<double> seconds = timeline.Of(rank, activity);
        double binWidth = Timeline.MostBins * timeline.BinSeconds / timeline.Seconds, lastUp = -1, lastDown = -1;
        Span<double> roof = stackalloc double[seconds.Length];
        bool isAny = false;
        for (int bin = 0; bin < seconds.Length; bin++)
        {
            double length = Math.Min(timeline.BinSeconds, timeline.Seconds - (bin * timeline.BinSeconds)), told = 0;
            foreach (Activity each in (ReadOnlySpan<Activity>)[Activity.Busy, Activity.Evaluating, Activity.Idle])
                told += timeline.Of(rank, each)[bin];
            double share = seconds[bin] / Math.Max(length, told);
            roof[bin] = Math.Round(Math.Min(Height, floor[bin] + (double.IsFinite(share) ? share * Height : 0)), 1);
            isAny |= roof[bin] > floor[bin];
        }

        if (!isAny)
            return;

        // Along the roof to the right, and along the floor back.
        page.Add($"<path class=\"{ClassOf(activity)}\" d=\"M0 {Height - floor[0]}");
        for (int bin = 0; bin < roof.Length; bin++)
        {
            if (roof[bin] != lastUp)
                page.Add($"H{bin * binWidth}V{Height - roof[bin]}");
            lastUp = roof[bin];
        }

        page.Add($"H{(double)Timeline.MostBins}");
        for (int bin = roof.Length - 1; bin >= 0; bin--)
        {
            if (floor[bin] != lastDown)
                page.Add($"{(bin < roof.Length - 1 ? $"H{(bin + 1) * binWidth:0.##}" : "")}V{Height - floor[bin]}");
            lastDown = floor[bin];
            floor[bin] = roof[bin];
        }

        page.Add($"H0Z\"/>");
    }

    private static void WriteAxis(Markup page, double seconds)
    {
        (double divisor, string unit) = seconds switch
        {
            < 180 => (1.0, "s"),
            < 10_800 => (60.0, "min"),
            _ => (3600.0, "h"),
        };
        page.Add($"<span class=\"who\"></span><div class=\"scale\">");
        foreach (Tick tick in Axis.Linear(0, seconds / divisor, endsAtMark: false).Ticks)
        {
            if (tick.Place <= 0.94)
                page.Add($"<span style=\"left:{100 * tick.Place}%\">{tick.Label}</span>");
        }

        page.Add($"<span class=\"unit\">{unit}</span></div><span class=\"share\"></span>\n");
    }
}
