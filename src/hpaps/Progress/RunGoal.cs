using System;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Progress;

/// <summary>Where a run is to stop, and how far it has come.</summary>
/// <param name="Passes">Stop after these passes, or null.</param>
/// <param name="Target">Stop at this relative gap, or null.</param>
/// <param name="TargetRmse">Stop at this error of the held-out ratings, or null.</param>
/// <param name="TimeLimit">Stop after these seconds, or null.</param>
internal sealed record RunGoal(double? Passes, double? Target, double? TargetRmse, double? TimeLimit)
{
    /// <summary>The part of the way that is done, 0 to 1, by the limit that comes first.</summary>
    /// <param name="status">How it stands.</param>
    /// <param name="first">How it stood at the first evaluation: gaps count from there on a logarithmic scale, errors on a plain one.</param>
    public double Done(RunStatus status, RunStatus? first)
    {
        double done = 0;
        if (Passes is { } passes)
            done = Math.Max(done, status.Passes / passes);
        if (TimeLimit is { } limit)
            done = Math.Max(done, status.Seconds / limit);
        if (Target is { } target && status.RelativeGap is { } gap && first?.RelativeGap is { } firstGap && firstGap > target)
            done = Math.Max(done, gap <= target ? 1 : Math.Log(firstGap / gap) / Math.Log(firstGap / target));
        if (TargetRmse is { } wanted && status.TestRmse is { } error && first?.TestRmse is { } firstError && firstError > wanted)
            done = Math.Max(done, (firstError - error) / (firstError - wanted));
        return Math.Clamp(done, 0, 1);
    }
}
