using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.IO;
using HpAsyncPs.Cli.Generating;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Converting;

/// <summary>hpaps convert idx.</summary>
internal static class ConvertIdxCommand
{
    public static Command Create()
    {
        Option<string> images = File("--images", "IDX file of images, values of one byte, plain or gzip.");
        Option<string> labels = File("--labels", "IDX file of their labels, plain or gzip.");
        var positive = new Option<string>("--positive") { HelpName = "LABEL[,...]", Description = "Labels, 0 to 255, whose images become +1; those of all others become -1.", Required = true };
        Option<string> output = File("--out", "LIBSVM file to write, gzip if its name ends in .gz.");
        Option<bool> force = GeneratedFile.Force();
        positive.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !TryParse(token.Value, out _))
                result.AddError($"--positive {token.Value}: give labels from 0 to 255 with commas between them, as in 6 or 0,2,6.");
        });
        var command = new Command("idx", CommonOptions.WithExamples(
            "Writes images of the form of MNIST as LIBSVM text: a row an image, its values over 255, some classes against the rest.\n"
            + "What it has written is said on standard error.",
            "hpaps convert idx --images train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --positive 6 --out train.svm",
            "hpaps convert idx --images t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --positive 0,2,6 --out test.svm.gz"))
        {
            images, labels, positive, output, force,
        };
        command.SetAction(parsed =>
        {
            if (!TryParse(parsed.GetValue(positive)!, out HashSet<byte> classes))
                return (int)ExitCode.Usage; // checked before
            Run(parsed.GetValue(images)!, parsed.GetValue(labels)!, classes, parsed.GetValue(output)!, parsed.GetValue(force));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Run(string images, string labels, HashSet<byte> positive, string path, bool force)
    {
        InputFile.Check("--images", images);
        InputFile.Check("--labels", labels);
        GeneratedFile.Check("--out", path, force);
        if (InputFile.IsSame(path, images) || InputFile.IsSame(path, labels))
            throw new InputException($"--out {path}: this is a file to read; name another");
        long start = TimeProvider.System.GetTimestamp();
        using var signals = new StopSignals();
        ImageRows? rows = null;
        GeneratedFile.Write(path, signals, (stream, progress, cancel) => rows = ImageRows.Write(images, labels, positive, stream, progress, cancel));

        var lines = new ResultLines();
        lines.Add("file", $"{path}, {Show.Bytes(new FileInfo(path).Length)}");
        lines.Add("rows", $"{Show.Count(rows!.Rows)}, of which {Show.Count(rows.Positives)} are labelled +1 ({100.0 * rows.Positives / rows.Rows:0.##} %)");
        lines.Add("features", Show.Count(rows.Features));
        lines.Add("nonzeros", $"{Show.Count(rows.Nonzeros)} ({100.0 * rows.Nonzeros / rows.Rows / rows.Features:0.##} % of all)");
        lines.Add("time", Show.Duration(TimeProvider.System.GetElapsedTime(start).TotalSeconds));
        Console.Error.Write(lines.ToString());
    }

    private static bool TryParse(string text, out HashSet<byte> labels)
    {
        labels = [];
        foreach (string one in text.Split(','))
        {
            if (!byte.TryParse(one, NumberStyles.None, CultureInfo.InvariantCulture, out byte label))
                return false;
            labels.Add(label);
        }

        return true;
    }

    private static Option<string> File(string name, string description) => new Option<string>(name) { HelpName = "FILE", Description = description, Required = true }.NotEmpty();
}
