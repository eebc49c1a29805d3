using System;
using System.IO;
using System.Text.Json;
using System.Xml.Linq;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps train, as a user runs it: results, messages and exit codes.</summary>
[Collection(Alone.Name)]
public sealed class TrainCommandTests
{
    private const string Objective = "0.333340752068716";

    private static readonly string[] SummaryKeys =
    [
        "task", "policy", "codec", "workers", "servers", "seed", "passes", "wall_seconds", "train_seconds", "objective", "relative_gap",
        "test_accuracy", "pushes", "uplink_bytes", "downlink_bytes", "staleness_p50", "staleness_p99", "staleness_max",
        "worker_busy_fraction", "command",
    ];

    [Theory]
    [InlineData("async", 1)]
    [InlineData("async", 3)]
    [InlineData("bsp", 3)]
    public void Train_writes_summary_trace_and_model(string policy, int workers)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--test", data,
            "--workers", $"{workers}", "--policy", policy, "--passes", "50", "--reference", "0.1", "--seed", "5", "--out", "a run", "--json");
        Assert.True(train.ExitCode() == 0, train.Errors);

        using JsonDocument printed = JsonDocument.Parse(train.Output); // refuses anything beside the one object
        using JsonDocument written = JsonDocument.Parse(File.ReadAllText(folder.In("a run/summary.json")));
        foreach (string key in SummaryKeys)
        {
            Assert.True(written.RootElement.TryGetProperty(key, out JsonElement value), $"summary.json has no {key}");
            Assert.NotEqual(JsonValueKind.Null, value.ValueKind);
            Assert.Equal(value.ToString(), printed.RootElement.GetProperty(key).ToString());
        }

        JsonElement summary = written.RootElement;
        Assert.Equal(policy, summary.GetProperty("policy").GetString());
        Assert.Equal(workers, summary.GetProperty("worker_busy_fraction").GetArrayLength());
        Assert.Equal(5, summary.GetProperty("seed").GetInt32());
        Assert.InRange(summary.GetProperty("passes").GetDouble(), 50, 100);
        Assert.InRange(summary.GetProperty("test_accuracy").GetDouble(), 0.6, 1);
        Assert.True(summary.GetProperty("wall_seconds").GetDouble() > summary.GetProperty("train_seconds").GetDouble());
        Assert.StartsWith("hpaps train logreg --data ", summary.GetProperty("command").GetString());
        ModelFolder model = ModelFolder.Read(folder.In("a run"));
        Assert.Equal(20, model.Weights.Length);
        Assert.Equal(summary.GetProperty("objective").GetDouble(), model.Description.Objective);
        Assert.Equal(["model", "report.html", "summary.json", "trace.csv"], Names(folder.In("a run")));

        // The page knows what only the launcher knows, and what only the server knows.
        string report = XDocument.Load(folder.In("a run/report.html")).Root!.Value;
        Assert.Contains(summary.GetProperty("command").GetString()!, report, StringComparison.Ordinal);
        Assert.Contains($"{100 * summary.GetProperty("test_accuracy").GetDouble():0.00} %", report, StringComparison.Ordinal);
        Assert.Contains(Show.Objective(summary.GetProperty("objective").GetDouble()), report, StringComparison.Ordinal);
        Assert.Contains($"{Show.Count(summary.GetProperty("pushes").GetDouble())} pushes", report, StringComparison.Ordinal);
        Assert.DoesNotContain("No worker told", report, StringComparison.Ordinal);
        Assert.DoesNotContain("hpaps-server", report, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_with_data_only_says_when_it_stops_and_where_results_are()
    {
        using var folder = new TempFolder();
        folder.Data(name: "@-x.svm");
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", "@-x.svm");
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains("after 500 passes", train.Errors, StringComparison.Ordinal);
        string run = Assert.Single(Directory.GetDirectories(folder.In("runs")));
        Assert.Matches("/logreg-[0-9]{8}-[0-9]{6}$", run);
        Assert.Contains(Path.Combine("runs", Path.GetFileName(run)), train.Output, StringComparison.Ordinal);
        Assert.Equal(["model", "report.html", "summary.json", "trace.csv"], Names(run));
    }

    [Theory]
    [InlineData("async")]
    [InlineData("bsp")]
    [InlineData("async", "--slow", "0:8")]
    [InlineData("bsp", "--slow", "0:8")]
    public void Train_on_real_data_reaches_the_optimum(string policy, params string[] more)
    {
        string data = DataFolder.PathOf("a9a/a9a.svm.gz"), test = DataFolder.PathOf("a9a/a9a.t.svm.gz");
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, ["train", "logreg", "--data", data, "--test", test,
            "--l2", "1e-3", "--workers", "4", "--policy", policy, "--target", "1e-3", "--reference", Objective, "--time-limit", "50",
            "--out", "run", "--json", .. more]);
        Assert.True(train.ExitCode() == 0, train.Errors);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal("target", summary.RootElement.GetProperty("reason").GetString());
        Assert.InRange(summary.RootElement.GetProperty("relative_gap").GetDouble(), -1e-12, 1e-3);
        Assert.InRange(summary.RootElement.GetProperty("test_accuracy").GetDouble(), 0.845, 0.855);
    }

    [Fact]
    public void Train_with_a_malformed_row_names_it_once_and_leaves_nothing()
    {
        using var folder = new TempFolder();
        string data = folder.Data(last: "+1 3:oops\n");
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--workers", "3",
            "--passes", "10", "--out", "new/run");
        Assert.Equal(3, train.ExitCode());
        Assert.StartsWith($"hpaps: {data}:301: ", train.Errors, StringComparison.Ordinal);
        Assert.Single(train.Errors.TrimEnd().Split('\n'));
        Assert.Equal("", train.Output);
        Assert.Equal(["tiny data.svm"], folder.Entries());
    }

    [Fact]
    public void Train_with_a_malformed_test_file_fails_before_it_starts()
    {
        using var folder = new TempFolder();
        string data = folder.Data(), test = folder.Data(name: "test.svm", last: "-1 0:1\n");
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--test", test);
        Assert.Equal(3, train.ExitCode());
        Assert.StartsWith($"hpaps: {test}:301: ", train.Errors, StringComparison.Ordinal);
        Assert.Equal(["test.svm", "tiny data.svm"], folder.Entries());
    }

    [Fact]
    public void Train_with_other_labels_in_the_test_file_saves_the_model_all_the_same()
    {
        using var folder = new TempFolder();
        string data = folder.Data(), test = folder.Data(name: "test.svm", negative: "0", positive: "1");
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--test", test,
            "--passes", "5", "--out", "run");
        Assert.Equal(3, train.ExitCode());
        Assert.Contains("The model is saved in run", train.Errors, StringComparison.Ordinal);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
    }

    [Theory]
    [InlineData(3, "no such file", "--data", "absent.svm")]
    [InlineData(3, "has a folder in it", "--data", "/")]
    [InlineData(3, "no rows", "--data", "/dev/null")]
    [InlineData(2, "'--nope'", "--data", "x", "--nope")]
    [InlineData(2, "no comma", "--data", "x", "--l2", "0,001")]
    [InlineData(2, "no comma", "--data", "x", "--passes", "1,000")]
    [InlineData(2, "at most", "--data", "x", "--time-limit", "1e99")]
    [InlineData(3, "opens the file for itself", "--data", "/dev/stdin")]
    [InlineData(2, "--data", "--passes", "3")]
    [InlineData(2, "--reference", "--data", "x", "--target", "1e-3")]
    [InlineData(2, "--reference must not be 0", "--data", "x", "--target", "1e-3", "--reference", "0")]
    [InlineData(2, "--passes must be more than 0", "--data", "x", "--passes", "0")]
    [InlineData(2, "--workers must be 1 to", "--data", "x", "--workers", "0")]
    [InlineData(2, "there is no worker 9", "--data", "x", "--workers", "4", "--slow", "9:2")]
    [InlineData(2, "RANK:FACTOR", "--data", "x", "--slow", "fast")]
    [InlineData(2, "'ssp'", "--data", "x", "--policy", "ssp")]
    public void Train_that_cannot_start_says_why(int code, string message, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, ["train", "logreg", .. arguments]);
        Assert.Equal(code, train.ExitCode());
        Assert.Contains(message, train.Errors, StringComparison.Ordinal);
        Assert.Equal(code == 2, train.Errors.Contains("see 'hpaps train logreg --help'", StringComparison.Ordinal));
        Assert.Equal("", train.Output);
        Assert.Empty(folder.Entries());
    }

    [Theory]
    [InlineData]
    [InlineData("--deterministic")]
    public void Train_refuses_what_goes_beyond_the_magnitude(params string[] more)
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path,
            ["train", "logreg", "--data", folder.Data(), "--workers", "2", "--passes", "20", "--max-magnitude", "1e-6", "--out", "run", .. more]);
        Assert.Equal(4, train.ExitCode());
        Assert.Contains("1E-06", train.Errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Train_with_a_file_for_a_folder_says_so()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--out", data);
        Assert.Equal(3, train.ExitCode());
        Assert.Contains("--out", train.Errors, StringComparison.Ordinal);
    }

    private static string[] Names(string folder)
    {
        string[] names = Array.ConvertAll(Directory.GetFileSystemEntries(folder), path => Path.GetFileName(path)!);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }
}
