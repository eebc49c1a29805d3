using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Output.Comparing;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>report.html of a comparison: one page that needs no network, no script and no other file.</summary>
public static class ComparisonPage
{
    private const int MostLanes = 6;

    /// <summary>The page.</summary>
    /// <param name="comparison">What came of it.</param>
    /// <param name="lanes">What the workers of a run did, as its own page shows it.</param>
    public static string Of(Comparison comparison, Func<ComparedRun, string> lanes)
    {
        var page = new Markup();
        ReportPage.WriteTop(page, $"{SummaryPart.TaskOf(comparison.Task)}, {comparison.Configurations.Count} configurations compared");
        WriteHead(page, comparison);
        WriteTable(page, comparison);
        List<ShownConfiguration> shown = ShownConfiguration.All(comparison);
        ComparisonPlots.WriteCurves(page, comparison, shown);
        ComparisonPlots.WriteGain(page, comparison);
        ComparisonPlots.WriteFrequency(page, comparison);
        WriteLanes(page, comparison, lanes);
        ComparisonPlots.WriteStaleness(page, shown);
        WriteSettings(page, comparison);
        ReportPage.WriteBottom(page);
        return page.ToString();
    }

    private static void WriteHead(Markup page, Comparison comparison)
    {
        page.Add($"<header>\n<p class=\"over\">Report of a comparison{(comparison.FinishedAt is { } at ? $" that ended {SummaryPart.Moment(at)}" : "")}</p>\n");
        page.Add($"<h1>{SummaryPart.TaskOf(comparison.Task)} <span class=\"light\">{comparison.Configurations.Count} configurations");
        page.Add($"{(comparison.VirtualTime ? ", on a virtual clock" : "")}</span></h1>\n<p class=\"outcome\">{ComparisonOutcome.Of(comparison)}</p>\n");
        if (comparison.FailedRuns > 0)
            page.Add($"<p class=\"failure\"><b>{comparison.FailedRuns} of {comparison.PlannedRuns} runs failed.</b> Below the table it says which, and why.</p>\n");
        if (comparison.Missing() is { Count: > 0 } missing)
            page.Add($"<p class=\"failure\"><b>{missing.Count} of {comparison.PlannedRuns} runs are missing</b>, for it was stopped before them.</p>\n");
        page.Add($"</header>\n");
    }

    private static void WriteTable(Markup page, Comparison comparison)
    {
        IReadOnlyList<ComparisonTable.Column> columns = ComparisonTable.ColumnsOf(comparison);
        page.Add($"<section>\n<h2>Configurations</h2>\n<div class=\"scroll\"><table class=\"rows\">\n<thead><tr>");
        foreach (ComparisonTable.Column column in columns)
            page.Add($"<th scope=\"col\">{column.Name}</th>");
        page.Add($"</tr></thead>\n<tbody>\n");
        foreach (ComparedConfiguration one in comparison.Configurations)
        {
            page.Add($"<tr>");
            for (int j = 0; j < columns.Count; j++)
            {
                if (j > 0)
                    page.Add($"<td>{columns[j].Of(one)}</td>");
                else if (one.Shown?.Folder is { } folder)
                    page.Add($"<th scope=\"row\"><a href=\"{folder}/report.html\">{columns[j].Of(one)}</a></th>");
                else
                    page.Add($"<th scope=\"row\">{columns[j].Of(one)}</th>");
            }

            page.Add($"</tr>\n");
        }

        page.Add($"</tbody></table></div>\n");
        foreach (string note in ComparisonTable.NotesOf(comparison))
            page.Add($"<p class=\"note\">{char.ToUpperInvariant(note[0]) + note[1..]}.</p>\n");
        page.Add($"<p class=\"note\">MB: payloads, without headers of frames. Lag: pushes of all workers that were applied between the snapshot that a push was computed from, and the push. ");
        page.Add($"The names of policies lead to the page of a run, as long as its folder is beside this page.</p>\n</section>\n");
    }

    private static void WriteLanes(Markup page, Comparison comparison, Func<ComparedRun, string> lanes)
    {
        int most = 0;
        foreach (ComparedConfiguration one in comparison.Configurations)
            most = Math.Max(most, one.Shown is null ? 0 : one.Workers);
        List<ComparedConfiguration> all = OfMost(comparison, most);
        page.Add($"<section>\n<h2>What the workers did</h2>\n<p class=\"lead\">Each on a scale of its own.</p>\n");
        Lanes.WriteKey(page);
        int written = 0;
        foreach (ComparedConfiguration one in all)
        {
            if (written == MostLanes || lanes(one.Shown!) is not { Length: > 0 } part)
                continue;
            page.Add($"<h3>{one.Setting.NameAmong(comparison.Plan?.Settings ?? [])}</h3>\n");
            page.AddPart(part);
            written++;
        }

        if (written == 0)
            page.Add($"<p class=\"empty\">No run told where the time of its workers went.</p>\n");
        if (all.Count > written || most > Lanes.Most)
            page.Add($"<p class=\"note\">Of {written} of the {all.Count} configurations of {most} workers, and at most {Lanes.Most} of their workers; the pages of the runs have the others.</p>\n");
        page.Add($"</section>\n");
    }

    /// <summary>Those with so many workers that have a run: one of each policy first.</summary>
    private static List<ComparedConfiguration> OfMost(Comparison comparison, int workers)
    {
        List<ComparedConfiguration> first = [], others = [];
        foreach (ComparedConfiguration one in comparison.Configurations)
        {
            if (one.Shown is not null && one.Workers == workers)
                (first.Exists(other => other.Policy == one.Policy) ? others : first).Add(one);
        }

        first.AddRange(others);
        return first;
    }

    private static void WriteSettings(Markup page, Comparison comparison)
    {
        page.Add($"<section>\n<h2>Settings</h2>\n<dl class=\"settings\">\n");
        var shown = new List<KeyValuePair<string, string>>
        {
            new("task", comparison.Task),
            new("seed", $"{comparison.Seed}"),
            new("runs", $"{comparison.DoneRuns} of {comparison.PlannedRuns}"),
            new("baseline", comparison.Baseline),
            new("clock", comparison.VirtualTime ? "virtual" : "of this machine"),
            new("version", $"HpAsyncPs {comparison.Version}"),
        };
        foreach ((string name, string value) in shown)
            page.Add($"<div><dt>{name}</dt><dd>{value}</dd></div>\n");
        page.Add($"</dl>\n");
        if (comparison.Command is { } command)
            page.Add($"<p class=\"note\">Made by</p>\n<pre>{command}</pre>\n");
        page.Add($"</section>\n");
    }
}
