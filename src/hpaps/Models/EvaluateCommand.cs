using System;
using System.CommandLine;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Models;

/// <summary>hpaps evaluate: how good a model is on a file.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        Option<string> model = new Option<string>("--model") { HelpName = "DIR", Description = "Folder that training wrote: the run's, or model/ in it.", Required = true }.NotEmpty();
        Option<string> data = new Option<string>("--data") { HelpName = "FILE", Description = "LIBSVM/SVMlight file with the labels of the training file, plain or gzip.", Required = true }.NotEmpty();
        var json = new Option<bool>("--json") { Description = "Print one JSON object on standard output." };
        var command = new Command("evaluate", CommonOptions.WithExamples(
            "Evaluates a model on a file: mean loss, objective and accuracy.",
            "hpaps evaluate --model run --data test.svm.gz",
            "hpaps evaluate --model run --data test.svm.gz --json"))
        {
            model, data, json,
        };
        command.SetAction(parsed =>
        {
            Classifier classifier = Classifier.Read(parsed.GetValue(model)!);
            ModelQuality quality = classifier.Evaluate(LibsvmReader.Read(parsed.GetValue(data)!, RowPart.All, CancellationToken.None));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(quality, CliJson.Default.ModelQuality));
            else
                Print(quality);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Print(ModelQuality quality)
    {
        var lines = new ResultLines();
        lines.Add("rows", Show.Count(quality.Rows));
        lines.Add("mean loss", Show.Objective(quality.MeanLoss));
        lines.Add("objective", $"{Show.Objective(quality.Objective)} (l2 {quality.L2:R})");
        lines.Add("accuracy", $"{quality.Accuracy:0.000000}");
        if (quality.IgnoredFeatures > 0)
        {
            lines.Add("ignored", $"{Show.Count(quality.IgnoredEntries)} entries of {Show.Count(quality.IgnoredFeatures)} features "
                + "that the model does not know");
        }

        Console.Out.Write(lines.ToString());
    }
}
