using System.Collections.Generic;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>Which workers a page has room for: all, or the slowest and the fastest by passes over their own data.</summary>
internal static class ShownWorkers
{
    /// <summary>All in order of rank if they are at most <paramref name="most"/>, else the slowest half and the fastest half, slowest first.</summary>
    public static List<WorkerRecord> Of(IReadOnlyList<WorkerRecord> workers, int most)
    {
        var shown = new List<WorkerRecord>(workers);
        if (workers.Count <= most)
            return shown;
        shown.Sort(static (a, b) => a.Passes != b.Passes ? a.Passes.CompareTo(b.Passes) : a.Rank.CompareTo(b.Rank));
        shown.RemoveRange(most / 2, shown.Count - most);
        return shown;
    }

    /// <summary>Says what is left out, if anything is.</summary>
    public static void Tell(Markup page, int workers, int most, string what)
    {
        if (workers > most)
        {
            page.Add($"<p class=\"note\">{what} of {most} of the {workers} workers: the {most / 2} that made the fewest passes over their data, ");
            page.Add($"then the {most - (most / 2)} that made the most.</p>\n");
        }
    }
}
