using System;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Training;

/// <summary>The result of a run, for people.</summary>
internal static class ResultTable
{
    private const int ShownWorkers = 8;

    public static string Of(RunSummary summary, string folder)
    {
        var lines = new ResultLines();
        lines.Add("ended", Show.Reason(summary.Reason));
        lines.Add("objective", Show.Objective(summary.Objective));
        if (summary.RelativeGap is { } gap)
            lines.Add("relative gap", Show.Gap(gap));
        if (summary.TestRmse is { } rmse)
            lines.Add("test RMSE", $"{rmse:0.0000}");
        if (summary.TestAccuracy is { } accuracy)
            lines.Add("test accuracy", $"{accuracy:0.000000}");
        lines.Add("passes", $"{summary.Passes:0.0} over {Show.Count(summary.Examples)} examples, {Show.Count(summary.Parameters)} parameters");
        lines.Add("time", $"{Show.Duration(summary.TrainSeconds)} of training, {Show.Duration(summary.WallSeconds)} in all");
        double seconds = Math.Max(summary.TrainSeconds, 1e-9);
        lines.Add("pushes", $"{Show.Count(summary.Pushes)} ({Show.Count(summary.Pushes / seconds)}/s)");
        lines.Add("sent", $"{Show.Bytes(summary.UplinkBytes)} up, {Show.Bytes(summary.DownlinkBytes)} down");
        lines.Add("staleness", $"median {summary.StalenessP50}, percentile 99 {summary.StalenessP99}, at most {summary.StalenessMax}");
        lines.Add("workers busy", Busy(summary));
        lines.Add("results", folder);
        return lines.ToString();
    }

    private static string Busy(RunSummary summary)
    {
        if (summary.WorkerBusyFraction.Count == 0)
            return "unknown";
        if (summary.WorkerBusyFraction.Count <= ShownWorkers)
        {
            var each = new string[summary.WorkerBusyFraction.Count];
            for (int rank = 0; rank < each.Length; rank++)
                each[rank] = Show.Share(summary.WorkerBusyFraction[rank]);
            return string.Join("  ", each);
        }

        double least = double.PositiveInfinity, most = 0, sum = 0;
        foreach (double one in summary.WorkerBusyFraction)
        {
            least = Math.Min(least, one);
            most = Math.Max(most, one);
            sum += one;
        }

        return $"{Show.Share(least)} to {Show.Share(most)}, mean {Show.Share(sum / summary.WorkerBusyFraction.Count)}";
    }
}
