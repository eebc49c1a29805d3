using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;

namespace HpAsyncPs.Cli.Models;

/// <summary>hpaps predict: a label and a probability for each row of a file.</summary>
internal static class PredictCommand
{
    private const int BufferBytes = 1 << 16;

    public static Command Create()
    {
        Option<string> model = new Option<string>("--model") { HelpName = "DIR", Description = "Folder that training wrote: the run's, or model/ in it.", Required = true }.NotEmpty();
        Option<string> data = new Option<string>("--data") { HelpName = "FILE", Description = "File of the same form as the training file, plain, gzip or prepared (of which the order is not that of the text), or a folder of such files. Its labels may be any numbers, and ratings may be missing; they are not used.", Required = true }.NotEmpty();
        Option<string> output = new Option<string>("--out") { HelpName = "FILE", Description = "File to write; without it, standard output." }.NotEmpty();
        var command = new Command("predict", CommonOptions.WithExamples(
            "Prints a line for each row: of a classifier, the predicted label, a space, and the probability of the positive (larger)\n"
            + "label; of a recommender, the predicted rating of a file of users and items.",
            "hpaps predict --model run --data new.svm",
            "hpaps predict --model run --data new.svm.gz --out predictions.txt",
            "hpaps predict --model recommender --data pairs.csv"))
        {
            model, data, output,
        };
        command.SetAction(parsed =>
        {
            string? path = parsed.GetValue(output);
            if (path is not null)
                InputFile.CheckOutput("--out", path);
            if (path is not null && InputFile.IsSame(path, parsed.GetValue(data)!))
                throw new InputException($"--out {path}: this is the file of --data, which would be lost; name another file");
            if (ModelFolder.Describe(parsed.GetValue(model)!).Task == FactorTask.Name)
                return Ratings(parsed.GetValue(model)!, parsed.GetValue(data)!, path);
            Classifier classifier = Classifier.Read(parsed.GetValue(model)!);
            SparseRows rows = LibsvmReader.Read(parsed.GetValue(data)!, RowPart.All, CancellationToken.None);
            Output(path, to => Write(to, classifier, rows));
            (int features, long entries) = classifier.Unknown(rows);
            if (features > 0)
                Console.Error.WriteLine($"hpaps: {entries} entries of {features} features that the model does not know were ignored");
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static int Ratings(string model, string data, string? path)
    {
        FactorPairs pairs = FactorPairs.Read(model, data, needsRatings: false);
        Output(path, to =>
        {
            using var writer = new StreamWriter(to, new UTF8Encoding(false), BufferBytes, leaveOpen: true) { NewLine = "\n" };
            for (int pair = 0; pair < pairs.Pairs.Count; pair++)
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{pairs.Predict(pair):0.######}"));
        });
        if (pairs.UnknownUsers > 0)
            Console.Error.WriteLine($"hpaps: {pairs.UnknownUsers} pairs have a user without ratings in the model: predicted from the items' biases");
        if (pairs.UnknownItems > 0)
            Console.Error.WriteLine($"hpaps: {pairs.UnknownItems} pairs have an item without ratings in the model: predicted from the users' biases");
        return (int)ExitCode.Done;
    }

    private static void Output(string? path, Action<Stream> write)
    {
        if (path is not null)
        {
            AtomicFile.Write(path, write);
            return;
        }

        using Stream standard = Console.OpenStandardOutput();
        write(standard);
    }

    private static void Write(Stream output, Classifier classifier, SparseRows rows)
    {
        using var writer = new StreamWriter(output, new UTF8Encoding(false), BufferBytes, leaveOpen: true) { NewLine = "\n" };
        for (int row = 0; row < rows.Rows; row++)
        {
            (float label, double probability) = classifier.Predict(rows, row);
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{label:R} {probability:G9}"));
        }
    }
}
