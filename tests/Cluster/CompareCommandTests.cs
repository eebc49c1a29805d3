using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Xml.Linq;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps compare, as a user runs it.</summary>
[Collection(Alone.Name)]
public sealed class CompareCommandTests
{
    private const int SigInt = 2;
    private const int SigKill = 9;

    [Fact]
    public void Simulated_comparison_has_the_figures_of_simulate()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        string[] shared = ["--data", data, "--test", data, "--passes", "12", "--slow", "0:4", "--seed", "5", "--latency", "2ms", "--bandwidth", "1MB", "--reference", "0.3"];
        JsonElement made = Parsed(0, folder, ["compare", "logreg", "--simulate", .. shared, "--policies", "async,ssp:2,asp:sgd,bsp", "--codecs", "fp32,int4", "--workers", "1,3",
            "--solvers", "gradient,gradient:4", "--batches", "16", "--out", "all", "--json"]);
        Assert.Equal(28, made.GetProperty("runs").GetArrayLength()); // 3 policies x 2 codecs x 2 numbers of workers x 2 solvers, and 4 of asp
        Assert.Equal("bsp", made.GetProperty("baseline").GetString());
        foreach (int at in (int[])[0, 7, 13, 18, 27])
        {
            JsonElement run = made.GetProperty("runs")[at];
            string solver = Text(run, "solver");
            string[] own = solver.StartsWith("batch:", StringComparison.Ordinal) ? ["--batch", solver[6..]] : ["--solver", solver];
            JsonElement alone = Parsed(0, folder, ["simulate", "logreg", .. shared, "--policy", Text(run, "policy"), "--codec", Text(run, "codec"), "--workers", Text(run, "workers"), .. own, "--json"]);
            foreach (string key in (string[])["virtual_seconds", "passes", "objective", "relative_gap", "test_accuracy", "pushes", "messages_up", "messages_down", "uplink_bytes", "downlink_bytes",
                "uplink_payload_bytes", "downlink_payload_bytes", "staleness_p50", "staleness_p99", "staleness_max"])
            {
                Assert.Equal(alone.GetProperty(key).GetRawText(), run.GetProperty(key).GetRawText());
            }

            foreach (string file in (string[])["summary.json", "trace.csv", "report.html", "model/weights.npy"])
                Assert.True(File.Exists(folder.In(Path.Combine("all", Text(run, "folder"), file))));
        }

        Assert.Equal(29, File.ReadAllLines(folder.In("all/comparison.csv")).Length);
        string page = File.ReadAllText(folder.In("all/report.html"));
        XDocument.Parse(page);
        foreach (string heading in (string[])["Configurations", "Relative gap", "Gain with workers", "Accuracy and frequency of communication", "What the workers did", "Staleness", "Settings"])
            Assert.Contains($"<h2>{heading}</h2>", page, StringComparison.Ordinal);
        Assert.Contains("aria-label=\"worker 2:", page, StringComparison.Ordinal);
        Assert.Contains("12 of 28 configurations are drawn", page, StringComparison.Ordinal);

        // What a run's own folder says of its command makes the same run.
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In(Path.Combine("all", Text(made.GetProperty("runs")[0], "folder"), "summary.json"))));
        Assert.StartsWith("hpaps simulate logreg --data ", summary.RootElement.GetProperty("command").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Processes_are_compared_in_turn_and_leave_nothing_behind()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        HashSet<string> before = LeftOvers();
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--test", data, "--policies", "async,bsp", "--codecs", "int8",
            "--workers", "2", "--passes", "20", "--runs", "3", "--out", "three");
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.Subset(before, LeftOvers());
        int at = -1;
        foreach (string each in (string[])["run 1 of 6: async", "run 2 of 6: bsp", "run 3 of 6: async", "run 6 of 6: bsp"])
        {
            int next = run.Errors.IndexOf(each, StringComparison.Ordinal);
            Assert.True(next > at, $"{each}: {run.Errors}");
            at = next;
        }

        Assert.Equal(["comparison.csv", "comparison.json", "report.html", "runs"], Names(folder.In("three")));
        Assert.Equal(6, Directory.GetDirectories(folder.In("three/runs")).Length);
        Assert.Contains("times sooner", run.Output, StringComparison.Ordinal);
        using JsonDocument made = JsonDocument.Parse(File.ReadAllText(folder.In("three/comparison.json")));
        foreach (JsonElement one in made.RootElement.GetProperty("configurations").EnumerateArray())
        {
            Assert.Equal(3, one.GetProperty("done_runs").GetInt32());
            Assert.InRange(one.GetProperty("passes").GetDouble(), 20, 60);
        }

        Assert.Equal(JsonValueKind.Null, made.RootElement.GetProperty("runs")[0].GetProperty("virtual_seconds").ValueKind);
        Assert.True(made.RootElement.GetProperty("runs")[0].GetProperty("train_seconds").GetDouble() > 0);
        Assert.Contains("aria-label=\"worker 1:", File.ReadAllText(folder.In("three/report.html")), StringComparison.Ordinal);

        // An earlier comparison stays unless it is said that it may go, and what is none stays in any case.
        Refused(3, "--force", "--out", "three");
        File.WriteAllText(folder.In("three/mine.txt"), "mine");
        using RunningProgram again = RunningProgram.Run(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--simulate", "--passes", "2", "--policies", "async", "--out", "three", "--force");
        Assert.True(again.ExitCode() == 0, again.Errors);
        Assert.Equal("mine", File.ReadAllText(folder.In("three/mine.txt")));
        Assert.Single(Directory.GetDirectories(folder.In("three/runs")));
        Refused(3, "is no comparison", "--out", ".", "--force");

        // Nor does a single run go into a comparison, or a comparison into a run; and what cannot be read is found before anything is replaced.
        using RunningProgram single = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--deterministic", "--passes", "2", "--out", "three");
        Assert.Equal(3, single.ExitCode());
        Assert.Contains("a comparison is there", single.Errors, StringComparison.Ordinal);
        using RunningProgram beside = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", data, "--deterministic", "--passes", "2", "--out", "single");
        Assert.True(beside.ExitCode() == 0, beside.Errors);
        Refused(3, "is no comparison", "--out", "single", "--force");
        string page = File.ReadAllText(folder.In("three/report.html"));
        File.WriteAllText(folder.In("bad.svm"), "+1 1:1\n-1 1:x\n");
        Refused(3, "bad.svm", "--data", "bad.svm", "--out", "three", "--force");
        Assert.Equal(page, File.ReadAllText(folder.In("three/report.html")));

        void Refused(int code, string message, params string[] arguments)
        {
            using RunningProgram refused = RunningProgram.Run(Published.Launcher, folder.Path, ["compare", "logreg", "--simulate", .. arguments, .. Array.IndexOf(arguments, "--data") < 0 ? (string[])["--data", data] : []]);
            Assert.Equal(code, refused.ExitCode());
            Assert.Contains(message, refused.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Ctrl_C_keeps_what_is_done_and_names_what_is_missing()
    {
        Assert.SkipWhen(TrainEndTests.InterruptIsIgnored(), "SIGINT is ignored here, as in the background of a script: programs inherit that");
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram run = RunningProgram.Start(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--policies", "async,bsp", "--workers", "2",
            "--time-limit", "4", "--runs", "20", "--out", "stopped");
        run.Until(() => run.Errors.Contains("run 2 of 40", StringComparison.Ordinal) && run.Children().Count == 3, "the second run");
        run.Signal(SigInt);
        Assert.Equal(4, run.ExitCode());
        Assert.Empty(run.Children());
        Assert.Contains("39 of 40 runs are missing: bsp, auto, 2 workers, svrg, run 1; async,", run.Errors, StringComparison.Ordinal);
        using JsonDocument made = JsonDocument.Parse(File.ReadAllText(folder.In("stopped/comparison.json")));
        Assert.Equal("done", Text(made.RootElement.GetProperty("runs")[0], "outcome"));
        Assert.Equal(1, made.RootElement.GetProperty("done_runs").GetInt32());
        Assert.Contains("39 of 40 runs are missing", File.ReadAllText(folder.In("stopped/report.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Early_ctrl_C_leaves_nothing(bool isThere)
    {
        Assert.SkipWhen(TrainEndTests.InterruptIsIgnored(), "SIGINT is ignored here, as in the background of a script: programs inherit that");
        using var folder = new TempFolder();
        string data = folder.Data();
        if (isThere)
            Directory.CreateDirectory(folder.In("early"));
        using RunningProgram run = RunningProgram.Start(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--workers", "2", "--time-limit", "30", "--out", "early");
        run.Until(() => run.Errors.Contains("run 1 of 2", StringComparison.Ordinal), "the first run");
        run.Signal(SigInt);
        Assert.Equal(4, run.ExitCode());
        Assert.DoesNotContain("Could not find", run.Errors, StringComparison.Ordinal);
        Assert.Empty(run.Children());
        if (run.Errors.Contains("nothing was compared", StringComparison.Ordinal))
            Assert.Empty(isThere ? Directory.GetFileSystemEntries(folder.In("early")) : Directory.GetDirectories(folder.Path, "early"));
        else
            Assert.Contains("No run is done", File.ReadAllText(folder.In("early/report.html")), StringComparison.Ordinal); // it had begun to train: that is kept
    }

    [Fact]
    public void A_server_that_is_killed_in_the_first_run_is_a_failure_of_that_run_alone()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram run = RunningProgram.Start(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--policies", "async,bsp", "--workers", "2", "--time-limit", "2", "--out", "killed");
        int server = 0;
        run.Until(() => (server = new List<int>(run.Children().Keys).Find(id => run.Children().GetValueOrDefault(id, "").Contains("hpaps-server", StringComparison.Ordinal))) > 0, "the first server");
        RunningProgram.Signal(server, SigKill);
        Assert.Equal(4, run.ExitCode());
        Assert.Contains("failed: async, auto, 2 workers, svrg, run 1: server (pid ", run.Output, StringComparison.Ordinal);
        using JsonDocument made = JsonDocument.Parse(File.ReadAllText(folder.In("killed/comparison.json")));
        Assert.Equal(["failed", "done"], Outcomes(made));
        Assert.Contains("1 of 2 runs failed", File.ReadAllText(folder.In("killed/report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_true_of_several_is_said_once()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--simulate", "--policies", "async,bsp,ssp:2", "--codecs", "topk:0.05", "--workers", "2",
            "--passes", "2", "--out", "topk");
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.Equal(2, run.Errors.Split("most values travel late").Length);
        Assert.Contains("--codecs topk:0.05: ", run.Errors, StringComparison.Ordinal);
        Assert.Contains("use --solvers gradient", run.Errors, StringComparison.Ordinal);
        using RunningProgram wrong = RunningProgram.Run(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--policies", "async,bsp,auto", "--target", "1e-3");
        Assert.Equal(2, wrong.ExitCode());
        Assert.Equal(2, wrong.Errors.Split("--target needs --reference").Length);
        Assert.Contains("hpaps: --target needs --reference", wrong.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_fails_is_named_and_does_not_stop_the_rest()
    {
        using var folder = new TempFolder();
        string data = folder.Data(rows: 5);

        // Six workers have no row each of five.
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--simulate", "--policies", "async", "--workers", "2,6,3", "--passes", "3", "--out", "some");
        Assert.Equal(4, run.ExitCode());
        Assert.Contains("failed: async, auto, 6 workers, svrg, run 1: ", run.Output, StringComparison.Ordinal);
        using JsonDocument made = JsonDocument.Parse(File.ReadAllText(folder.In("some/comparison.json")));
        Assert.Equal(["done", "failed", "done"], Outcomes(made));
        Assert.Contains("1 of 3 runs failed", File.ReadAllText(folder.In("some/report.html")), StringComparison.Ordinal);

        // Where the first cannot use its input, nothing is begun, and nothing is left.
        using RunningProgram none = RunningProgram.Run(Published.Launcher, folder.Path, "compare", "logreg", "--data", data, "--simulate", "--workers", "6,2", "--out", "none");
        Assert.Equal(3, none.ExitCode());
        Assert.False(Directory.Exists(folder.In("none")));
    }

    [Fact]
    public void Recommenders_are_compared_by_their_error()
    {
        using var folder = new TempFolder();
        using RunningProgram generated = RunningProgram.Run(Published.Launcher, folder.Path, "generate", "ratings", "--out", "ratings.csv", "--ratings", "5000", "--users", "200", "--items", "100");
        Assert.True(generated.ExitCode() == 0, generated.Errors);
        JsonElement made = Parsed(0, folder, ["compare", "mf", "--data", "ratings.csv", "--holdout", "0.1", "--rank", "4", "--passes", "5", "--simulate", "--workers", "1,2", "--baseline", "async/fp32",
            "--codecs", "fp32,int8", "--out", "mf", "--json"]);
        Assert.Equal("test_rmse", Text(made.GetProperty("target"), "metric"));
        Assert.Contains("async, fp32, 1 worker", Text(made.GetProperty("target"), "words"), StringComparison.Ordinal);
        Assert.Equal("async/fp32", Text(made, "baseline"));
        Assert.Equal(8, made.GetProperty("runs").GetArrayLength());
        Assert.Contains("<h2>Test RMSE</h2>", File.ReadAllText(folder.In("mf/report.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no policy 'foo'", "--policies", "async,foo")]
    [InlineData("'async' is there twice", "--policies", "async,bsp,async")]
    [InlineData("'int8' is there twice", "--codecs", "rows:int8,int8")]
    [InlineData("has an empty entry", "--codecs", "int8,,int4")]
    [InlineData("must be a whole number from 1 to", "--workers", "1,0")]
    [InlineData("'newton' is not known", "--solvers", "svrg,newton")]
    [InlineData("216 runs (72 configurations, 3 of each), and 200 is the most", "--workers", "1,2,3,4,5,6,7,8,9,10,11,12", "--codecs", "fp32,int8,int4", "--runs", "3")]
    [InlineData("--latency is of the virtual clock: it needs --simulate", "--latency", "1ms")]
    [InlineData("--restart is for processes", "--restart", "on-failure:2", "--simulate")]
    [InlineData("--runs is for processes", "--runs", "2", "--simulate")]
    [InlineData("--baseline bsp is none of what is compared", "--policies", "async", "--baseline", "bsp")]
    [InlineData("--baseline async/fp64", "--baseline", "async/fp64")]
    [InlineData("--policy async --workers 2: --slow 3:8: there is no worker 3", "--workers", "2,4", "--slow", "3:8")]
    [InlineData("--target needs --reference", "--target", "1e-3")]
    [InlineData("--batches is of policy asp", "--batches", "8")]
    [InlineData("use --batches", "--policies", "asp:sgd", "--solvers", "svrg")]
    public void Comparison_that_cannot_start_says_why(string message, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, ["compare", "logreg", "--data", "x", .. arguments]);
        Assert.Equal(2, run.ExitCode());
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.Empty(folder.Entries());
    }

    private static JsonElement Parsed(int code, TempFolder folder, string[] arguments)
    {
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, arguments);
        Assert.True(run.ExitCode() == code, run.Errors);
        using JsonDocument printed = JsonDocument.Parse(run.Output);
        return printed.RootElement.Clone();
    }

    private static string Text(JsonElement of, string key) => of.GetProperty(key).ToString();

    private static List<string> Outcomes(JsonDocument made)
    {
        var outcomes = new List<string>();
        foreach (JsonElement run in made.RootElement.GetProperty("runs").EnumerateArray())
            outcomes.Add(Text(run, "outcome"));
        return outcomes;
    }

    /// <summary>Folders of sockets that no launcher holds; others on this machine may hold some of their own.</summary>
    private static HashSet<string> LeftOvers()
    {
        var folders = new HashSet<string>();
        foreach (string folder in Directory.GetDirectories(Path.GetTempPath(), "hpaps-run-*"))
        {
            try
            {
                using var held = new FileStream(Path.Combine(folder, "lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
                folders.Add(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody holds it, it is being made or removed, or it is another user's.
            }
        }

        return folders;
    }

    private static List<string> Names(string folder)
    {
        var names = new List<string>();
        foreach (string entry in Directory.GetFileSystemEntries(folder))
            names.Add(Path.GetFileName(entry));
        names.Sort(StringComparer.Ordinal);
        return names;
    }
}
