using System.Collections.Generic;
using HpAsyncPs.Learning.Output.Comparing;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>A configuration that a page of a comparison has room for.</summary>
/// <param name="Of">Which.</param>
/// <param name="Run">The run that stands for it.</param>
/// <param name="Style">Of its curves, the same on all plots.</param>
/// <param name="Name">What differs between it and others.</param>
internal sealed record ShownConfiguration(ComparedConfiguration Of, ComparedRun Run, int Style, string Name)
{
    /// <summary>All that have a run, or as many as can be told apart: the baseline, and those that were first at the target or ended lowest.</summary>
    public static List<ShownConfiguration> All(Comparison comparison)
    {
        var candidates = new List<(ComparedConfiguration Of, int Order)>();
        for (int j = 0; j < comparison.Configurations.Count; j++)
        {
            if (comparison.Configurations[j].Shown is not null)
                candidates.Add((comparison.Configurations[j], j));
        }

        if (candidates.Count > Series.Most)
        {
            ComparedSetting? baseline = comparison.Plan?.FirstBaseline();
            candidates.Sort((a, b) =>
            {
                int order = (b.Of.Setting == baseline).CompareTo(a.Of.Setting == baseline);
                order = order != 0 ? order : Rank(a.Of.SecondsToTarget?.Median).CompareTo(Rank(b.Of.SecondsToTarget?.Median));
                order = order != 0 ? order : Rank(a.Of.TestRmse ?? a.Of.Objective).CompareTo(Rank(b.Of.TestRmse ?? b.Of.Objective));
                return order != 0 ? order : a.Order.CompareTo(b.Order);
            });
            candidates.RemoveRange(Series.Most, candidates.Count - Series.Most);
            candidates.Sort(static (a, b) => a.Order.CompareTo(b.Order));
        }

        var shown = new List<ShownConfiguration>();
        foreach ((ComparedConfiguration of, _) in candidates)
            shown.Add(new ShownConfiguration(of, of.Shown!, shown.Count, of.Setting.NameAmong(comparison.Plan?.Settings ?? [])));
        return shown;
    }

    private static double Rank(double? value) => value ?? double.PositiveInfinity;
}
