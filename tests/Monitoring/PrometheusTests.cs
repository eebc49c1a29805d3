using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>tools/monitoring, by Prometheus itself.</summary>
public sealed partial class PrometheusTests
{
    [Theory]
    [InlineData("check config prometheus.yml")]
    [InlineData("check rules hpaps.rules.yml")]
    [InlineData("test rules hpaps.rules.test.yml")]
    public void PromTool_accepts(string arguments)
    {
        using RunningProgram tool = Prometheus.PromTool(arguments.Split(' '));
        Assert.True(tool.ExitCode() == 0, tool.Output + tool.Errors);
        Assert.Contains("SUCCESS", tool.Output, StringComparison.Ordinal);
    }

    /// <summary>The native programs: a worker of a run is killed, and Prometheus has an alert that says so.</summary>
    [Fact]
    public async Task Prometheus_scrapes_a_run_and_alerts_when_a_worker_is_killed()
    {
        Prometheus.SkipUnlessThere();
        using var folder = new TempFolder();
        using MonitoredRun run = MonitoredRun.Start(folder, workers: 3);
        using var prometheus = new Prometheus(run.Address);
        Assert.Equal(1, await prometheus.Until("up{job=\"hpaps\"}", static value => value == 1));
        Assert.Equal(3, await prometheus.Until("hpaps_workers_joined", static value => value == 3));
        await prometheus.Until("rate(hpaps_pushes_total[5s])", static value => value > 0);
        await prometheus.Until("hpaps_objective", static value => value is > 0 and < 0.7);
        await prometheus.Until("count(hpaps_worker_uplink_bytes_total > 0)", static value => value == 3);
        run.Kill(1);
        await prometheus.Until("hpaps_worker_state{rank=\"1\",state=\"gone\"}", static value => value == 1);
        Assert.Equal(1, await prometheus.Until("count(ALERTS{alertname=\"HpapsWorkerGone\",rank=\"1\"})", static value => value >= 1));
    }

    /// <summary>Names, units and labels are as Prometheus would have them.</summary>
    [Fact]
    public async Task PromTool_has_nothing_to_say_of_the_metrics()
    {
        Prometheus.SkipUnlessThere();
        using var folder = new TempFolder();
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2) { HasMore = true });
        await monitored.Until(static _ => true, "a status");
        await File.WriteAllTextAsync(folder.In("metrics"), await monitored.Text("metrics"), TestContext.Current.CancellationToken);
        using RunningProgram tool = RunningProgram.Run("/bin/sh", folder.Path, "-c", $"exec {Prometheus.Tool} check metrics < metrics");
        Assert.Equal("", tool.Output + tool.Errors);
        Assert.Equal(0, tool.ExitCode());
    }

    /// <summary>What rules and dashboard ask for is there, with the labels that they ask for.</summary>
    [Theory]
    [InlineData("hpaps.rules.yml")]
    [InlineData("grafana.json")]
    public async Task Selectors_of_rules_and_dashboard_find_something(string file)
    {
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2) { HasMore = true });
        await monitored.Until(static _ => true, "a status");
        Dictionary<string, double> samples = MetricsTests.Parse(await monitored.Text("metrics"));
        int selectors = 0;
        foreach (string text in Expressions(file))
        {
            foreach (Match match in Selectors().Matches(text))
            {
                selectors++;
                string[] labels = match.Groups["labels"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries);
                Assert.True(Finds(samples, match.Groups["name"].Value, Array.ConvertAll(labels, static one => one.Replace("\"", "", StringComparison.Ordinal))), $"{match.Value} in '{text}' finds nothing");
            }
        }

        Assert.True(selectors > 10, $"{selectors} selectors");
    }

    /// <summary>The dashboard is one that Grafana takes: panels with ids, places that do not overlap, a source, and legends of labels that there are.</summary>
    [Fact]
    public async Task Panels_of_the_dashboard_are_whole()
    {
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2) { HasMore = true });
        await monitored.Until(static _ => true, "a status");
        Dictionary<string, double> samples = MetricsTests.Parse(await monitored.Text("metrics"));
        using JsonDocument dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tools", "monitoring", "grafana.json"), TestContext.Current.CancellationToken));
        JsonElement root = dashboard.RootElement;
        Assert.True(root.GetProperty("schemaVersion").GetInt32() >= 36 && root.GetProperty("title").GetString()!.Length > 0);
        Assert.False(root.TryGetProperty("id", out JsonElement own) && own.ValueKind != JsonValueKind.Null, "it has an id of somebody's Grafana");
        var variables = new List<string>();
        foreach (JsonElement one in root.GetProperty("templating").GetProperty("list").EnumerateArray())
            variables.Add(one.GetProperty("name").GetString()!);
        Assert.Equal(["datasource", "instance"], variables);
        var ids = new HashSet<int>();
        var taken = new HashSet<(int, int)>();
        foreach (JsonElement panel in root.GetProperty("panels").EnumerateArray())
        {
            string title = panel.GetProperty("title").GetString()!;
            Assert.True(ids.Add(panel.GetProperty("id").GetInt32()), title);
            Assert.Contains(panel.GetProperty("type").GetString(), (string[])["stat", "timeseries"]);
            Assert.Equal(("prometheus", "${datasource}"), (panel.GetProperty("datasource").GetProperty("type").GetString(), panel.GetProperty("datasource").GetProperty("uid").GetString()));
            JsonElement place = panel.GetProperty("gridPos");
            (int x, int y, int w, int h) = (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32(), place.GetProperty("w").GetInt32(), place.GetProperty("h").GetInt32());
            Assert.True(x >= 0 && x + w <= 24, title);
            for (int at = 0; at < w * h; at++)
                Assert.True(taken.Add((x + (at % w), y + (at / w))), $"{title} lies upon another panel");
            var letters = new HashSet<string>();
            foreach (JsonElement target in panel.GetProperty("targets").EnumerateArray())
            {
                Assert.True(letters.Add(target.GetProperty("refId").GetString()!), title);
                string expression = target.GetProperty("expr").GetString()!, name = Names().Match(expression).Value;
                Assert.Contains("instance=\"$instance\"", expression, StringComparison.Ordinal);
                foreach (Match label in Legends().Matches(target.GetProperty("legendFormat").GetString()!))
                    Assert.True(HasLabel(samples, name, label.Groups[1].Value), $"{title}: {label.Value} is no label of {name}");
            }
        }

        Assert.True(ids.Count > 10, $"{ids.Count} panels");
    }

    /// <summary>What rules and dashboard ask for is documented.</summary>
    [Theory]
    [InlineData("hpaps.rules.yml")]
    [InlineData("grafana.json")]
    public void Names_in_rules_and_dashboard_are_documented(string file)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, "tools", "monitoring", file));
        if (file.EndsWith(".json", StringComparison.Ordinal))
            JsonDocument.Parse(text).Dispose();
        string document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "monitoring.md"));
        int names = 0;
        foreach (Match match in Names().Matches(text))
        {
            names++;
            Assert.Contains($"| `{match.Value}` |", document, StringComparison.Ordinal);
        }

        Assert.True(names > 10, $"{names} names");
    }

    private static IEnumerable<string> Expressions(string file)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, "tools", "monitoring", file));
        if (!file.EndsWith(".json", StringComparison.Ordinal))
            return text.Split('\n');
        using JsonDocument document = JsonDocument.Parse(text);
        var expressions = new List<string> { document.RootElement.GetProperty("templating").GetProperty("list")[1].GetProperty("query").GetProperty("query").GetString()! };
        foreach (JsonElement panel in document.RootElement.GetProperty("panels").EnumerateArray())
        {
            foreach (JsonElement target in panel.GetProperty("targets").EnumerateArray())
                expressions.Add(target.GetProperty("expr").GetString()!);
        }

        return expressions;
    }

    private static bool Finds(Dictionary<string, double> samples, string name, string[] labels)
    {
        foreach (string sample in samples.Keys)
        {
            if (sample.StartsWith(name + "{", StringComparison.Ordinal)
                && Array.TrueForAll(labels, label => label == "instance=$instance" || Array.IndexOf(sample[(name.Length + 1)..^1].Split(','), label) >= 0))
                return true;
        }

        return false;
    }

    private static bool HasLabel(Dictionary<string, double> samples, string name, string label)
    {
        foreach (string sample in samples.Keys)
        {
            if (sample.StartsWith(name + "{", StringComparison.Ordinal) && Array.Exists(sample[(name.Length + 1)..^1].Split(','), one => one.StartsWith(label + "=", StringComparison.Ordinal)))
                return true;
        }

        return false;
    }

    [GeneratedRegex(@"hpaps_[a-z_]+")]
    private static partial Regex Names();

    [GeneratedRegex(@"(?<name>hpaps_[a-z_]+)(\{(?<labels>[^}]*)\})?")]
    private static partial Regex Selectors();

    [GeneratedRegex(@"\{\{([a-z]+)\}\}")]
    private static partial Regex Legends();
}
