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

        plan = Plan(folder, "--target", "1e-9", "--reference", $"{optimum / 2:R}", "--passes", "3");
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
    public void A_signal_ends_it_with_what_is_done()
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "20", "--pass-time", "10ms", "--solver", "gradient");
        using RunningProgram run = RunningProgram.Start(Published.Launcher, folder.Path, "plan", "run", "--passes", "30000", "--bandwidth", "1Gbit,2Gbit,3Gbit,4Gbit,5Gbit,6Gbit", "--json");
        run.Until(() => run.Errors.Contains("1 of 6", StringComparison.Ordinal), "the first prediction");
        run.Signal(2);
        Assert.True(run.ExitCode() == 0, run.Errors);
        Assert.InRange(Predictions(Json(run.Output)).Count, 1, 5);
        Assert.Contains("ended as asked for", run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "--workers must be", "--workers", "0")]
    [InlineData(2, "--workers must be", "--workers", "2,,4")]
    [InlineData(2, "--servers must be", "--servers", "65")]
    [InlineData(2, "--bandwidth must be", "--bandwidth", "1Gbit,fast")]
    [InlineData(2, "--server-bandwidth must be", "--server-bandwidth", "0MB")]
    [InlineData(2, "--latency must be", "--latency", "5")]
    [InlineData(2, "--policies must be", "--policies", "async,best")]
    [InlineData(2, "--codecs must be", "--codecs", "int3")]
    [InlineData(2, "--slow", "--slow", "x")]
    [InlineData(3, "at most 200", "--workers", "1,2,3,4,5,6,7,8", "--servers", "1,2,3,4,5", "--bandwidth", "1Gbit,2Gbit,3Gbit,4Gbit,5Gbit,6Gbit")]
    [InlineData(3, "push gradients", "--policies", "asp:adam")]
    [InlineData(3, "worker 3 is to be slow", "--slow", "3:2")]
    [InlineData(3, "--target needs --reference", "--target", "0.1")]
    [InlineData(3, "no such file", "--prices", "none.json")]
    [InlineData(3, "no such file", "--data", "none.svm")]
    public void A_plan_that_cannot_be_made_says_why(int code, string message, params string[] arguments)
    {
        using var folder = new TempFolder();
        Measure(folder, "logreg", "--workers", "2", "--passes", "2");
        using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, ["plan", "run", .. arguments]);
        Assert.Equal(code, run.ExitCode());
        Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        Assert.Equal("", code == 3 ? run.Output : "");
    }

    [Fact]
    public void A_folder_without_what_a_plan_needs_says_what_it_lacks()
    {
        using var folder = new TempFolder();
        Refused("no such folder");
        Directory.CreateDirectory(folder.In("run"));
        Refused("cannot be read");
        File.WriteAllText(folder.In("run/summary.json"), "{ nonsense");
        Refused("is no summary");
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

        void Refused(string message)
        {
            using RunningProgram run = RunningProgram.Run(Published.Launcher, folder.Path, "plan", "run");
            Assert.Equal(3, run.ExitCode());
            Assert.Contains(message, run.Errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("is no price file", """{ "currency": "EUR", "worker_per_hour": 1, "server_per_hour": 1 }""")]
    [InlineData("is no price file", """{ "currency": "EUR", "worker_per_hour": 1, "server_per_hour": 1, "per_gb": 1, "per_tb": 2 }""")]
    [InlineData("is no price file", """{ "currency": "EUR", "worker_per_hour": "much", "server_per_hour": 1, "per_gb": 1 }""")]
    [InlineData("is no price file", "null")]
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
