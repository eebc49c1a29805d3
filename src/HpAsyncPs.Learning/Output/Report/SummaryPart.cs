using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>What a page says out of the summary alone: the headline at its top and the settings at its end.</summary>
internal static class SummaryPart
{
    public static string TitleOf(RunSummary summary) => $"{TaskOf(summary.Task)}, {summary.Policy}, {WorkersOf(summary.Workers)}";

    /// <summary>Task, outcome in words, figures.</summary>
    public static void WriteHead(Markup page, RunSummary summary)
    {
        page.Add($"<header>\n<p class=\"over\">Report of a run{(summary.FinishedAt is { } at ? $" that ended {Moment(at)}" : "")}</p>\n");
        page.Add($"<h1>{TaskOf(summary.Task)} <span class=\"light\">{summary.Policy}, {WorkersOf(summary.Workers)}</span></h1>\n");
        page.Add($"<p class=\"outcome\">{Outcome(summary)}</p>\n");
        if (summary.Failure is not null)
            page.Add($"<p class=\"failure\"><b>It failed.</b> {summary.Failure}</p>\n");
        if (summary.WorkerRestarts + summary.ServerRestarts > 0)
            page.Add($"<p class=\"outcome\">Processes that had died were started again: {TimesOf("workers", summary.WorkerRestarts)}, {TimesOf("the server", summary.ServerRestarts)}.</p>\n");
        if (summary.LostWorkers.Count > 0)
            page.Add($"<p class=\"outcome\">Workers that were lost and did not return: {string.Join(", ", summary.LostWorkers)}.</p>\n");
        page.Add($"</header>\n<dl class=\"figures\">\n");
        if (summary.RelativeGap is { } gap)
            Figure(page, "Relative gap", Show.Gap(gap), "to the reference", $"{gap:R}");
        Figure(page, "Objective", Show.Objective(summary.Objective), "of the model saved", $"{summary.Objective:R}");
        if (summary.TestAccuracy is { } accuracy)
            Figure(page, "Test accuracy", $"{100 * accuracy:0.00} %", "of the test rows", $"{accuracy:R}");
        if (summary.TestRmse is { } rmse)
            Figure(page, "Test RMSE", $"{rmse:0.0000}", "on the test data", $"{rmse:R}");
        Figure(page, "Training time", Show.Duration(summary.TrainSeconds), $"{Show.Duration(summary.WallSeconds)} in all", $"{summary.TrainSeconds:R} s");
        Figure(page, "Passes", $"{summary.Passes:#,0.0}", $"over {Show.Count(summary.Examples)} examples", $"{summary.Passes:R}");
        double perSecond = summary.Pushes / Math.Max(summary.TrainSeconds, 1e-9);
        Figure(page, "Pushes", Show.Count(summary.Pushes), $"{Show.Count(perSecond)} a second", $"{summary.Pushes}");
        Figure(page, "Sent", Show.Bytes((double)summary.UplinkBytes + summary.DownlinkBytes),
            $"{Show.Bytes(summary.UplinkBytes)} up, {Show.Bytes(summary.DownlinkBytes)} down",
            $"{summary.UplinkBytes} bytes from workers, {summary.DownlinkBytes} bytes to them");
        page.Add($"</dl>\n");
    }

    /// <summary>Median and tail of the version lag.</summary>
    public static void WriteStaleness(Markup page, RunSummary summary) => page.Add(
        $"<p class=\"lead\">Median {summary.StalenessP50}, percentile 99 {summary.StalenessP99}, at most {summary.StalenessMax}.</p>\n");

    /// <summary>Settings, version, command.</summary>
    public static void WriteSettings(Markup page, RunSummary summary)
    {
        page.Add($"<section>\n<h2>Settings</h2>\n<dl class=\"settings\">\n");
        var shown = new List<KeyValuePair<string, string>>
        {
            new("task", summary.Task),
            new("policy", summary.Policy),
            new("codec", summary.Codec),
            new("workers", $"{summary.Workers}"),
            new("servers", $"{summary.Servers}"),
            new("seed", $"{summary.Seed}"),
            new("parameters", Show.Count(summary.Parameters)),
            new("examples", Show.Count(summary.Examples)),
        };
        foreach (KeyValuePair<string, string> setting in summary.Settings)
        {
            if (!shown.Exists(other => other.Key == setting.Key))
                shown.Add(setting);
        }

        if (summary.FinishedAt is { } at)
            shown.Add(new("ended", Moment(at)));
        shown.Add(new("version", $"HpAsyncPs {summary.Version}"));
        foreach ((string name, string value) in shown)
            page.Add($"<div><dt>{name}</dt><dd>{value}</dd></div>\n");
        page.Add($"</dl>\n");
        if (summary.CodecDecisions.Count > 0)
        {
            page.Add($"<p class=\"note\">Codec auto used</p>\n<ul>\n");
            foreach (CodecDecision decision in summary.CodecDecisions)
                page.Add($"<li>{decision.Codec} from {decision.Seconds:0.00} s on: {decision.Reason}</li>\n");
            page.Add($"</ul>\n");
        }

        if (summary.PolicyDecisions.Count > 0)
        {
            page.Add($"<p class=\"note\">Policy auto decided</p>\n<ul>\n");
            foreach (PolicyDecision decision in summary.PolicyDecisions)
                page.Add($"<li>from {decision.Seconds:0.00} s on: {decision.Reason}</li>\n");
            page.Add($"</ul>\n");
        }

        if (summary.Command is { } command)
            page.Add($"<p class=\"note\">Made by</p>\n<pre>{command}</pre>\n");
        page.Add($"</section>\n");
    }

    private static string Outcome(RunSummary summary)
    {
        string text = $"Training took {Show.Duration(summary.TrainSeconds)} and ended {Show.Reason(summary.Reason)}";
        if (summary.RelativeGap is { } gap)
            text += $", at a relative gap of {Show.Gap(gap)}";
        else if (summary.Objective is { } objective)
            text += $", at an objective of {objective:0.######}";
        if (summary.TestAccuracy is { } accuracy)
            text += $" and a test accuracy of {100 * accuracy:0.00} %";
        if (summary.TestRmse is { } rmse)
            text += $" and a test RMSE of {rmse:0.0000}";
        return text + ".";
    }

    /// <summary>One of the figures at the top of a page.</summary>
    public static void Figure(Markup page, string name, string value, string note, string exact) =>
        page.Add($"<div><dt>{name}</dt><dd title=\"{exact}\">{value}</dd><dd class=\"note\">{note}</dd></div>\n");

    /// <summary>A task in words.</summary>
    public static string TaskOf(string task) => task switch
    {
        LogisticTask.Name => "Logistic regression",
        FactorTask.Name => "Matrix factorisation",
        "" => "Training",
        _ => task,
    };

    private static string WorkersOf(int workers) => workers == 1 ? "1 worker" : $"{workers} workers";

    private static string TimesOf(string who, int times) => $"{who} {(times == 1 ? "once" : $"{times} times")}";

    /// <summary>A moment in words.</summary>
    public static string Moment(DateTimeOffset at) => $"{at:yyyy-MM-dd HH:mm:ss zzz}";
}
