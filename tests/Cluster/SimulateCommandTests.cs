using System;
using System.IO;
using System.Text;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps simulate and hpaps train --deterministic, as a user runs them.</summary>
[Collection(Alone.Name)]
public sealed class SimulateCommandTests
{
    [Fact]
    public void Simulate_prints_the_same_figures_twice_and_leaves_nothing()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        JsonElement first = Run(), second = Run();
        foreach (JsonProperty property in first.EnumerateObject())
        {
            if (property.Name != "wall_seconds")
                Assert.Equal(property.Value.ToString(), second.GetProperty(property.Name).ToString());
        }

        Assert.Equal(4, first.GetProperty("workers").GetInt32());
        Assert.Equal(0, first.GetProperty("slowest_worker").GetInt32());
        Assert.True(first.GetProperty("slowest_worker_pushes").GetInt32() < first.GetProperty("worker_pushes")[3].GetInt32() / 4);
        Assert.InRange(first.GetProperty("virtual_seconds").GetDouble(), 10, 100);
        Assert.InRange(first.GetProperty("test_accuracy").GetDouble(), 0.6, 1);
        Assert.Equal(["tiny data.svm"], folder.Entries());

        JsonElement Run()
        {
            using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "simulate", "logreg", "--data", data, "--test", data, "--workers", "4",
                "--slow", "0:8,1:2@1s-5s", "--slow-random", "0.2", "--passes", "30", "--solver", "gradient", "--latency", "2ms", "--bandwidth", "1MB", "--json");
            Assert.True(run.ExitCode() == 0, run.Errors);
            using JsonDocument printed = JsonDocument.Parse(run.Output);
            return printed.RootElement.Clone();
        }
    }

    [Theory]
    [InlineData("logreg")]
    [InlineData("mf", "--rank", "4", "--holdout", "0.1")]
    [InlineData("logreg", "--policy", "asp:adam", "--rate", "0.02", "--batch", "16")]
    public void Train_deterministic_gives_the_same_files_twice_and_those_of_simulate(string task, params string[] more)
    {
        using var folder = new TempFolder();
        string data = task == "mf" ? Ratings(folder) : folder.Data();
        Run("one", "train", "--deterministic");
        Run("two", "train", "--deterministic");
        Run("three", "simulate");
        foreach (string other in (string[])["two", "three"])
        {
            string[] files = Directory.GetFiles(folder.In("one/model"));
            Assert.Equal(task == "mf" ? 9 : 2, files.Length);
            foreach (string file in files)
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(folder.In($"{other}/model/{Path.GetFileName(file)}")));
            Assert.Equal(File.ReadAllText(folder.In("one/trace.csv")), File.ReadAllText(folder.In($"{other}/trace.csv")));
        }

        void Run(string name, string command, params string[] own)
        {
            using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path,
                [command, task, "--data", data, "--workers", "2", "--passes", "12", "--slow", "1:3", "--slow-random", "0.3", "--out", name, .. own, .. more]);
            Assert.True(run.ExitCode() == 0, run.Errors);
        }
    }

    [Theory]
    [InlineData("--latency must be", "--latency", "5")]
    [InlineData("--bandwidth must be", "--bandwidth", "0Gbit")]
    [InlineData("--pass-time must be", "--pass-time", "0s")]
    [InlineData("FROM before TO", "--slow", "0:8@5s-1s")]
    [InlineData("two factors", "--slow", "0:8", "--slow", "0:4")]
    [InlineData("there is no worker 9", "--slow", "9:8", "--workers", "2")]
    [InlineData("--slow-random must be 0 to 4", "--slow-random", "5")]
    public void Simulate_that_cannot_start_says_why(string message, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, ["simulate", "logreg", "--data", "x", .. arguments]);
        Assert.Equal(2, run.ExitCode());
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Worker_processes_take_the_same_patterns()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--workers", "2", "--passes", "20",
            "--slow", "0:3@0s-100ms,1:2", "--slow-random", "0.5", "--out", "run");
        Assert.True(run.ExitCode() == 0, run.Errors);
    }

    private static string Ratings(TempFolder folder)
    {
        var random = new Random(3);
        var text = new StringBuilder("user,item,rating\n");
        for (int user = 0; user < 40; user++)
        {
            for (int item = 0; item < 30; item++)
            {
                if (random.Next(2) == 0)
                    text.Append($"u{user},i{item},{1 + ((user + item) % 5)}\n");
            }
        }

        File.WriteAllText(folder.In("ratings.csv"), text.ToString());
        return folder.In("ratings.csv");
    }
}
