using System;
using System.Collections.Generic;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>How many pushes had which version lag.</summary>
internal static class StalenessChart
{
    private const int LeastBars = 4;
    private const double BarShare = 0.82;
    private const double LeastHeight = 1; // a bin with one push among a million is still seen

    public static void Write(Markup page, IReadOnlyList<StalenessBin> bins)
    {
        double all = 0, most = 0;
        foreach (StalenessBin bin in bins)
        {
            all += bin.Pushes;
            most = Math.Max(most, bin.Pushes);
        }

        if (all == 0)
        {
            page.Add($"<p class=\"empty\">No push was applied.</p>\n");
            return;
        }

        page.Add($"<figure>\n<figcaption><b>{Show.Count(all)} pushes</b> by version lag</figcaption>\n");
        Axis y = Axis.Linear(0, 100 * most / all);
        var plot = Plot.Begin(page, $"{Show.Count(all)} pushes by their version lag", y, "share of the pushes, %", "version lag: each bar from this one up to the next");
        int bars = Math.Max(bins.Count, LeastBars);
        double slot = plot.PlotWidth / bars;
        var marks = new List<Tick>();
        for (int j = 0; j < bars; j++)
        {
            marks.Add(new Tick((j + 0.5) / bars, $"{(j < bins.Count ? bins[j].Least : j)}"));
            if (j >= bins.Count || bins[j].Pushes == 0)
                continue;
            double share = bins[j].Pushes / all;
            double height = Math.Max(LeastHeight, Plot.Y(0) - Plot.Y(y.Place(100 * share)));
            page.Add($"<rect class=\"bar\" x=\"{plot.Left + (slot * (j + ((1 - BarShare) / 2)))}\" y=\"{Plot.Y(0) - height}\" ");
            page.Add($"width=\"{slot * BarShare}\" height=\"{height}\">");
            page.Add($"<title>lag {Range(bins[j])}: {Show.Count(bins[j].Pushes)} of {Show.Count(all)} pushes, {100 * share:0.##} %</title></rect>\n");
        }

        plot.MarkX(marks, withLines: false);
        plot.End();
        page.Add($"</figure>\n");
    }

    private static string Range(StalenessBin bin) => bin.Least == bin.Most ? $"{bin.Least}" : $"{bin.Least}–{bin.Most}";
}
