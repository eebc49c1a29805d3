using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Server;

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
        lines.Add("time", $"{Show.Duration(summary.TrainSeconds)} of {(summary.VirtualTime ? "training in virtual time" : "training")}, {Show.Duration(summary.WallSeconds)} in all");
        double seconds = Math.Max(summary.TrainSeconds, 1e-9);
        lines.Add("pushes", $"{Show.Count(summary.Pushes)} ({Show.Count(summary.Pushes / seconds)}/s)");
        lines.Add("sent", $"{Show.Bytes(summary.UplinkBytes)} up, {Show.Bytes(summary.DownlinkBytes)} down");
        lines.Add("policy", PolicyOf(summary.Policy, summary.PolicyDecisions));
        lines.Add("codec", CodecOf(summary));
        lines.Add("staleness", $"median {summary.StalenessP50}, percentile 99 {summary.StalenessP99}, at most {summary.StalenessMax}");
        lines.Add("workers busy", Shares(summary.WorkerBusyFraction));
        if (summary.LostWorkers.Count > 0)
            lines.Add("workers lost", $"{string.Join(", ", summary.LostWorkers)} ({summary.LostWorkers.Count} of {summary.Workers})");
        lines.Add("results", folder);
        return lines.ToString();
    }

    /// <summary>The codec; of auto also what it used, and how often it changed.</summary>
    private static string CodecOf(RunSummary summary) => summary.CodecDecisions switch
    {
        [] => summary.Codec == "auto" ? "auto: fp32" : summary.Codec,
        [var only] => $"auto: {only.Codec}",
        [.., var last] all => $"auto: {last.Codec} at the end, {all.Count} choices: see summary.json",
    };

    /// <summary>The policy; of auto also what it decided, and how often.</summary>
    public static string PolicyOf(string policy, IReadOnlyList<PolicyDecision> decisions) => decisions switch
    {
        [] => policy == "auto" ? "auto: nothing was decided before the end" : policy,
        [var only] => $"auto: {only.Reason}",
        [.., var last] all => $"auto: {last.Reason}, at the end; {all.Count} choices: see summary.json",
    };

    /// <summary>Shares of all workers, or what they span if they are many.</summary>
    public static string Shares(IReadOnlyList<double> shares)
    {
        if (shares.Count == 0)
            return "unknown";
        if (shares.Count <= ShownWorkers)
        {
            var each = new string[shares.Count];
            for (int rank = 0; rank < each.Length; rank++)
                each[rank] = Show.Share(shares[rank]);
            return string.Join("  ", each);
        }

        double least = double.PositiveInfinity, most = 0, sum = 0;
        foreach (double one in shares)
        {
            least = Math.Min(least, one);
            most = Math.Max(most, one);
            sum += one;
        }

        return $"{Show.Share(least)} to {Show.Share(most)}, mean {Show.Share(sum / shares.Count)}";
    }
}
