using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Cli.Watching;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Data.Prepared;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli;

/// <summary>hpaps inspect: reads a whole data file, validates it, and says what is in it.</summary>
internal static class InspectCommand
{
    // More labels than any classifier here takes; beyond that only their range is of use.
    private const int CountedLabels = 10;

    public static Command Create()
    {
        Option<string> data = new Option<string>("--data") { HelpName = "FILE", Description = "LIBSVM/SVMlight file, plain, gzip or prepared, or a folder of such files; with --ratings, ratings, plain or gzip.", Required = true }.NotEmpty();
        var ratings = new Option<bool>("--ratings") { Description = "The file has ratings: user, item, rating." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object on standard output." };
        var command = new Command("inspect", CommonOptions.WithExamples(
            "Reads a data file, checks every line of it, and says what is in it and how fast it was read.",
            "hpaps inspect --data train.svm.gz",
            "hpaps inspect --data ratings.csv --ratings",
            "hpaps inspect --data train.svm --json"))
        {
            data, ratings, json,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(ratings))
            {
                RatingsInspection found = RatingsInspection.Of(parsed.GetValue(data)!);
                if (parsed.GetValue(json))
                    Console.Out.WriteLine(JsonSerializer.Serialize(found, CliJson.Default.RatingsInspection));
                else
                    Console.Out.Write(found.Lines());
                return (int)ExitCode.Done;
            }

            Inspection of = Inspect(parsed.GetValue(data)!);
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(of, CliJson.Default.Inspection));
            else
                Print(of);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static Inspection Inspect(string path)
    {
        long bytes = InputFile.CheckRows("--data", path, 1);
        TimeProvider time = TimeProvider.System;
        long start = time.GetTimestamp();
        SparseRows rows = LibsvmReader.Read(path, RowPart.All, CancellationToken.None);
        double seconds = time.GetElapsedTime(start).TotalSeconds;
        (string MadeOf, ulong Seed)? prepared = RowPreparation.Describe(path);
        string? unfit = null;
        try
        {
            BinaryLabels.Of(rows);
        }
        catch (InputException e)
        {
            unfit = e.Message;
        }

        double cells = (double)rows.Rows * rows.Features;
        return new Inspection
        {
            Data = path,
            Bytes = bytes,
            PreparedFrom = prepared is { } of ? Printable.Of(of.MadeOf) : null,
            PreparedSeed = prepared?.Seed,
            Rows = rows.Rows,
            Features = rows.Features,
            Nonzeros = rows.Nonzeros,
            Density = cells > 0 ? rows.Nonzeros / cells : 0,
            ColumnSizes = ColumnSizes.Of(rows),
            Labels = CountLabels(rows.Labels),
            MinLabel = rows.MinLabel,
            MaxLabel = rows.MaxLabel,
            FitsLogreg = unfit is null,
            LogregProblem = unfit,
            Seconds = seconds,
            MegabytesPerSecond = bytes / 1e6 / seconds,
        };
    }

    /// <summary>How often each label occurs; empty if there are too many labels.</summary>
    private static List<LabelCount> CountLabels(ReadOnlySpan<float> labels)
    {
        var counts = new SortedDictionary<float, long>();
        foreach (float label in labels)
        {
            counts[label] = counts.GetValueOrDefault(label) + 1;
            if (counts.Count > CountedLabels)
                return [];
        }

        var result = new List<LabelCount>();
        foreach ((float label, long rows) in counts)
            result.Add(new LabelCount(label, rows));
        return result;
    }

    private static void Print(Inspection of)
    {
        var lines = new ResultLines();
        lines.Add("file", of.Data);
        lines.Add("size", $"{Show.Bytes(of.Bytes)}, read in {Show.Duration(of.Seconds)} ({of.MegabytesPerSecond:0.0} MB/s)");
        if (of.PreparedFrom is { } text)
            lines.Add("prepared", $"from {text}, in the order of seed {of.PreparedSeed}");
        lines.Add("rows", Show.Count(of.Rows));
        lines.Add("features", Show.Count(of.Features));
        lines.Add("nonzeros", $"{Show.Count(of.Nonzeros)} ({100 * of.Density:0.####} % of all)");
        if (of.ColumnSizes.LargestColumn > 0)
        {
            lines.Add("values", string.Create(CultureInfo.InvariantCulture, $"up to {of.ColumnSizes.Largest:g6} in column {of.ColumnSizes.LargestColumn}, to {of.ColumnSizes.Median:g6} in half of the columns")
                + (of.ColumnSizes.AreUneven ? ": divide columns by their largest value first, else training is slow" : ""));
        }

        if (of.Labels.Count == 0)
            lines.Add("labels", $"more than {CountedLabels} different ones, from {Label(of.MinLabel)} to {Label(of.MaxLabel)}");
        foreach (LabelCount one in of.Labels)
            lines.Add("label " + Label(one.Label), $"{Show.Count(one.Rows)} rows ({Show.Share((double)one.Rows / of.Rows)})");
        lines.Add("train logreg", of.FitsLogreg ? "can use it" : $"cannot use it: {of.LogregProblem}");
        Console.Out.Write(lines.ToString());
    }

    private static string Label(float label) => label.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>What is in a data file.</summary>
internal sealed record Inspection
{
    public string Data { get; init; } = "";

    /// <summary>Of the file as it is on disk: compressed, if it is gzip.</summary>
    public long Bytes { get; init; }

    /// <summary>Name of the text that a prepared file was made of; null: it is text.</summary>
    public string? PreparedFrom { get; init; }

    /// <summary>Seed of the order of a prepared file.</summary>
    public ulong? PreparedSeed { get; init; }

    public long Rows { get; init; }

    public int Features { get; init; }

    public long Nonzeros { get; init; }

    public double Density { get; init; }

    public ColumnSizes ColumnSizes { get; init; }

    public IReadOnlyList<LabelCount> Labels { get; init; } = [];

    public float MinLabel { get; init; }

    public float MaxLabel { get; init; }

    public bool FitsLogreg { get; init; }

    public string? LogregProblem { get; init; }

    public double Seconds { get; init; }

    /// <summary>Bytes of the file as it is on disk, a second.</summary>
    public double MegabytesPerSecond { get; init; }
}

/// <summary>How often a label occurs.</summary>
internal sealed record LabelCount(float Label, long Rows);
