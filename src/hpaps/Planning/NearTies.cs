using System.Collections.Generic;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Planning;

/// <summary>Says which cases of a plan are too near to the fastest and to the cheapest for predictions to tell them apart.</summary>
internal static class NearTies
{
    /// <summary>Medians of docs/benchmarks.md ("Predictions") are off by up to 0.13.</summary>
    public const double Accuracy = 0.15;

    /// <param name="all">Predictions of the plan.</param>
    /// <param name="fastest">Index of the fastest, or null.</param>
    /// <param name="cheapest">Index of the cheapest, or null.</param>
    public static List<string> Notes(IReadOnlyList<Prediction> all, int? fastest, int? cheapest)
    {
        var notes = new List<string>();
        if (fastest is { } first)
        {
            (int near, Prediction least) = (0, all[first]);
            for (int j = 0; j < all.Count; j++)
            {
                if (j == first || !PlanRun.Counts(all[j]) || all[j].Seconds > (1 + Accuracy) * all[first].Seconds)
                    continue;
                near++;
                least = all[j].Cost is { } cost && cost.Total < least.Cost!.Total ? all[j] : least;
            }

            if (near > 0)
                notes.Add(Note(near, "take", "longer than the fastest", "first") + (cheapest is null ? "" : $"; of these the cheapest is {least.Name()}"));
        }

        if (cheapest is { } lowest)
        {
            int near = 0;
            for (int j = 0; j < all.Count; j++)
                near += j != lowest && PlanRun.Counts(all[j]) && all[j].Cost!.Total <= (1 + Accuracy) * all[lowest].Cost!.Total ? 1 : 0;
            if (near > 0)
                notes.Add(Note(near, "cost", "more than the cheapest", "cheapest"));
        }

        return notes;
    }

    private static string Note(int near, string verb, string than, string what) =>
        $"{PlanTable.Amount(near, "other case")} {(near == 1 ? verb + "s" : verb)} at most {Show.Share(Accuracy)} {than}, and predictions have been off by as much (docs/benchmarks.md): which of these is {what} is not decided";
}
