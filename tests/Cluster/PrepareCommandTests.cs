using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Data of which each worker reads its own part: prepared files, folders, pieces of text. The programs as users run them.</summary>
[Collection(Alone.Name)]
public sealed partial class PrepareCommandTests
{
    private const string Text = "tiny data.svm";

    [Theory]
    [InlineData(Text, 1)]
    [InlineData("rows.hpr", 1)]
    [InlineData("rows.hpr", 3)]
    [InlineData("parts", 3)]
    [InlineData(Text, 3, "--cut", "bytes")]
    [InlineData("rows.hpr", 3, "--deterministic")]
    [InlineData("parts", 2, "--deterministic")]
    [InlineData(Text, 2, "--deterministic", "--cut", "bytes")]
    public void Training_reaches_the_same_optimum(string data, int workers, params string[] more)
    {
        using TempFolder folder = Files();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, ["train", "logreg", "--data", data, "--l2", DyingProcesses.L2, "--workers", $"{workers}",
            "--policy", "bsp", "--passes", "200", "--out", "run", "--json", .. more]);
        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal(300, summary.RootElement.GetProperty("examples").GetDouble());
        double best = DyingProcesses.Optimum(folder.In(Text));
        Assert.InRange((summary.RootElement.GetProperty("objective").GetDouble() - best) / best, -1e-6, 1e-5);
    }

    [Fact]
    public void Commands_that_take_text_take_the_prepared_file_and_the_folder()
    {
        using TempFolder folder = Files();
        Done(folder, "train", "logreg", "--data", "rows.hpr", "--test", "parts", "--workers", "2", "--passes", "40", "--out", "run");
        string[] found = new string[3];
        for (int j = 0; j < found.Length; j++)
        {
            string data = ((string[])[Text, "rows.hpr", "parts"])[j];
            using JsonDocument inspected = JsonDocument.Parse(Done(folder, "inspect", "--data", data, "--json"));
            using JsonDocument evaluated = JsonDocument.Parse(Done(folder, "evaluate", "--model", "run", "--data", data, "--json"));
            JsonElement of = inspected.RootElement;
            found[j] = $"{of.GetProperty("rows")} {of.GetProperty("nonzeros")} {of.GetProperty("features")} {of.GetProperty("labels")} {evaluated.RootElement.GetProperty("mean_loss").GetDouble():0.000000} {evaluated.RootElement.GetProperty("accuracy")}";
            Assert.Equal(j == 1 ? Text : null, of.GetProperty("prepared_from").GetString());
            Assert.Equal(300, Done(folder, "predict", "--model", "run", "--data", data).Split('\n').Length - 1);
            Done(folder, "simulate", "logreg", "--data", data, "--workers", "2", "--passes", "2");
            Done(folder, "compare", "logreg", "--data", data, "--workers", "1,2", "--policies", "bsp", "--passes", "2", "--simulate", "--out", $"compared-{j}");
        }

        Assert.Equal(found[0], found[1]);
        Assert.Equal(found[0], found[2]);
        Assert.Contains("prepared  from tiny data.svm, in the order of seed 1", Regex.Replace(Done(folder, "inspect", "--data", "rows.hpr"), " {2,}", "  "), StringComparison.Ordinal);
        Done(folder, "plan", "run", "--workers", "2,3", "--bandwidth", "1Gbit");
    }

    [Fact]
    public void Workers_of_different_data_are_refused()
    {
        using TempFolder folder = Files();
        using RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--workers", "2", "--passes", "10", "--join-timeout", "20");
        server.Until(() => Address().IsMatch(server.Errors), "the server listened");
        string address = Address().Match(server.Errors).Groups[1].Value;
        using RunningProgram first = RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--server", address, "--data", "rows.hpr", "--part", "0/2");
        server.Until(() => server.Errors.Contains("worker 0", StringComparison.Ordinal), "the first worker was there");
        using RunningProgram second = RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--server", address, "--data", Text, "--part", "1/2");
        Assert.NotEqual(0, second.ExitCode());
        Assert.Contains("Setting data is absent here and prepared ", second.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_replaced_only_if_asked_for_and_its_seed_is_its_order()
    {
        using TempFolder folder = Files();
        byte[] once = File.ReadAllBytes(folder.In("rows.hpr"));
        Assert.Contains("exists already", Refused(folder, 3, "prepare", "logreg", "--data", Text, "--out", "rows.hpr"), StringComparison.Ordinal);
        Done(folder, "prepare", "logreg", "--data", Text, "--out", "rows.hpr", "--force");
        Assert.Equal(once, File.ReadAllBytes(folder.In("rows.hpr")));
        Done(folder, "prepare", "logreg", "--data", Text, "--out", "rows.hpr", "--force", "--seed", "2");
        Assert.NotEqual(once, File.ReadAllBytes(folder.In("rows.hpr")));
    }

    [Theory]
    [InlineData(3, "rows.hpr: is prepared already", "prepare", "logreg", "--data", "rows.hpr", "--out", "x")]
    [InlineData(3, "leave .gz out of its name", "prepare", "logreg", "--data", Text, "--out", "x.gz")]
    [InlineData(3, "absent: there is no such file", "prepare", "logreg", "--data", "absent", "--out", "x")]
    [InlineData(3, "this is the file of --data", "prepare", "logreg", "--data", Text, "--out", Text, "--force")]
    [InlineData(3, "would be a file of the folder of --data", "prepare", "logreg", "--data", "parts", "--out", "parts/x")]
    [InlineData(3, "has 3 files, too few for 4 workers", "train", "logreg", "--data", "parts", "--workers", "4")]
    [InlineData(3, "has 3 files, too few for 4 workers", "simulate", "logreg", "--data", "parts", "--workers", "4")]
    [InlineData(3, "has 3 files, too few for 4 workers", "launch", "slurm", "logreg", "--data", "parts", "--nodes", "4", "--out", "run")]
    [InlineData(3, "leave --cut bytes out", "train", "logreg", "--data", "parts", "--workers", "2", "--cut", "bytes", "--out", "run")]
    [InlineData(3, "leave --cut bytes out", "train", "logreg", "--data", "rows.hpr", "--workers", "2", "--cut", "bytes", "--out", "run")]
    [InlineData(3, "parts: this is a folder; give a file", "train", "mf", "--data", "parts")]
    [InlineData(2, "--cut must be rows or bytes", "train", "logreg", "--data", Text, "--cut", "lines")]
    public void Bad_input_is_refused_and_nothing_written(int code, string part, params string[] arguments)
    {
        using TempFolder folder = Files();
        Assert.Contains(part, Refused(folder, code, arguments), StringComparison.Ordinal);
        Assert.Equal(["parts", "rows.hpr", Text], folder.Entries());
        Assert.Equal(3, Directory.GetFiles(folder.In("parts")).Length);
    }

    [Fact]
    public void Job_of_slurm_cuts_as_told()
    {
        using TempFolder folder = Files();
        string script = Done(folder, "launch", "slurm", "logreg", "--nodes", "2", "--bin", "/opt", "--data", Text, "--cut", "bytes", "--out", "run");
        Assert.Contains(" --cut bytes\n", script, StringComparison.Ordinal);
    }

    [Fact]
    public void Recommender_of_prepared_ratings_is_that_of_the_text()
    {
        using var folder = new TempFolder();
        Done(folder, "generate", "ratings", "--ratings", "20000", "--out", "r.csv");
        Done(folder, "prepare", "mf", "--data", "r.csv", "--holdout", "0.1", "--blocks", "1", "--out", "one.hpm");
        Done(folder, "prepare", "mf", "--data", "r.csv", "--holdout", "0.1", "--out", "r.hpm");
        var errors = new List<double>();
        var checksums = new List<string>();
        foreach (string[] run in (string[][])[["r.csv", "1", "--deterministic"], ["one.hpm", "1", "--deterministic"], ["r.hpm", "3", "--policy", "bsp"], ["r.csv", "3", "--policy", "bsp"]])
        {
            using JsonDocument summary = JsonDocument.Parse(Done(folder, ["train", "mf", "--data", run[0], "--holdout", "0.1", "--rank", "8", "--passes", "10", "--workers", run[1], "--out", "run", "--json", .. run[2..]]));
            errors.Add(summary.RootElement.GetProperty("test_rmse").GetDouble());
            checksums.Add(ModelFolder.Describe(folder.In("run")).Checksum);
            using JsonDocument evaluated = JsonDocument.Parse(Done(folder, "evaluate", "--model", "run", "--data", "r.csv", "--json"));
            Assert.Equal(0, evaluated.RootElement.GetProperty("unknown_users").GetInt64());
        }

        Assert.Equal(checksums[0], checksums[1]);
        Assert.InRange(errors[0] / errors[1], 1 - 1e-12, 1 + 1e-12); // held-out ratings are summed in another order
        Assert.NotEqual(checksums[0], checksums[2]);
        Assert.InRange(errors[2] / errors[3], 0.97, 1.03);
        Assert.Contains("was prepared with --holdout 0.1 --seed 1", Refused(folder, 3, "train", "mf", "--data", "r.hpm", "--out", "run"), StringComparison.Ordinal);
        Assert.Contains("this is a prepared file, of ratings to train mf on", Refused(folder, 3, "inspect", "--ratings", "--data", "r.hpm"), StringComparison.Ordinal);
    }

    /// <summary>The same 300 rows as text, prepared, and in three files.</summary>
    private static TempFolder Files()
    {
        var folder = new TempFolder();
        string[] lines = File.ReadAllLines(folder.Data());
        Directory.CreateDirectory(folder.In("parts"));
        for (int j = 0; j < 3; j++)
        {
            var part = new StringBuilder();
            foreach (string line in lines.AsSpan(100 * j, 100))
                part.Append(line).Append('\n');
            File.WriteAllText(folder.In($"parts/{j}.svm"), part.ToString());
        }

        Done(folder, "prepare", "logreg", "--data", Text, "--out", "rows.hpr");
        return folder;
    }

    private static string Done(TempFolder folder, params string[] arguments)
    {
        using RunningProgram program = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.True(program.ExitCode() == 0, program.Errors);
        return program.Output;
    }

    private static string Refused(TempFolder folder, int code, params string[] arguments)
    {
        using RunningProgram program = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.True(program.ExitCode() == code, $"{program.ExitCode()}: {program.Errors}");
        Assert.Equal("", program.Output);
        return program.Errors;
    }

    [GeneratedRegex(@"listening at (\S+) for")]
    private static partial Regex Address();
}
