using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps plan, as a user runs it.</summary>
[Collection(Alone.Name)]
public sealed class PlanCommandTests
{
    private const string Prices = """{ "currency": "EUR", "worker_per_hour": 3.6, "server_per_hour": 7.2, "per_gb": 1000 }""";

    [Theory]
    [InlineData("logreg", "async", "200ms", "1MB", "1.0621547MB")]
    [InlineData("logreg", "bsp", "200ms", "1MB", "1.0621547MB")]
    [InlineData("mf", "async", "200ms", "1MB", "1.0621547MB")]
    [InlineData("logreg", "bsp", "1ms", "10kB", "10.621547kB")]
    public void A_plan_of_a_simulated_run_predicts_that_run(string task, string policy, string passTime, string bandwidth, string withHeaders)
    {
        using var folder = new TempFolder();
        Measure(folder, task, "--workers", "3", "--passes", "25", "--policy", policy, "--codec", "fp32", "--slow", "0:3", "--pass-time", passTime, "--latency", "2ms", "--bandwidth", bandwidth);
        JsonElement run = Json(File.ReadAllText(folder.In("run/summary.json")));
        JsonElement plan = Plan(folder, "--latency", "2ms", "--bandwidth", withHeaders, "--server-bandwidth", "unlimited"); // of which TCP and Ethernet take 6 %
        JsonElement one = Assert.Single(Predictions(plan));
        Assert.Equal("passes", one.GetProperty("reason").GetString());
        Assert.Equal(1, one.GetProperty("seconds").GetDouble() / run.GetProperty("train_seconds").GetDouble(), 0.03);
        Assert.Equal(1, one.GetProperty("uplink_bytes").GetDouble() / run.GetProperty("uplink_bytes").GetDouble(), 0.05);
        Assert.Equal(1, one.GetProperty("downlink_bytes").GetDouble() / run.GetProperty("downlink_bytes").GetDouble(), 0.05);
        Assert.Equal(1, one.GetProperty("pushes").GetDouble() / run.GetProperty("pushes").GetDouble(), 0.03);
        Assert.Equal(JsonValueKind.Null, one.GetProperty("cost").ValueKind);
        Assert.Equal(0, plan.GetProperty("fastest").GetInt32());
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("cheapest").ValueKind);
        Assert.DoesNotContain("is not decided", plan.ToString(), StringComparison.Ordinal); // of one
    }

    [Fact]
    public void Money_is_hours_of_machines_and_gigabytes_of_bytes()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "8");
        File.WriteAllText(folder.In("prices.json"), Prices);
        JsonElement plan = Plan(folder, "--workers", "2,5", "--servers", "1,3", "--prices", "prices.json", "--out", "planned");
        Assert.Equal(4, Predictions(plan).Count);
        int cheapest = 0, fastest = 0;
        for (int j = 0; j < 4; j++)
        {
            JsonElement one = Predictions(plan)[j], cost = one.GetProperty("cost");
            int workers = one.GetProperty("workers").GetInt32(), servers = one.GetProperty("servers").GetInt32();
            Assert.Equal((new[] { 2, 2, 5, 5 }[j], new[] { 1, 3, 1, 3 }[j]), (workers, servers));
            double machines = one.GetProperty("seconds").GetDouble() * ((workers * 0.001) + (servers * 0.002));
            double traffic = (one.GetProperty("uplink_bytes").GetDouble() + one.GetProperty("downlink_bytes").GetDouble()) * 1e-6;
            Assert.Equal(machines, cost.GetProperty("machines").GetDouble(), 1e-12);
            Assert.Equal(traffic, cost.GetProperty("traffic").GetDouble(), 1e-12);
            Assert.Equal(machines + traffic, cost.GetProperty("total").GetDouble(), 1e-12);
            cheapest = Total(j) < Total(cheapest) ? j : cheapest;
            fastest = Seconds(j) < Seconds(fastest) ? j : fastest;
        }

        Assert.Equal((fastest, cheapest), (plan.GetProperty("fastest").GetInt32(), plan.GetProperty("cheapest").GetInt32()));
        int asFast = 0, asCheap = 0;
        for (int j = 0; j < 4; j++)
        {
            asFast += j != fastest && Seconds(j) <= 1.15 * Seconds(fastest) ? 1 : 0;
            asCheap += j != cheapest && Total(j) <= 1.15 * Total(cheapest) ? 1 : 0;
        }

        Assert.Equal(asFast == 1, plan.GetProperty("notes").ToString().Contains("1 other case takes at most 15 % longer than the fastest", StringComparison.Ordinal));
        Assert.Equal(asFast > 0, plan.GetProperty("notes").ToString().Contains("longer than the fastest", StringComparison.Ordinal));
        Assert.Equal(asCheap > 0, plan.GetProperty("notes").ToString().Contains("more than the cheapest", StringComparison.Ordinal));
        Assert.Contains("several servers are assumed", plan.GetProperty("notes").ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("made up", plan.ToString(), StringComparison.Ordinal);
        Assert.Equal(plan.ToString(), Json(File.ReadAllText(folder.In("planned/plan.json"))).ToString());

        double Total(int j) => Predictions(plan)[j].GetProperty("cost").GetProperty("total").GetDouble();
        double Seconds(int j) => Predictions(plan)[j].GetProperty("seconds").GetDouble();
    }

    [Fact]
    public void Example_prices_are_said_to_be_made_up_and_full_links_named()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "30", "--pass-time", "1ms", "--solver", "gradient");
        string example = Path.Combine(Repository.Root, "tools", "prices.example.json");
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "plan", "run", "--bandwidth", "50kbit", "--server-bandwidth", "1Gbit", "--prices", example);
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.Contains("note: the prices are made up (example prices)", run.Output, StringComparison.Ordinal);
        Assert.Contains("cheapest: 2 workers, 1 server, 50kbit", run.Output, StringComparison.Ordinal);
        Assert.Contains("the link is what limits", run.Output, StringComparison.Ordinal);
        JsonElement plan = Plan(folder, "--bandwidth", "1Gbit", "--server-bandwidth", "50kbit", "--workers", "4");
        Assert.Equal("server link", Predictions(plan)[0].GetProperty("limit").GetString());
    }

    [Fact]
    public void Servers_links_and_slow_workers_count()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "20", "--pass-time", "5ms", "--solver", "gradient");
        double narrow = Seconds("--bandwidth", "100kbit"), shared = Seconds("--bandwidth", "100kbit", "--servers", "8"), wide = Seconds("--bandwidth", "10Mbit");
        Assert.True(narrow > 1.1 * shared && shared > 1.2 * wide, $"{narrow} s, {shared} s with 8 servers, {wide} s over a faster link");
        double slow = Seconds("--bandwidth", "10Mbit", "--policies", "bsp", "--slow", "1:8"), fast = Seconds("--bandwidth", "10Mbit", "--policies", "bsp");
        Assert.InRange(slow / fast, 4, 8.5);
        Assert.InRange(Seconds("--passes", "40") / Seconds(), 1.8, 2.2);

        double Seconds(params string[] arguments) => Predictions(Plan(folder, arguments))[0].GetProperty("seconds").GetDouble();
    }

    [Theory]
    [InlineData("logreg")]
    [InlineData("mf")]
    public void A_run_whose_server_was_started_by_hand_is_planned_alike(string task)
    {
        using var folder = new TempFolder();
        string data = Measure(folder, task, "--workers", "2", "--passes", "12", "--policy", "bsp", "--codec", "int8", "--seed", "5");
        JsonElement own = Predictions(Plan(folder))[0];
        Edit(folder, summary => summary["command"] = "hpaps-server --listen 10.0.0.1:7070 --workers 2 --policy=bsp --codec int8 --passes 12 --out 'my run'");
        using (RunningProgram blind = RunningProgram.Run(Published.Launcher, folder.Path, "plan", "run"))
        {
            Assert.Equal(3, blind.ExitCode());
            Assert.Contains("--data", blind.Errors, StringComparison.Ordinal);
        }

        JsonElement byHand = Predictions(Plan(folder, "--data", data))[0];
        foreach (string key in (string[])["pushes", "passes", "policy", "codec", "reason", "workers"])
            Assert.Equal(own.GetProperty(key).ToString(), byHand.GetProperty(key).ToString());
        Assert.Equal(own.GetProperty("objective").GetDouble(), byHand.GetProperty("objective").GetDouble(), 1e-9);
        Assert.Equal(1, own.GetProperty("seconds").GetDouble() / byHand.GetProperty("seconds").GetDouble(), 0.02);
    }

    [Fact]
    public void A_target_is_what_it_stops_at_and_who_misses_it_is_not_the_fastest()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "60");
        double optimum = Json(File.ReadAllText(folder.In("run/summary.json"))).GetProperty("objective").GetDouble();
        JsonElement plan = Plan(folder, "--target", "0.05", "--reference", $"{optimum:R}", "--passes", "1000", "--policies", "async,bsp");
        foreach (JsonElement one in Predictions(plan))
        {
            Assert.Equal("target", one.GetProperty("reason").GetString());
            Assert.InRange(one.GetProperty("relative_gap").GetDouble(), -0.01, 0.05);
        }

        // It ends after its passes, and what it ends with meets the target: that is no failure.
        plan = Plan(folder, "--target", "1e-9", "--reference", $"{optimum * 3:R}", "--passes", "0.001");
        Assert.True(Predictions(plan)[0].GetProperty("met_target").GetBoolean());
        Assert.Equal(0, plan.GetProperty("fastest").GetInt32());
        Assert.DoesNotContain("do not reach", plan.GetProperty("notes").ToString(), StringComparison.Ordinal);

        plan = Plan(folder, "--target", "1e-9", "--reference", $"{optimum / 2:R}", "--passes", "3");
        Assert.False(Predictions(plan)[0].GetProperty("met_target").GetBoolean());
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("fastest").ValueKind);
        Assert.Contains("do not reach the target", plan.GetProperty("notes").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void More_workers_than_processors_shorten_what_was_measured()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "4", "--passes", "20");
        double alone = Plan(folder).GetProperty("seconds_of_example").GetDouble();
        Edit(folder, static summary => (summary["virtual_time"], summary["processors"]) = (false, 2));
        JsonElement crowded = Plan(folder);
        Assert.InRange(crowded.GetProperty("crowding").GetDouble(), 1.8, 2.01);
        Assert.InRange(alone / crowded.GetProperty("seconds_of_example").GetDouble(), 1.8, 2.1);
        Assert.Contains("4 workers on 2 processors", crowded.GetProperty("notes").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_to_know_of_the_measured_run_is_said()
    {
        using var folder = new TempFolder();
        string data = Measure(folder, "logreg", "--workers", "2", "--passes", "4", "--slow", "0:3");
        JsonElement plan = Plan(folder);
        Assert.Contains("the run was simulated", Notes(), StringComparison.Ordinal);
        Assert.Contains("slow as in the run (0:3); with --slow 0:1 none is", Notes(), StringComparison.Ordinal);
        plan = Plan(folder, "--slow", "0:1");
        Assert.DoesNotContain("slow as in the run", Notes(), StringComparison.Ordinal);
        Edit(folder, static summary => (summary["virtual_time"], summary["processors"]) = (false, 2));
        plan = Plan(folder);
        Assert.DoesNotContain("simulated", Notes(), StringComparison.Ordinal);
        Assert.Contains("2 workers and a server on 2 processors", Notes(), StringComparison.Ordinal);

        // Steps of a microsecond, of which coding and sending is most.
        Edit(folder, static summary => summary["worker_busy_seconds"] = new JsonArray(3e-7, 1e-7));
        plan = Plan(folder);
        Assert.Contains("is uncertain", Notes(), StringComparison.Ordinal);
        Assert.True(plan.GetProperty("seconds_of_example").GetDouble() < 0.6 * plan.GetProperty("seconds_of_example_measured").GetDouble());

        // Workers of a server that was started by hand may have been on hosts of their own, whatever its own has.
        Edit(folder, static summary => (summary["command"], summary["processors"], summary["worker_busy_seconds"]) = ("hpaps-server --workers 2 --passes 4", 1, new JsonArray(1, 1)));
        plan = Plan(folder, "--data", data);
        Assert.Equal(1, plan.GetProperty("crowding").GetDouble());

        string Notes() => plan.GetProperty("notes").ToString();
    }

    [Fact]
    public void What_messages_take_is_made_to_fit_the_measured_run()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "40", "--pass-time", "1ms", "--latency", "0s", "--bandwidth", "unlimited", "--solver", "gradient");
        Assert.Equal(1, Scale(static seconds => seconds)); // it was simulated
        Edit(folder, static summary => (summary["virtual_time"], summary["processors"]) = (false, 64));
        Assert.Equal(1, Scale(static seconds => seconds / 2));
        Assert.InRange(Scale(static seconds => seconds * 2.2), 1.2, 3);
        Assert.InRange(Scale(static seconds => seconds * 100), 1, 1.1); // messages were next to nothing of that: something else kept it waiting

        double Scale(Func<double, double> of)
        {
            Edit(folder, summary => summary["train_seconds"] = of(summary["train_seconds"]!.GetValue<double>()));
            return Plan(folder).GetProperty("cost_scale").GetDouble();
        }
    }

    [Fact]
    public void What_no_worker_can_tell_is_refused()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "4", "--slow", "0:3,1:2");
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "plan", "run");
        Assert.Equal(3, run.ExitCode());
        Assert.Contains("all its workers were slow", run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("logreg", "examples to train on")]
    [InlineData("mf", "another fingerprint")]
    public void Other_data_than_that_of_the_run_is_refused(string task, string message)
    {
        using var folder = new TempFolder();
        string data = Measure(folder, task, "--workers", "2", "--passes", "2");
        string[] lines = File.ReadAllLines(data);
        File.WriteAllLines(folder.In("other"), task == "mf" ? [.. lines[..^1], lines[^1][..^1] + (lines[^1][^1] == '1' ? "2" : "1")] : lines[..^5]);
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "plan", "run", "--data", "other");
        Assert.Equal(3, run.ExitCode());
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.Contains("--data", run.Errors, StringComparison.Ordinal);
        Plan(folder, "--data", data);
    }

    [Fact]
    public void Processes_on_one_host_share_its_cores()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "4", "--passes", "20", "--pass-time", "200ms", "--solver", "gradient", "--policy", "bsp");
        double alone = Seconds(), one = Seconds("--one-host", "1"), two = Seconds("--one-host", "2"), many = Seconds("--one-host", "64");
        Assert.InRange(one / alone, 3.6, 4.05);
        Assert.InRange(two / alone, 1.8, 2.05);
        Assert.Equal(1, many / alone, 0.01);

        double Seconds(params string[] arguments) => Predictions(Plan(folder, arguments))[0].GetProperty("seconds").GetDouble();
    }

    [Fact]
    public void A_target_that_is_never_met_ends_all_the_same()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "4");
        Edit(folder, static summary => summary["command"] = summary["command"]!.ToString().Replace(" --passes 4", "", StringComparison.Ordinal));
        JsonElement plan = Plan(folder, "--target", "1e-9", "--reference", "1e-3");
        Assert.Equal("passes", Predictions(plan)[0].GetProperty("reason").GetString());
        Assert.Equal("relative gap 1E-09 or 2000 passes", plan.GetProperty("stop").GetString());
    }

    [Fact]
    public void A_signal_ends_it_with_what_is_done()
    {
        Assert.SkipWhen(TrainEndTests.InterruptIsIgnored(), "SIGINT is ignored here, as in the background of a script: programs inherit that");
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "20", "--pass-time", "10ms", "--solver", "gradient");
        using RunningProgram run = RunningProgram.Start(Published.Launcher, folder.Path, "plan", "run", "--passes", "30000", "--bandwidth", "1Gbit,2Gbit,3Gbit,4Gbit,5Gbit,6Gbit", "--json");
        run.Until(() => run.Errors.Contains("1 of 6", StringComparison.Ordinal), "the first prediction");
        run.Signal(2);
        Assert.True(run.ExitCode() == 4, run.Errors);
        Assert.InRange(Predictions(Json(run.Output)).Count, 1, 5);
        Assert.Contains("of 6 cases are predicted", run.Output, StringComparison.Ordinal);
        Assert.Contains("stopped: ", run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "--workers: '0' must be", "--workers", "0")]
    [InlineData(2, "empty entry", "--workers", "2,,4")]
    [InlineData(2, "'2' is there twice", "--workers", "2,4,02")]
    [InlineData(2, "'bsp' is there twice", "--policies", "bsp,bsp")]
    [InlineData(2, "--servers: '65' must be", "--servers", "65")]
    [InlineData(2, "--bandwidth: 'fast' must be", "--bandwidth", "1Gbit,fast")]
    [InlineData(2, "--server-bandwidth must be", "--server-bandwidth", "0MB")]
    [InlineData(2, "--latency must be", "--latency", "5")]
    [InlineData(2, "no policy 'best'", "--policies", "async,best")]
    [InlineData(2, "trains nothing", "--policies", "asp:sum")]
    [InlineData(2, "int3", "--codecs", "int3")]
    [InlineData(2, "--one-host must be", "--one-host", "0")]
    [InlineData(2, "--one-host and --prices", "--one-host", "2", "--prices", "none.json")]
    [InlineData(2, "--one-host is for one server", "--one-host", "2", "--servers", "2")]
    [InlineData(2, "--slow", "--slow", "x")]
    [InlineData(2, "at most 200", "--workers", "1,2,3,4,5,6,7,8", "--servers", "1,2,3,4,5", "--bandwidth", "1Gbit,2Gbit,3Gbit,4Gbit,5Gbit,6Gbit")]
    [InlineData(2, "push gradients", "--policies", "asp:adam")]
    [InlineData(2, "worker 3 is to be slow", "--slow", "3:2")]
    [InlineData(2, "--target needs --reference", "--target", "0.1")]
    [InlineData(3, "no such file", "--prices", "none.json")]
    [InlineData(3, "no such file", "--data", "none.svm")]
    [InlineData(3, "leave it out", "--test", "tiny data.svm")]
    public void A_plan_that_cannot_be_made_says_why(int code, string message, params string[] arguments)
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "2");
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, ["plan", "run", .. arguments]);
        Assert.Equal(code, run.ExitCode());
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public void A_folder_without_what_a_plan_needs_says_what_it_lacks()
    {
        using var folder = new TempFolder();
        Refused("no such folder");
        Directory.CreateDirectory(folder.In("run"));
        Refused("has no summary.json");
        File.WriteAllText(folder.In("run/comparison.json"), "{}");
        Refused("this is a comparison of runs; give the folder of one of them, in run/runs");
        File.WriteAllText(folder.In("run/summary.json"), "{\n\"workers\": 2,\n\"task\": \"log");
        Refused("run/summary.json: is no summary of a run: line 3 is not what it should be");
        File.Delete(folder.In("run/comparison.json"));
        Measure(folder, "logreg", "--workers", "2", "--passes", "2");
        string whole = File.ReadAllText(folder.In("run/summary.json"));
        foreach (string key in (string[])["command", "settings", "worker_busy_seconds", "worker_evaluating_seconds", "worker_passes", "worker_examples", "processors"])
        {
            Edit(folder, summary => summary.Remove(key));
            Refused($"has no {key}");
            File.WriteAllText(folder.In("run/summary.json"), whole);
        }

        Edit(folder, static summary => summary["worker_busy_seconds"] = new JsonArray(0, 0));
        Refused("no worker computed anything");
        Edit(folder, static summary => summary["worker_busy_seconds"] = new JsonArray(1e300, -1));
        Refused("worker_busy_seconds says");
        Edit(folder, static summary => summary["task"] = "sum");
        Refused("its task is 'sum'");
        Edit(folder, static summary => (summary["reason"], summary["failure"]) = ("failed", "worker 1 died"));
        Refused("the run failed (worker 1 died)");
        Refused("this is a file; give the folder of the run that it is in", "run/summary.json");

        void Refused(string message, string path = "run")
        {
            using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "plan", path);
            Assert.Equal(3, run.ExitCode());
            Assert.Contains(message, run.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("Path: $", run.Errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("is no price file: it has no per_gb;", """{ "currency": "EUR", "worker_per_hour": 1, "server_per_hour": 1 }""")]
    [InlineData("is no price file: per_tb is not known;", """{ "currency": "EUR", "worker_per_hour": 1, "server_per_hour": 1, "per_gb": 1, "per_tb": 2 }""")]
    [InlineData("is no price file: worker_per_hour must be a number from 0 to 1000000; it is much;", """{ "currency": "EUR", "worker_per_hour": "much", "server_per_hour": 1, "per_gb": 1 }""")]
    [InlineData("is no price file: currency must be a text", """{ "currency": 1, "worker_per_hour": 1, "server_per_hour": 1, "per_gb": 1 }""")]
    [InlineData("is no price file: it has no currency;", """{ "worker_per_hour": 1, "server_per_hour": 1, "per_gb": 1 }""")]
    [InlineData("is no price file: it is no JSON from line 2 on;", "{\n\"currency\": EUR }")]
    [InlineData("is no price file: it is no JSON object;", "null")]
    [InlineData("per_gb must be", """{ "currency": "EUR", "worker_per_hour": 1, "server_per_hour": 1, "per_gb": -1 }""")]
    [InlineData("currency must have", """{ "currency": " ", "worker_per_hour": 1, "server_per_hour": 1, "per_gb": 1 }""")]
    public void A_price_file_that_is_none_is_refused(string message, string text)
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "2");
        File.WriteAllText(folder.In("prices.json"), text);
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "plan", "run", "--prices", "prices.json");
        Assert.Equal(3, run.ExitCode());
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
    }

    /// <summary>A simulated run, whose times are exact, in the folder run; returns its data.</summary>
    private static string Measure(TempFolder folder, string task, params string[] arguments)
    {
        string data = task == "mf" ? Ratings(folder) : folder.Data(rows: 3000);
        string[] own = task == "mf" ? ["--rank", "4", "--holdout", "0.1"] : [];
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, ["simulate", task, "--data", data, "--out", "run", .. own, .. arguments]);
        Assert.True(run.ExitCode() == 0, run.Errors);
        return data;
    }

    private static JsonElement Plan(TempFolder folder, params string[] arguments)
    {
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, ["plan", "run", "--json", .. arguments]);
        Assert.True(run.ExitCode() == 0, run.Errors);
        return Json(run.Output);
    }

    private static List<JsonElement> Predictions(JsonElement plan) => [.. plan.GetProperty("predictions").EnumerateArray()];

    private static JsonElement Json(string text)
    {
        using JsonDocument read = JsonDocument.Parse(text);
        return read.RootElement.Clone();
    }

    private static void Edit(TempFolder folder, Action<JsonObject> edit)
    {
        JsonObject summary = JsonNode.Parse(File.ReadAllText(folder.In("run/summary.json")))!.AsObject();
        edit(summary);
        File.WriteAllText(folder.In("run/summary.json"), summary.ToJsonString());
    }

    private static string Ratings(TempFolder folder)
    {
        var text = new StringBuilder();
        for (int user = 0; user < 40; user++)
        {
            for (int item = user % 2; item < 30; item += 2)
                text.Append($"u{user},i{item},{1 + ((user + (3 * item)) % 5)}\n");
        }

        File.WriteAllText(folder.In("ratings.csv"), text.ToString());
        return folder.In("ratings.csv");
    }
}
