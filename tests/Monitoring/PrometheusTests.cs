using System;
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

    /// <summary>What rules and dashboard ask for is there.</summary>
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

    [GeneratedRegex(@"hpaps_[a-z_]+")]
    private static partial Regex Names();
}
