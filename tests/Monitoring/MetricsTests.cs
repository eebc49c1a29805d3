using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring.Documents;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>GET /metrics: that it says what the status says, all of it, and what docs/monitoring.md says there is.</summary>
public sealed class MetricsTests
{
    private const string Begin = "<!-- metrics -->";
    private const string End = "<!-- end of metrics -->";

    [Fact]
    public async Task Every_worker_of_the_most_has_its_points()
    {
        const int Workers = 4096;
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(Workers));
        await monitored.Until(static _ => true, "a status");
        string text = await monitored.Text("metrics");
        Dictionary<string, double> metrics = Parse(text);
        for (int rank = 0; rank < Workers; rank++)
        {
            foreach (string quantile in (string[])["0.5", "0.9", "0.99", "1"])
                Assert.True(metrics[$"hpaps_worker_lag_versions{{q={quantile},rank={rank},shard=0}}"] > 0);
            foreach (string state in (string[])["slow", "stalled", "gone", "left"])
                Assert.Equal(0, metrics[$"hpaps_worker_state{{rank={rank},shard=0,state={state}}}"]);
            Assert.True(metrics.ContainsKey($"hpaps_worker_uplink_bytes_total{{rank={rank},shard=0}}"));
        }

        Assert.DoesNotContain("overflow", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Numbers_are_those_of_the_status()
    {
        var job = new SimulatedJob(5) { Gone = 3 };
        await using MonitoredServer monitored = await MonitoredServer.Of(job);
        for (int attempt = 0; ; attempt++)
        {
            StatusDocument before = await monitored.Until(static one => one.Number > 1, "a second status");
            Dictionary<string, double> metrics = Parse(await monitored.Text("metrics"));
            if ((await monitored.Status()).Number != before.Number && attempt < 20)
                continue; // the second has changed in between
            Assert.Equal(before.Run.Pushes, metrics["hpaps_pushes_total{shard=0}"]);
            Assert.Equal(before.Run.Objective, metrics["hpaps_objective{shard=0}"]);
            Assert.Equal(before.Run.UplinkBytes, metrics["hpaps_uplink_bytes_total{shard=0}"]);
            Assert.Equal(1, metrics["hpaps_phase{phase=training,shard=0}"]);
            Assert.Equal(0, metrics["hpaps_phase{phase=ended,shard=0}"]);
            Assert.Equal(1, metrics["hpaps_workers{shard=0,state=gone}"]);
            foreach (WorkerDocument worker in before.Workers)
            {
                Assert.Equal(worker.Pushes, metrics[$"hpaps_worker_pushes_total{{rank={worker.Rank},shard=0}}"]);
                Assert.Equal(worker.LagVersions!.P99, metrics[$"hpaps_worker_lag_versions{{q=0.99,rank={worker.Rank},shard=0}}"]);
                Assert.Equal(worker.IdleShare, metrics[$"hpaps_worker_share{{activity=idle,rank={worker.Rank},shard=0}}"]);
                Assert.Equal(worker.State == "gone" ? 1 : 0, metrics[$"hpaps_worker_state{{rank={worker.Rank},shard=0,state=gone}}"]);
            }

            Assert.False(metrics.ContainsKey("hpaps_relative_gap{shard=0}")); // not known
            return;
        }
    }

    /// <summary>The table of docs/monitoring.md, made of what is there. The failure has the table to put there.</summary>
    [Fact]
    public async Task Documented_metrics_are_those_that_there_are()
    {
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2) { HasMore = true });
        await monitored.Until(static _ => true, "a status");
        string[] lines = (await monitored.Text("metrics")).Split('\n');
        var rows = new List<string>();
        foreach (string line in lines)
        {
            if (line.Split(' ', 4) is not ["#", "HELP", var name, var help] || !name.StartsWith("hpaps_", StringComparison.Ordinal))
                continue;
            string type = Array.Find(lines, one => one.StartsWith($"# TYPE {name} ", StringComparison.Ordinal))!.Split(' ')[^1];
            string? sample = Array.Find(lines, one => one.StartsWith(name + "{", StringComparison.Ordinal));
            rows.Add($"| `{name}` | {type} | {(sample is null ? "shard" : LabelsOf(sample))} | {help} |");
        }

        rows.Sort(StringComparer.Ordinal);
        string table = "| name | type | labels | |\n|---|---|---|---|\n" + string.Join('\n', rows);
        string document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "monitoring.md"));
        Assert.True(rows.Count > 40, $"{rows.Count} metrics");
        Assert.True(document.Contains($"{Begin}\n{table}\n{End}", StringComparison.Ordinal), $"docs/monitoring.md is not what there is; between {Begin} and {End} belongs:\n{table}");
    }

    private static string LabelsOf(string sample)
    {
        var names = new List<string>();
        foreach (string label in sample[(sample.IndexOf('{', StringComparison.Ordinal) + 1)..sample.IndexOf('}', StringComparison.Ordinal)].Split(','))
        {
            if (!label.StartsWith("otel_", StringComparison.Ordinal))
                names.Add(label.Split('=')[0]);
        }

        return string.Join(", ", names);
    }

    /// <summary>Samples by name and labels, those of OpenTelemetry left out, without quotes.</summary>
    internal static Dictionary<string, double> Parse(string text)
    {
        var samples = new Dictionary<string, double>();
        foreach (string line in text.Split('\n'))
        {
            int brace = line.IndexOf('{', StringComparison.Ordinal), end = line.IndexOf('}', StringComparison.Ordinal);
            if (line.StartsWith('#') || brace < 0)
                continue;
            var labels = new List<string>();
            foreach (string label in line[(brace + 1)..end].Split(','))
            {
                if (!label.StartsWith("otel_", StringComparison.Ordinal))
                    labels.Add(label.Replace("\"", "", StringComparison.Ordinal));
            }

            samples.Add($"{line[..brace]}{{{string.Join(',', labels)}}}", double.Parse(line[(end + 2)..].Split(' ')[0], CultureInfo.InvariantCulture));
        }

        return samples;
    }
}
