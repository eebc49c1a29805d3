using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Planning;

/// <summary>A plan, for people.</summary>
internal static class PlanTable
{
    private const double MostHours = 100;
    private const int FirstNumber = 5; // columns before it are words

    /// <param name="report">The plan.</param>
    /// <param name="folder">Where it was written, or null.</param>
    public static string Of(PlanReport report, string? folder)
    {
        bool hasGap = report.Predictions[0].RelativeGap is not null, hasRmse = report.Predictions[0].TestRmse is not null;
        var lines = new List<string[]>
        {
            new[]
            {
                "workers", "servers", "link", "policy", "codec", "time", "up", "down", hasGap ? "gap" : hasRmse ? "RMSE" : "objective", report.Prices?.Currency ?? "",
                "server", "server link", "link", "workers", "limit",
            },
        };
        foreach (Prediction one in report.Predictions)
        {
            lines.Add(
            [
                Text(one.Workers), Text(one.Servers), one.Bandwidth, one.Policy, one.Codec, Time(one.Seconds), Show.Bytes(one.UplinkBytes), Show.Bytes(one.DownlinkBytes),
                hasGap && one.RelativeGap is { } gap ? Show.Gap(gap) : hasRmse && one.TestRmse is { } rmse ? Fixed(rmse) : one.Objective is { } objective ? Fixed(objective) : "-",
                one.Cost is { } cost ? Money(cost.Total) : "", Show.Share(one.ServerBusy), Show.Share(one.ServerLinkBusy), Show.Share(one.LinkBusy), Show.Share(one.WorkerBusy), one.Limit,
            ]);
        }

        var text = new StringBuilder();
        text.Append($"{report.Task} to {report.Stop}, from {report.Run}; latency {report.Latency}, a server's link: {report.ServerBandwidth}\n");
        text.Append($"a worker computes {Time(report.SecondsOfExample)} for an example in a pass: {Time(report.SecondsOfExampleMeasured)} as measured, less coding and sending, which are added for each case\n\n");
        Append(text, lines);
        text.Append('\n');
        if (report.Fastest is { } fastest)
            text.Append($"fastest:  {Sentence(report.Predictions[fastest], report)}\n");
        if (report.Cheapest is { } cheapest)
            text.Append($"cheapest: {Sentence(report.Predictions[cheapest], report)}\n");
        foreach (string limit in Limits(report.Predictions))
            text.Append(limit).Append('\n');
        foreach (string note in report.Notes)
            text.Append($"note: {note}\n");
        if (folder is not null)
            text.Append($"written to {folder}\n");
        return text.ToString();
    }

    /// <summary>The first cluster with each rate of links that is limited by them, or by the server.</summary>
    private static List<string> Limits(IReadOnlyList<Prediction> all)
    {
        var words = new List<string>();
        var seen = new HashSet<(string, string, int)>();
        foreach (Prediction one in all)
        {
            if (one.Limit is not ("server" or "server link" or "link") || !seen.Add((one.Bandwidth, one.Limit, one.Servers)))
                continue;
            (double share, string advice) = one.Limit switch
            {
                "server" => (one.ServerBusy, "more workers do not help; more servers would"),
                "server link" => (one.ServerLinkBusy, "more workers do not help; more servers, or a codec of fewer bytes, would"),
                _ => (one.LinkBusy, "a codec of fewer bytes, or a faster link, would help"),
            };
            words.Add($"the {one.Limit} is what limits ({Show.Share(share)} of the time in use) {one.Name()}: {advice}");
        }

        return words;
    }

    private static string Sentence(Prediction one, PlanReport report) =>
        $"{one.Name()}: {Time(one.Seconds)}" + (one.Cost is { } cost ? $", {Money(cost.Total)} {report.Prices!.Currency} ({Money(cost.Machines)} for machines, {Money(cost.Traffic)} for traffic{(report.Prices.Example ? "; example prices, made up" : "")})" : "");

    private static void Append(StringBuilder text, List<string[]> lines)
    {
        int[] widths = new int[lines[0].Length];
        foreach (string[] line in lines)
        {
            for (int j = 0; j < widths.Length; j++)
                widths[j] = Math.Max(widths[j], line[j].Length);
        }

        foreach (string[] line in lines)
        {
            var one = new StringBuilder();
            for (int j = 0; j < widths.Length; j++)
            {
                if (widths[j] == 0)
                    continue; // money without prices
                one.Append(j < FirstNumber || j == widths.Length - 1 ? line[j].PadRight(widths[j]) : line[j].PadLeft(widths[j])).Append("  ");
            }

            text.Append(one.ToString().TrimEnd()).Append('\n');
        }
    }

    /// <summary>A time in the unit that it is best told in, from nanoseconds to days.</summary>
    public static string Time(double seconds) => seconds switch
    {
        >= MostHours * 3600 => $"{seconds / 86400:#,0.#} days",
        >= 1 or <= 0 or double.NaN => Show.Duration(seconds),
        >= 1e-3 => Digits(seconds * 1e3, "ms"),
        >= 1e-6 => Digits(seconds * 1e6, "us"),
        _ => Digits(seconds * 1e9, "ns"),
    };

    /// <summary>Some of what is counted.</summary>
    public static string Amount(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    private static string Digits(double value, string unit) => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {unit}");

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Fixed(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string Money(double value) => value.ToString(value switch { 0 => "0", < 1e-4 => "0.0e+0", < 0.1 => "0.00000", _ => "0.00" }, CultureInfo.InvariantCulture);
}
