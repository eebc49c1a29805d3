using System.Collections.Generic;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>Which configuration was at the target first, in a sentence, as far as runs and samples can tell.</summary>
public static class ComparisonOutcome
{
    private const int MostNames = 4;
    private const double LeastRatio = 1.005; // below, two decimals say 1.00

    /// <summary>The sentence.</summary>
    /// <param name="comparison">What came of it.</param>
    public static string Of(Comparison comparison)
    {
        if (comparison.DoneRuns == 0)
            return "No run is done: there is nothing to compare.";
        if (comparison.Target is not { } target)
            return "No run of the baseline is done: there is nothing to time the others to.";
        ComparedConfiguration? best = null, nearly = null;
        int done = 0;
        foreach (ComparedConfiguration one in comparison.Configurations)
        {
            done += one.DoneRuns > 0 ? 1 : 0;
            if (one.ReachedInAll && (best is null || one.SecondsToTarget!.Median < best.SecondsToTarget!.Median))
                best = one;
            if (one.ReachedRuns > 0 && (nearly is null || Share(one) > Share(nearly)))
                nearly = one;
        }

        if (best is null)
        {
            return nearly is null ? $"No run that is done reached the target, {target.Text}."
                : $"No configuration reached the target, {target.Text}, in all of its runs; {Name(comparison, nearly)} did in {nearly.ReachedRuns} of {nearly.DoneRuns + nearly.FailedRuns}.";
        }

        List<ComparedConfiguration> rivals = [best];
        foreach (ComparedConfiguration one in comparison.Configurations)
        {
            if (one != best && one.ReachedInAll && !best.IsSoonerThan(one))
                rivals.Add(one);
        }

        if (rivals.Count > 1)
            return $"Which was first at the target, {target.Text}, cannot be decided between {Names(comparison, rivals)}.";
        string text = $"{(done > 1 ? "First at" : "At")} the target, {target.Text}: {Name(comparison, best)}, after {Show.Duration(best.SecondsToTarget!.Median)}";
        if (best is not { TimesSooner.Median: var ratio, TimesSoonerDecided: true })
            return $"{text}.";
        return ratio < LeastRatio ? $"{text}, hardly sooner than {best.Baseline}." : $"{text}, {ratio:0.00} times sooner than {best.Baseline}.";
    }

    private static double Share(ComparedConfiguration one) => one.ReachedRuns / (double)(one.DoneRuns + one.FailedRuns);

    private static string Name(Comparison comparison, ComparedConfiguration one) => one.Setting.NameAmong(comparison.Plan?.Settings ?? []);

    private static string Names(Comparison comparison, List<ComparedConfiguration> all)
    {
        var names = new List<string>();
        foreach (ComparedConfiguration one in all)
            names.Add($"{Name(comparison, one)} ({Show.Duration(one.SecondsToTarget!.Median)})");
        int shown = names.Count <= MostNames ? names.Count - 1 : MostNames - 1;
        string last = names.Count <= MostNames ? names[^1] : $"{names.Count - shown} others";
        return $"{string.Join("; ", names.GetRange(0, shown))} and {last}";
    }
}
