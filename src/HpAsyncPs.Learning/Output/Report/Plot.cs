using System;
using System.Collections.Generic;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>The frame that plots share: size, margins, grid, marks and what the axes mean. Lengths are in SVG's pixels.</summary>
internal sealed class Plot
{
    public const double Width = 344;
    public const double Height = 230;

    /// <summary>What must be said of an axis that is cut.</summary>
    public const string CutNote = "What is less than a hundredth of the target lies at the lower edge.";

    private const double Top = 28;
    private const double Bottom = 40;
    private const double RightMargin = 16;
    private const double LetterWidth = 6.2;

    private readonly Markup _page;

    private Plot(Markup page, double left) => (_page, Left) = (page, left);

    public double Left { get; }

    public double PlotWidth => Width - RightMargin - Left;

    /// <summary>Begins an SVG with its grid and both axes.</summary>
    /// <param name="page">Where.</param>
    /// <param name="what">What a screen reader says.</param>
    /// <param name="y">The upward axis.</param>
    /// <param name="yName">What it shows.</param>
    /// <param name="xName">What the other shows.</param>
    public static Plot Begin(Markup page, string what, Axis y, string yName, string xName)
    {
        int letters = 0;
        foreach (Tick tick in y.Ticks)
            letters = Math.Max(letters, tick.Label.Length);
        var plot = new Plot(page, 14 + (letters * LetterWidth));
        page.Add($"<svg class=\"plot\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{what}\">\n");
        page.Add($"<text class=\"name\" x=\"0\" y=\"12\">{yName}</text>\n");
        foreach (Tick tick in y.Ticks)
        {
            double at = Plot.Y(tick.Place);
            page.Add($"<path class=\"grid\" d=\"M{plot.Left} {at}H{Width - RightMargin}\"/>");
            page.Add($"<text class=\"mark\" x=\"{plot.Left - 7}\" y=\"{at + 3.5}\" text-anchor=\"end\">{tick.Label}</text>\n");
        }

        page.Add($"<text class=\"name\" x=\"{plot.Left + (plot.PlotWidth / 2)}\" y=\"{Height - 4}\" text-anchor=\"middle\">{xName}</text>\n");
        return plot;
    }

    public double X(double place) => Left + (place * PlotWidth);

    public static double Y(double place) => Height - Bottom - (place * (Height - Bottom - Top));

    /// <summary>Marks along the bottom, as many as have room.</summary>
    public void MarkX(IReadOnlyList<Tick> ticks, bool withLines)
    {
        double free = double.NegativeInfinity;
        foreach (Tick tick in ticks)
        {
            double half = tick.Label.Length * LetterWidth / 2, at = X(tick.Place);
            if (withLines)
                _page.Add($"<path class=\"grid\" d=\"M{at} {Y(0)}v4\"/>");
            if (at - half < free || at + half > Width + 2)
                continue;
            free = at + half + 8;
            _page.Add($"<text class=\"mark\" x=\"{at}\" y=\"{Y(0) + 16}\" text-anchor=\"middle\">{tick.Label}</text>\n");
        }

        _page.Add($"<path class=\"axis\" d=\"M{Left} {Y(0)}H{Width - RightMargin}\"/>\n");
    }

    /// <summary>The line to reach, with its number at the right end: curves that fall are above it at the left. Drawn over them.</summary>
    /// <param name="y">The upward axis.</param>
    /// <param name="target">The number.</param>
    /// <param name="shown">The same for people.</param>
    public void MarkTarget(Axis y, double target, string shown)
    {
        if (y.Place(target) is not (>= 0 and <= 1))
            return;
        double at = Y(y.Place(target));
        _page.Add($"<path class=\"target\" d=\"M{Left} {at}h{PlotWidth}\"/>");
        _page.Add($"<text class=\"halo\" x=\"{Width - RightMargin - 4}\" y=\"{at - 5}\" text-anchor=\"end\">target {shown}</text>\n");
    }

    public void End() => _page.Add($"</svg>\n");
}
