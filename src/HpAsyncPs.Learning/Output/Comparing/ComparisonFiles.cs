using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json;
using HpAsyncPs.Learning.Output.Report;

namespace HpAsyncPs.Learning.Output.Comparing;

/// <summary>What a comparison leaves behind beside the folders of its runs. Each file appears whole or not at all.</summary>
public static class ComparisonFiles
{
    /// <summary>Name of the folder of the runs.</summary>
    public const string Runs = "runs";

    /// <summary>Name of the file that shows a folder to be one of a comparison.</summary>
    public const string Json = "comparison.json";

    private const string Csv = "comparison.csv";
    private const string Report = "report.html";
    private const string Columns = "policy,codec,workers,solver,run,outcome,reason,train_seconds,virtual_seconds,seconds_before_target,seconds_to_target,times_sooner,passes,pushes,messages_up,messages_down,"
        + "uplink_bytes,downlink_bytes,uplink_payload_bytes,downlink_payload_bytes,objective,relative_gap,gap_to_best,test_accuracy,test_rmse,staleness_p50,staleness_p99,staleness_max,folder,failure";

    /// <summary>Names of all of it.</summary>
    public static IReadOnlyList<string> All { get; } = [Json, Csv, Report, Runs];

    /// <summary>Writes the figures.</summary>
    /// <exception cref="InputException">They cannot be written.</exception>
    public static void WriteFigures(string folder, Comparison comparison)
    {
        AtomicFile.Write(Path.Combine(folder, Csv), output => WriteCsv(output, comparison));
        AtomicFile.Write(Path.Combine(folder, Json), output => JsonSerializer.Serialize(output, comparison, OutputJson.Default.Comparison));
    }

    /// <summary>Writes the page.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void WriteReport(string folder, Comparison comparison) =>
        AtomicFile.Write(Path.Combine(folder, Report), output => output.Write(Encoding.UTF8.GetBytes(ComparisonPage.Of(comparison, run => Lanes(folder, run)))));

    /// <summary>The lanes of a run's own page; empty where it has none.</summary>
    private static string Lanes(string folder, ComparedRun run) => run.Folder is { } own ? ReportPage.LanesOf(Path.Combine(folder, own, Report)) : "";

    private static void WriteCsv(Stream output, Comparison comparison)
    {
        using var writer = new StreamWriter(output, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine(Columns);
        foreach (ComparedRun run in comparison.Runs)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Cell(run.Policy)},{Cell(run.Codec)},{run.Workers},{Cell(run.Solver)},{run.Run},{run.Outcome},{Cell(run.Reason)},{run.TrainSeconds:R},{run.VirtualSeconds:R},{run.SecondsBeforeTarget:R},{run.SecondsToTarget:R},{run.TimesSooner:R},"
                + $"{run.Passes:R},{run.Pushes},{run.MessagesUp},{run.MessagesDown},{run.UplinkBytes},{run.DownlinkBytes},{run.UplinkPayloadBytes},{run.DownlinkPayloadBytes},{run.Objective:R},{run.RelativeGap:R},{run.GapToBest:R},"
                + $"{run.TestAccuracy:R},{run.TestRmse:R},{run.StalenessP50},{run.StalenessP99},{run.StalenessMax},{Cell(run.Folder)},{Cell(run.Failure)}"));
        }
    }

    private static string Cell(string? text) => text is null ? ""
        : text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal).ReplaceLineEndings(" ")}\"";
}
