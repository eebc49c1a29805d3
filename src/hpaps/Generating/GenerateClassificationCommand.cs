using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Generating;

/// <summary>hpaps generate classification.</summary>
internal static class GenerateClassificationCommand
{
    // Test rows for each row of training, unless told.
    private const int TestShare = 5;

    private static readonly ClassificationSettings Defaults = new();

    public static Command Create()
    {
        Option<string> output = new Option<string>("--out") { HelpName = "FILE", Description = "LIBSVM file to write, gzip if its name ends in .gz.", Required = true }.NotEmpty();
        Option<string> test = new Option<string>("--test-out") { HelpName = "FILE", Description = "Write other rows of the same kind here, to test on." }.NotEmpty();
        Option<int> rows = Count("--rows", 2, ClassificationSettings.MostRows, Defaults.Rows, "Rows.");
        Option<int?> testRows = new Option<int?>("--test-rows") { HelpName = "N", Description = "Rows of --test-out; a fifth of --rows by default." }.Within(2, ClassificationSettings.MostRows);
        Option<int> features = Count("--features", 1, ClassificationSettings.MostFeatures, Defaults.Features, "Features.");
        Option<double> density = Number("--density", ClassificationSettings.LeastDensity, 1, Defaults.Density, "Share of entries that are not 0.");
        Option<double> condition = Number("--condition", 1, ClassificationSettings.MostCondition, Defaults.Condition,
            "Condition number of E[x x^T]: its eigenvalues, the features' variances, fall geometrically from 1 to 1/F.");
        Option<double> noise = Number("--noise", 0, ClassificationSettings.MostNoise, Defaults.Noise, "Probability that a label is the wrong one.");
        Option<double> skew = Number("--label-skew", ClassificationSettings.LeastShare, 1 - ClassificationSettings.LeastShare, Defaults.LabelSkew, "Share of rows labelled +1.");
        var sorted = new Option<bool>("--sorted-by-label") { Description = "Write all rows labelled -1 first: contiguous parts of the file then have one class." };
        var seed = new Option<ulong>("--seed") { HelpName = "N", Description = "The same seed gives the same text on every machine.", DefaultValueFactory = _ => Defaults.Seed };
        Option<bool> force = GeneratedFile.Force();
        var command = new Command("classification", CommonOptions.WithExamples(
            "Writes rows of two classes, labelled +1 and -1, that a plane through the origin separates but for labels that are\n"
            + "wrong on purpose. Features are uncorrelated about 0, and independent if --label-skew is 0.5. What it has written is said on standard error.",
            "hpaps generate classification --out train.svm --test-out test.svm",
            "hpaps generate classification --out hard.svm.gz --rows 100000 --condition 1e6 --label-skew 0.9",
            "hpaps generate classification --out sorted.svm --sorted-by-label --noise 0 --seed 7"))
        {
            output, test, rows, testRows, features, density, condition, noise, skew, sorted, seed, force,
        };
        command.SetAction(parsed =>
        {
            var settings = new ClassificationSettings
            {
                Rows = parsed.GetValue(rows),
                Features = parsed.GetValue(features),
                Density = parsed.GetValue(density),
                Condition = parsed.GetValue(condition),
                Noise = parsed.GetValue(noise),
                LabelSkew = parsed.GetValue(skew),
                SortedByLabel = parsed.GetValue(sorted),
                Seed = parsed.GetValue(seed),
            };
            int forTest = parsed.GetValue(testRows) ?? Math.Max(2, settings.Rows / TestShare);
            return GenerateCommand.Run(settings.Check, () => Run(settings, parsed.GetValue(output)!, parsed.GetValue(test), forTest, parsed.GetValue(force)));
        });
        return command;
    }

    private static void Run(ClassificationSettings settings, string path, string? testPath, int testRows, bool force)
    {
        GeneratedFile.Check("--out", path, force);
        if (testPath is not null)
            GeneratedFile.Check("--test-out", testPath, force);
        if (testPath is not null && InputFile.IsSame(path, testPath))
            throw new InputException($"--test-out {testPath}: this is the file of --out; name another file");
        long start = TimeProvider.System.GetTimestamp();
        var generator = new ClassificationGenerator(settings);
        using var signals = new StopSignals();
        ClassificationFacts? training = null, test = null;
        GeneratedFile.Write(path, signals, (output, progress, cancel) => training = generator.WriteTraining(output, progress, cancel));
        if (testPath is not null)
            GeneratedFile.Write(testPath, signals, (output, progress, cancel) => test = generator.WriteTest(output, testRows, progress, cancel));

        var lines = new ResultLines();
        lines.Add("features", $"{Show.Count(settings.Features)}, condition number {settings.Condition.ToString("R", CultureInfo.InvariantCulture)}");
        Add(lines, "file", path, settings, training!);
        if (testPath is not null)
            Add(lines, "test file", testPath, settings, test!);
        lines.Add("time", Show.Duration(TimeProvider.System.GetElapsedTime(start).TotalSeconds));
        Console.Error.Write(lines.ToString());
    }

    private static void Add(ResultLines lines, string name, string path, ClassificationSettings settings, ClassificationFacts facts)
    {
        lines.Add(name, $"{path}, {Show.Bytes(new FileInfo(path).Length)}");
        lines.Add("  rows", $"{Show.Count(facts.Rows)}, of which {Show.Count(facts.Positives)} are labelled +1 ({100.0 * facts.Positives / facts.Rows:0.##} %)");
        lines.Add("  nonzeros", $"{Show.Count(facts.Nonzeros)} ({100.0 * facts.Nonzeros / facts.Rows / settings.Features:0.####} % of all)");
        lines.Add("  wrong labels", $"{Show.Count(facts.Flipped)}: the planted separator's accuracy is {100 - (100.0 * facts.Flipped / facts.Rows):0.00} %");
    }

    private static Option<int> Count(string name, int least, int most, int value, string description) =>
        new Option<int>(name) { HelpName = "N", Description = description, DefaultValueFactory = _ => value }.Within(least, most);

    private static Option<double> Number(string name, double least, double most, double value, string description) =>
        new Option<double>(name) { HelpName = "F", Description = description, DefaultValueFactory = _ => value }.Within(least, most);
}
