using System;
using System.IO;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>--warm-start: training goes on from a model, in processes and simulated, on the same data and on other.</summary>
[Collection(Alone.Name)]
public sealed class WarmStartTests
{
    private static readonly string[] Classes = ["--l2", "1e-3", "--intercept"];
    private static readonly string[] Factors = ["--holdout", "0.1", "--rank", "4"];

    [Theory]
    [InlineData("simulate")]
    [InlineData("train")]
    public void Logreg_three_passes_from_a_model_are_as_good_as_the_model(string command)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        double trained = Value(folder, "objective", ["train", "logreg", "--deterministic", "--data", data, "--passes", "200", "--out", "run", .. Classes]);
        string[] few = [command, "logreg", "--data", data, "--passes", "3", "--workers", "3", .. Classes];
        double cold = Value(folder, "objective", [.. few, "--out", "cold"]), warm = Value(folder, "objective", [.. few, "--out", "warm", "--warm-start", "run"]);
        Assert.InRange(warm, trained - 1e-6, trained + 1e-5);
        Assert.True(cold > trained + 1e-3, $"{cold} from zero, {trained} is the optimum: this shows nothing");
    }

    [Fact]
    public void Logreg_data_with_fewer_features_keeps_the_weights_of_the_others()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        Value(folder, "objective", ["train", "logreg", "--deterministic", "--data", data, "--passes", "50", "--out", "run"]);
        File.WriteAllText(folder.In("few.svm"), "+1 1:1\n-1 1:-1 2:1\n+1 2:-1\n-1 1:-0.5\n");
        Value(folder, "objective", ["train", "logreg", "--deterministic", "--data", folder.In("few.svm"), "--passes", "2", "--workers", "2", "--out", "next", "--warm-start", "run/model"]);
        float[] before = HpAsyncPs.Learning.Output.ModelFolder.Read(folder.In("run")).Weights, after = HpAsyncPs.Learning.Output.ModelFolder.Read(folder.In("next")).Weights;
        Assert.Equal(20, after.Length);
        for (int j = 2; j < 20; j++)
            Assert.InRange(after[j] / before[j], 0.5, 1.001); // but for the decay
    }

    [Theory]
    [InlineData("simulate")]
    [InlineData("train")]
    public void Mf_two_passes_from_a_model_over_the_same_ratings_in_another_order_are_as_good_as_the_model(string command)
    {
        using var folder = new TempFolder();
        string[] ratings = Ratings();
        File.WriteAllLines(folder.In("ratings.csv"), ratings);
        new Random(5).Shuffle(ratings);
        File.WriteAllLines(folder.In("shuffled.csv"), ratings);
        double trained = Value(folder, "objective", ["train", "mf", "--deterministic", "--data", "ratings.csv", "--passes", "60", "--out", "run", .. Factors]);
        string[] few = [command, "mf", "--data", "shuffled.csv", "--passes", "2", "--workers", "3", "--step", "0.002", .. Factors];
        double cold = Value(folder, "objective", [.. few, "--out", "cold"]), warm = Value(folder, "objective", [.. few, "--out", "warm", "--warm-start", "run"]);
        Assert.InRange(warm, 0, 1.1 * trained);
        Assert.True(cold > 1.5 * trained, $"{cold} from the beginning, {trained} trained: this shows nothing");
    }

    [Theory]
    [InlineData(3, "cannot be read", "logreg", "--warm-start", "none")]
    [InlineData(3, "not a classifier", "logreg", "--warm-start", "factors")]
    [InlineData(3, "not of matrix factorisation", "mf", "--warm-start", "classes")]
    [InlineData(3, "has an intercept: train with --intercept", "logreg", "--warm-start", "classes")]
    [InlineData(3, "train with --rank 4", "mf", "--warm-start", "factors")]
    [InlineData(2, "--warm-start needs --policy async, auto, bsp, bsp:1 or ssp:S", "logreg", "--policy", "asp", "--warm-start", "classes")]
    [InlineData(2, "--warm-start is empty", "logreg", "--warm-start", "")]
    public void A_model_that_does_not_fit_is_refused(int exitCode, string says, string task, params string[] arguments)
    {
        using var folder = new TempFolder();
        string rows = folder.Data();
        File.WriteAllLines(folder.In("ratings.csv"), Ratings());
        Value(folder, "objective", ["train", "logreg", "--deterministic", "--data", rows, "--passes", "2", "--out", "classes", .. Classes]);
        Value(folder, "objective", ["train", "mf", "--deterministic", "--data", "ratings.csv", "--passes", "2", "--out", "factors", .. Factors]);
        foreach (string command in (string[])["train", "simulate"])
        {
            using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path,
                [command, task, "--data", task == "mf" ? "ratings.csv" : rows, "--out", "next", .. arguments]);
            Assert.Equal(exitCode, run.ExitCode());
            Assert.Contains(says, run.Errors, StringComparison.Ordinal);
            Assert.False(Directory.Exists(folder.In("next")), "a run that was refused left a folder");
        }
    }

    private static double Value(TempFolder folder, string key, string[] arguments)
    {
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, [.. arguments, "--json"]);
        Assert.True(run.ExitCode() == 0, run.Errors);
        using JsonDocument printed = JsonDocument.Parse(run.Output);
        return printed.RootElement.GetProperty(key).GetDouble();
    }

    private static string[] Ratings()
    {
        var random = new Random(3);
        var lines = new System.Collections.Generic.List<string>();
        for (int user = 0; user < 60; user++)
        {
            for (int item = 0; item < 40; item++)
            {
                if (random.Next(2) == 0)
                    lines.Add($"u{user},i{item},{1 + ((user % 5) * (item % 4) / 3.0):0.##}");
            }
        }

        return [.. lines];
    }
}
