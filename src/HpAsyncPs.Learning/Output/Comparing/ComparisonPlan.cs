using System.Collections.Generic;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>What is compared, and how it is judged.</summary>
public sealed record ComparisonPlan
{
    /// <summary>Task of all runs.</summary>
    public required string Task { get; init; }

    /// <summary>Every configuration, in the order of tables.</summary>
    public required IReadOnlyList<ComparedSetting> Settings { get; init; }

    /// <summary>Runs of each.</summary>
    public int RunsEach { get; init; } = 1;

    /// <summary>Times are those of a virtual clock.</summary>
    public bool VirtualTime { get; init; }

    /// <summary>Seed of all runs.</summary>
    public ulong Seed { get; init; }

    /// <summary>Policy that the others are measured against.</summary>
    public required string BaselinePolicy { get; init; }

    /// <summary>Its codec; null: the same as that of the run which is measured.</summary>
    public string? BaselineCodec { get; init; }

    /// <summary>The relative gap at which runs stop, or null.</summary>
    public double? TargetGap { get; init; }

    /// <summary>The error of the held-out ratings at which runs stop, or null.</summary>
    public double? TargetRmse { get; init; }

    /// <summary>The optimum that gaps are measured against, or null.</summary>
    public double? Reference { get; init; }

    /// <summary>Without a target: how near runs must come to where the baseline ended; of an RMSE as it is, of an objective its share.</summary>
    public double Within { get; init; }

    /// <summary>All runs that are to be made.</summary>
    public int Runs => Settings.Count * RunsEach;

    /// <summary>What a configuration is measured against: the baseline with the same workers, solver and codec, or what is nearest to that; null of none.</summary>
    public ComparedSetting? BaselineOf(ComparedSetting setting)
    {
        ComparedSetting? best = null;
        int bestLikeness = -1;
        foreach (ComparedSetting other in Settings)
        {
            if (!IsBaseline(other) || other.Workers != setting.Workers)
                continue;
            int likeness = (other.Solver == setting.Solver ? 2 : 0) + (other.Codec == setting.Codec ? 1 : 0);
            if (likeness > bestLikeness)
                (best, bestLikeness) = (other, likeness);
        }

        return best;
    }

    /// <summary>Is it what others are measured against?</summary>
    public bool IsBaseline(ComparedSetting setting) => setting.Policy == BaselinePolicy && (BaselineCodec is null || setting.Codec == BaselineCodec);

    /// <summary>The baseline that is listed first; null of none.</summary>
    public ComparedSetting? FirstBaseline()
    {
        foreach (ComparedSetting setting in Settings)
        {
            if (IsBaseline(setting))
                return setting;
        }

        return null;
    }
}
