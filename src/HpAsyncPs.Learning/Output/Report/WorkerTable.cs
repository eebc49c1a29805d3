using System.Collections.Generic;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>The workers, a row each.</summary>
internal static class WorkerTable
{
    /// <summary>Most rows on a page.</summary>
    public const int Most = 64;

    public static void Write(Markup page, IReadOnlyList<WorkerRecord> workers)
    {
        if (workers.Count == 0)
        {
            page.Add($"<p class=\"empty\">No worker took part.</p>\n");
            return;
        }

        page.Add($"<div class=\"scroll\"><table class=\"workers\">\n<thead><tr>");
        foreach (string head in new[] { "worker", "examples", "passes", "pushes", "computing", "evaluating", "waiting" })
            page.Add($"<th scope=\"col\">{head}</th>");
        page.Add($"</tr></thead>\n<tbody>\n");
        foreach (WorkerRecord worker in ShownWorkers.Of(workers, Most))
        {
            double all = worker.BusySeconds + worker.EvaluatingSeconds + worker.IdleSeconds;
            page.Add($"<tr><th scope=\"row\" title=\"{worker.Peer}\">{worker.Rank}</th>");
            page.Add($"<td>{Show.Count(worker.Weight)}</td><td>{worker.Passes:#,0.0}</td><td>{Show.Count(worker.Pushes)}</td>");
            Part(page, worker.BusySeconds, all);
            Part(page, worker.EvaluatingSeconds, all);
            Part(page, worker.IdleSeconds, all);
            page.Add($"</tr>\n");
        }

        page.Add($"</tbody></table></div>\n");
        ShownWorkers.Tell(page, workers.Count, Most, "Rows");
    }

    private static void Part(Markup page, double seconds, double all) =>
        page.Add($"<td title=\"{Show.Duration(seconds)}\">{(all > 0 ? Show.Share(seconds / all) : "–")}</td>");
}
