using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output.Comparing;
using HpAsyncPs.Learning.Output.Report;
using HpAsyncPs.Server;

namespace HpAsyncPs.Learning.Output;

/// <summary>What a run leaves behind: summary.json, trace.csv, report.html, model/.</summary>
public static class RunFolder
{
    /// <summary>Name of the model's folder.</summary>
    public const string Model = "model";

    /// <summary>Name of the file of the samples.</summary>
    public const string Trace = "trace.csv";

    private const string Summary = "summary.json";
    private const string Report = "report.html";

    /// <summary>Makes sure, before hours of training, that results can be written; leaves nothing behind.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="mayHoldComparison">The results are those of a comparison, which may take the place of another.</param>
    /// <exception cref="InputException">They cannot.</exception>
    public static void Probe(string folder, bool mayHoldComparison = false)
    {
        string full = Path.GetFullPath(folder);
        if (File.Exists(full))
            throw new InputException($"--out {folder}: this is a file; name a folder");
        if (!mayHoldComparison && File.Exists(Path.Combine(full, ComparisonFiles.Json)))
            throw new InputException($"--out {folder}: a comparison is there, and the report.html of a run would replace its own; name another folder, or one in it, as {Path.Combine(folder, "run")}");
        string existing = full;
        while (!Directory.Exists(existing))
        {
            if (File.Exists(existing))
                throw new InputException($"--out {folder}: {existing} is a file; name a folder");
            existing = Path.GetDirectoryName(existing) ?? "/";
        }

        string probe = Path.Combine(existing, $".hpaps-{Environment.ProcessId}.probe");
        try
        {
            try
            {
                File.WriteAllBytes(probe, [1]);
            }
            finally
            {
                File.Delete(probe); // a full disk has room for a name
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"--out {folder}: nothing can be written into {existing} ({e.Message}); choose another folder, or make room", e);
        }
    }

    /// <summary>Writes all of it. Each file appears whole or not at all; the summary comes last.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="result">What came of the run.</param>
    /// <param name="summary">The same in short.</param>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void Write(string folder, RunResult result, RunSummary summary)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"--out {folder}: cannot be made ({e.Message}); choose another folder", e);
        }

        // After a failure the users that belong to the item rows are not known: what is there of an earlier run stays.
        bool usable = result.Failure is null || summary.Task != FactorTask.Name;
        if (result.Model is { } model && usable)
            ModelOf(result, model).Write(Path.Combine(folder, Model));
        AtomicFile.Write(Path.Combine(folder, Trace), output => WriteTrace(output, result.Trace));
        ReportPage.Write(Path.Combine(folder, Report), result, summary, ReportMetric.For(result.Trace));
        WriteJson(folder, summary);
    }

    /// <summary>Writes summary.json, and what report.html says of it.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void WriteSummary(string folder, RunSummary summary)
    {
        ReportPage.Complete(Path.Combine(folder, Report), summary);
        WriteJson(folder, summary);
    }

    private static void WriteJson(string folder, RunSummary summary) => AtomicFile.Write(Path.Combine(folder, Summary),
        output => JsonSerializer.Serialize(output, summary, OutputJson.Default.RunSummary));

    /// <summary>A checksum as it stands in files.</summary>
    public static string Checksum(ulong value) => value.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>The model of a run that has one, as it is written.</summary>
    /// <param name="result">What came of the run.</param>
    /// <param name="weights">Its parameters.</param>
    public static ModelFolder ModelOf(RunResult result, float[] weights)
    {
        var settings = new SortedDictionary<string, string>();
        foreach ((string key, string value) in result.Settings)
            settings[key] = value;
        string task = settings.GetValueOrDefault("task", "");
        float[]? labels = null;
        float? intercept = null;
        string checksum = Checksum(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(weights.AsSpan())));
        int rowLength = 1;
        if (task == FactorTask.Name)
            (weights, rowLength) = FactorModel.ItemRows(weights, settings);
        if (task == LogisticTask.Name && result.Agreed.Count == LogisticTask.AgreedNumbers)
        {
            LogisticModel of = LogisticModel.Of(weights, result.Agreed, settings);
            (weights, intercept, labels) = (of.Weights, of.Intercept, [of.Labels.Negative, of.Labels.Positive]);
        }

        var description = new ModelDescription
        {
            Task = task,
            Parameters = weights.Length,
            RowLength = rowLength,
            Workers = result.Status.Workers.Count,
            Checksum = checksum,
            Objective = result.Objective,
            Labels = labels,
            Intercept = intercept,
            Settings = settings,
        };
        return new ModelFolder(description, weights);
    }

    private static void WriteTrace(Stream output, IReadOnlyList<TraceRow> trace)
    {
        using var writer = new StreamWriter(output, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine("seconds,passes,objective,relative_gap,test_rmse,pushes,uplink_bytes,downlink_bytes,staleness_p50,staleness_max");
        foreach (TraceRow row in trace)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{row.Seconds:0.######},{row.Passes:0.######},{row.Objective:R},{row.RelativeGap:R},{row.TestRmse:R},{row.Pushes},{row.UplinkBytes},{row.DownlinkBytes},{row.StalenessP50},{row.StalenessMax}"));
        }
    }
}
