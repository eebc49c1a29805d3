using System;
using System.CommandLine;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Models;

/// <summary>hpaps evaluate: how good a model is on a file.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        Option<string> model = new Option<string>("--model") { HelpName = "DIR", Description = "Folder that training wrote: the run's, or model/ in it.", Required = true }.NotEmpty();
        Option<string> data = new Option<string>("--data") { HelpName = "FILE", Description = "File of the same form as the training file, plain, gzip or prepared, or a folder of such files.", Required = true }.NotEmpty();
        var json = new Option<bool>("--json") { Description = "Print one JSON object on standard output." };
        var command = new Command("evaluate", CommonOptions.WithExamples(
            "Evaluates a model on a file: mean loss, objective and accuracy of a classifier, RMSE and MAE of a recommender.",
            "hpaps evaluate --model run --data test.svm.gz",
            "hpaps evaluate --model run --data test.svm.gz --json"))
        {
            model, data, json,
        };
        command.SetAction(parsed =>
        {
            if (ModelFolder.Describe(parsed.GetValue(model)!).Task == FactorTask.Name)
            {
                FactorQuality of = FactorPairs.Read(parsed.GetValue(model)!, parsed.GetValue(data)!, needsRatings: true).Evaluate();
                if (parsed.GetValue(json))
                    Console.Out.WriteLine(JsonSerializer.Serialize(of, CliJson.Default.FactorQuality));
                else
                    Print(of);
                return (int)ExitCode.Done;
            }

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

    private static void Print(FactorQuality quality)
    {
        var lines = new ResultLines();
        lines.Add("ratings", Show.Count(quality.Ratings));
        lines.Add("RMSE", $"{quality.Rmse:0.0000}");
        lines.Add("MAE", $"{quality.Mae:0.0000}");
        if (quality.UnknownUsers > 0)
            lines.Add("unknown users", $"{Show.Count(quality.UnknownUsers)} ratings, predicted from the items' biases");
        if (quality.UnknownItems > 0)
            lines.Add("unknown items", $"{Show.Count(quality.UnknownItems)} ratings, predicted from the users' biases");
        Console.Out.Write(lines.ToString());
    }

    private static void Print(ModelQuality quality)
    {
        var lines = new ResultLines();
        lines.Add("rows", Show.Count(quality.Rows));
        lines.Add("mean loss", Show.Objective(quality.MeanLoss));
        lines.Add("objective", $"{Show.Objective(quality.Objective)} (l2 {quality.L2:R}{(quality.L1 > 0 ? $", l1 {quality.L1:R}" : "")})");
        lines.Add("accuracy", $"{quality.Accuracy:0.000000}");
        if (quality.IgnoredFeatures > 0)
        {
            lines.Add("ignored", $"{Show.Count(quality.IgnoredEntries)} entries of {Show.Count(quality.IgnoredFeatures)} features "
                + "that the model does not know");
        }

        Console.Out.Write(lines.ToString());
    }
}
