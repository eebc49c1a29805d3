using System;
using System.Globalization;
using System.IO;
using System.Text.Json;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps evaluate, predict and inspect.</summary>
[Collection(Alone.Name)]
public sealed class EvaluatePredictTests
{
    // Weights 2 and -1, l2 0.5: margins and losses by hand.
    private const string Rows = "1 1:1\n2 1:1 2:3\n2 2:-1 7:5\n";
    private const double L2 = 0.5;

    [Fact]
    public void Evaluate_gives_loss_objective_and_accuracy_and_counts_what_it_ignores()
    {
        using var folder = new TempFolder();
        MakeModel(folder);
        JsonElement quality = Json(folder, "evaluate", "--model", "m", "--data", "rows.svm", "--json");
        double loss = (Math.Log(1 + Math.Exp(2)) + Math.Log(1 + Math.Exp(1)) + Math.Log(1 + Math.Exp(-1))) / 3;
        Assert.Equal(3, quality.GetProperty("rows").GetInt32());
        Assert.Equal(loss, quality.GetProperty("mean_loss").GetDouble(), 1e-12);
        Assert.Equal(loss + (L2 / 2 * 5), quality.GetProperty("objective").GetDouble(), 1e-12);
        Assert.Equal(1.0 / 3, quality.GetProperty("accuracy").GetDouble(), 1e-12);
        Assert.Equal(1, quality.GetProperty("ignored_features").GetInt32());
        Assert.Equal(1, quality.GetProperty("ignored_entries").GetInt32());
    }

    [Fact]
    public void Predict_prints_labels_of_the_training_file_and_probabilities()
    {
        using var folder = new TempFolder();
        MakeModel(folder);
        File.WriteAllText(folder.In("rows.svm"), Rows + "-17.5 1:0.5\n"); // labels may be any numbers here
        using RunningProgram printed = RunningProgram.Run(Published.Launcher, folder.Path, "predict", "--model", "m", "--data", "rows.svm");
        Assert.True(printed.ExitCode() == 0, printed.Errors);
        using RunningProgram written = RunningProgram.Run(Published.Launcher, folder.Path, "predict", "--model", "m", "--data", "rows.svm", "--out", "p.txt");
        Assert.True(written.ExitCode() == 0, written.Errors);
        Assert.Equal("", written.Output);
        Assert.Equal(printed.Output, File.ReadAllText(folder.In("p.txt")));
        Assert.Contains("1 entries of 1 features", printed.Errors, StringComparison.Ordinal);

        double[] margins = [2, -1, 1, 1];
        string[] lines = printed.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(margins.Length, lines.Length);
        for (int row = 0; row < lines.Length; row++)
        {
            string[] parts = lines[row].Split(' ');
            Assert.Equal(margins[row] > 0 ? "2" : "1", parts[0]);
            Assert.Equal(1 / (1 + Math.Exp(-margins[row])), double.Parse(parts[1], CultureInfo.InvariantCulture), 1e-8);
        }
    }

    [Fact]
    public void Predict_onto_its_own_input_is_refused_and_the_input_stays()
    {
        using var folder = new TempFolder();
        MakeModel(folder);
        string before = File.ReadAllText(folder.In("rows.svm"));
        File.CreateSymbolicLink(folder.In("link.svm"), folder.In("rows.svm"));
        foreach (string output in (string[])["rows.svm", "./rows.svm", "link.svm"])
        {
            using RunningProgram predict = RunningProgram.Run(Published.Launcher, folder.Path, "predict", "--model", "m", "--data", "rows.svm", "--out", output);
            Assert.Equal(3, predict.ExitCode());
            Assert.Contains("would be lost", predict.Errors, StringComparison.Ordinal);
            Assert.Equal(before, File.ReadAllText(folder.In("rows.svm")));
        }
    }

    [Theory]
    [InlineData("evaluate", "--model", "absent", "--data", "rows.svm")]
    [InlineData("evaluate", "--model", "m", "--data", "absent.svm")]
    [InlineData("evaluate", "--model", "m", "--data", "other.svm")]
    [InlineData("predict", "--model", "m", "--data", "broken.svm", "--out", "p.txt")]
    [InlineData("predict", "--model", "m", "--data", "rows.svm", "--out", "absent/p.txt")]
    [InlineData("inspect", "--data", "broken.svm")]
    public void Bad_input_is_refused_and_nothing_written(params string[] arguments)
    {
        using var folder = new TempFolder();
        MakeModel(folder);
        File.WriteAllText(folder.In("other.svm"), "-1 1:1\n1 1:2\n");
        File.WriteAllText(folder.In("broken.svm"), "1 1:1\n1 1:\n");
        using RunningProgram program = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.Equal(3, program.ExitCode());
        Assert.StartsWith("hpaps: ", program.Errors, StringComparison.Ordinal);
        Assert.Equal("", program.Output);
        Assert.Equal(["broken.svm", "m", "other.svm", "rows.svm"], folder.Entries());
    }

    [Fact]
    public void Inspect_says_what_is_in_a_file()
    {
        using var folder = new TempFolder();
        MakeModel(folder);
        JsonElement of = Json(folder, "inspect", "--data", "rows.svm", "--json");
        Assert.Equal(3, of.GetProperty("rows").GetInt32());
        Assert.Equal(7, of.GetProperty("features").GetInt32());
        Assert.Equal(5, of.GetProperty("nonzeros").GetInt32());
        Assert.Equal(5.0 / 21, of.GetProperty("density").GetDouble(), 1e-12);
        Assert.True(of.GetProperty("fits_logreg").GetBoolean());
        Assert.Equal(2, of.GetProperty("labels")[1].GetProperty("rows").GetInt32());
        Assert.True(of.GetProperty("megabytes_per_second").GetDouble() > 0);
    }

    [Fact]
    public void Inspect_names_a_column_that_is_much_larger_than_the_others()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("uneven.svm"), "+1 1:1 2:-0.5 3:900\n-1 1:0.2 2:2 3:-1000 5:1\n");
        JsonElement sizes = Json(folder, "inspect", "--data", "uneven.svm", "--json").GetProperty("column_sizes");
        Assert.Equal(1000, sizes.GetProperty("largest").GetDouble());
        Assert.Equal(3, sizes.GetProperty("largest_column").GetInt32());
        Assert.Equal(1, sizes.GetProperty("median").GetDouble()); // of 1, 2, 1000, 1: the empty column does not count
        Assert.True(sizes.GetProperty("are_uneven").GetBoolean());
        using RunningProgram text = RunningProgram.Run(Published.Launcher, folder.Path, "inspect", "--data", "uneven.svm");
        Assert.Equal(0, text.ExitCode());
        Assert.Contains("up to 1000 in column 3", text.Output, StringComparison.Ordinal);
        Assert.Contains("divide columns", text.Output, StringComparison.Ordinal);
    }

    private static void MakeModel(TempFolder folder)
    {
        var description = new ModelDescription
        {
            Task = "logreg",
            Parameters = 2,
            Labels = [1, 2],
            Settings = new System.Collections.Generic.Dictionary<string, string> { ["l2"] = "0.5" },
        };
        new ModelFolder(description, [2, -1]).Write(folder.In("m"));
        File.WriteAllText(folder.In("rows.svm"), Rows);
    }

    private static JsonElement Json(TempFolder folder, params string[] arguments)
    {
        using RunningProgram program = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.True(program.ExitCode() == 0, program.Errors);
        using JsonDocument document = JsonDocument.Parse(program.Output);
        return document.RootElement.Clone();
    }
}
