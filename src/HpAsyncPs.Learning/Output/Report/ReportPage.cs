using System;
using System.IO;
using System.Text;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>
/// report.html: one page that needs no network, no script and no other file. The server writes it whole. What depends on the
/// summary alone stands between markers, so that a launcher, which knows wall time, command and test result only later, has it
/// made anew without the run's data. Text is escaped, so nothing else can look like a marker.
/// </summary>
public static class ReportPage
{
    private const string Head = "head";
    private const string Settings = "settings";

    // Far above what a page of the most workers and settings takes.
    private const long MostBytes = 64L << 20;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>The page of a run.</summary>
    /// <param name="result">What came of it.</param>
    /// <param name="summary">The same in short.</param>
    /// <param name="metric">What to plot beside the objective, or null.</param>
    public static string Of(RunResult result, RunSummary summary, ReportMetric? metric)
    {
        var page = new Markup();
        WriteTop(page, SummaryPart.TitleOf(summary));
        Between(page, Head, () => SummaryPart.WriteHead(page, summary));
        WriteCurves(page, result, metric);
        page.Add($"<section>\n<h2>What the workers did</h2>\n");
        Lanes.Write(page, result.Status.Workers, result.Timeline);
        page.Add($"</section>\n<div class=\"pair\">\n<section>\n<h2>Staleness</h2>\n");
        SummaryPart.WriteStaleness(page, summary);
        StalenessChart.Write(page, result.Staleness);
        page.Add($"<p class=\"note\">Lag: pushes of all workers that were applied between the snapshot that a push was computed from, and the push.</p>\n");
        page.Add($"</section>\n<section>\n<h2>Workers</h2>\n");
        WorkerTable.Write(page, result.Status.Workers);
        page.Add($"</section>\n</div>\n");
        Between(page, Settings, () => SummaryPart.WriteSettings(page, summary));
        WriteBottom(page);
        return page.ToString();
    }

    /// <summary>What every page begins with: no script can run in it, and nothing is fetched.</summary>
    internal static void WriteTop(Markup page, string title)
    {
        page.Add($"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
        page.Add($"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
        page.Add($"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n");
        page.Add($"<title>{title} – HpAsyncPs</title>\n");
        ReportStyle.Write(page);
        page.Add($"</head>\n<body>\n<main>\n");
    }

    /// <summary>What every page ends with.</summary>
    internal static void WriteBottom(Markup page) => page.Add($"</main>\n</body>\n</html>\n");

    /// <summary>Writes the page of a run.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void Write(string path, RunResult result, RunSummary summary, ReportMetric? metric) =>
        Save(path, Of(result, summary, metric));

    /// <summary>Makes the parts that depend on the summary anew. A page that is not there, or not of this program, is left alone.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void Complete(string path, RunSummary summary)
    {
        string whole = Read(path), text = whole;
        text = Replace(text, Head, page => SummaryPart.WriteHead(page, summary));
        text = Replace(text, Settings, page => SummaryPart.WriteSettings(page, summary));
        if (text != whole)
            Save(path, text);
    }

    /// <summary>What the workers of a run did, as its page shows it; empty if there is no page, or it is not of this program.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static string LanesOf(string path) => Markup.PartOf(Read(path), Lanes.Part);

    /// <summary>A page; empty where there is none.</summary>
    private static string Read(string path)
    {
        try
        {
            return !File.Exists(path) || new FileInfo(path).Length > MostBytes ? "" : File.ReadAllText(path, Utf8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read ({e.Message}); choose another --out", e);
        }
    }

    private static void WriteCurves(Markup page, RunResult result, ReportMetric? metric)
    {
        bool hasGap = false;
        foreach (TraceRow row in result.Trace)
            hasGap |= row.RelativeGap is not null;
        page.Add($"<section>\n<h2>{(hasGap ? "Relative gap" : "Objective")}</h2>\n");
        page.Add($"<p class=\"lead\">{(hasGap ? "(objective − reference) / |reference|, the objective being" : "The objective is")} ");
        page.Add($"exact at each sample: every worker evaluated the same snapshot.</p>\n");
        Curve curve = hasGap
            ? new Curve("relative gap", static row => row.RelativeGap ?? double.NaN, Show.Gap) { IsRatio = true, Target = result.Target }
            : new Curve("objective", static row => row.Objective, static value => $"{value:0.######}");
        curve.Write(page, result.Trace);
        page.Add($"</section>\n");
        if (metric is null)
            return;
        page.Add($"<section>\n<h2>{char.ToUpperInvariant(metric.Name[0]) + metric.Name[1..]}</h2>\n");
        new Curve(metric.Name, metric.Of, static value => $"{value:0.####}").Write(page, result.Trace);
        page.Add($"</section>\n");
    }

    private static void Between(Markup page, string part, Action write)
    {
        page.Begin(part);
        write();
        page.End(part);
    }

    private static string Replace(string text, string part, Action<Markup> write)
    {
        string old = Markup.PartOf(text, part);
        if (old.Length == 0)
            return text;
        Markup before = new(), after = new();
        Between(before, part, () => before.AddPart(old));
        Between(after, part, () => write(after));
        return text.Replace(before.ToString(), after.ToString(), StringComparison.Ordinal);
    }

    private static void Save(string path, string text) => AtomicFile.Write(path, output => output.Write(Utf8.GetBytes(text)));
}
