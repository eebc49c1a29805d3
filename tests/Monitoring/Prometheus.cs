using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Tasks;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>A real Prometheus on a free port of loopback, with a folder of its own, that scrapes one address four times a second.</summary>
internal sealed class Prometheus : IDisposable
{
    private const string Program = "/usr/bin/prometheus";
    public const string Tool = "/usr/bin/promtool";

    private readonly TempFolder _folder = new();
    private readonly RunningProgram _process;
    private readonly HttpClient _client;

    public Prometheus(Uri target)
    {
        SkipUnlessThere();
        int port = FreePort();
        File.WriteAllText(_folder.In("prometheus.yml"), $$"""
            global: {scrape_interval: 250ms, evaluation_interval: 250ms}
            rule_files: ["{{Path.Combine(Repository.Root, "tools", "monitoring", "hpaps.rules.yml")}}"]
            scrape_configs:
              - job_name: hpaps
                static_configs: [{targets: ["{{target.Authority}}"]}]
            """);
        _process = RunningProgram.Start(Program, _folder.Path, "--config.file=prometheus.yml", $"--web.listen-address=127.0.0.1:{port}", $"--storage.tsdb.path={_folder.In("data")}", "--log.level=warn");
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/"), Timeout = TimeSpan.FromSeconds(10) };
    }

    public static void SkipUnlessThere() => Assert.SkipUnless(File.Exists(Program) && File.Exists(Tool), $"{Program} or {Tool} is not there: apt-get install prometheus");

    /// <summary>Runs promtool in tools/monitoring.</summary>
    public static RunningProgram PromTool(params string[] arguments)
    {
        SkipUnlessThere();
        return RunningProgram.Run(Tool, Path.Combine(Repository.Root, "tools", "monitoring"), arguments);
    }

    /// <summary>What an expression is, once it is something that a condition holds of.</summary>
    public async Task<double> Until(string expression, Func<double, bool> condition)
    {
        string text = "nothing";
        for (int attempt = 0; attempt < 150; attempt++)
        {
            await Task.Delay(200);
            Assert.False(_process.HasExited, $"prometheus ended: {_process.Errors}");
            try
            {
                text = await _client.GetStringAsync(new Uri($"api/v1/query?query={Uri.EscapeDataString(expression)}", UriKind.Relative));
            }
            catch (HttpRequestException)
            {
                continue; // it is not up yet
            }

            using var answer = JsonDocument.Parse(text);
            JsonElement result = answer.RootElement.GetProperty("data").GetProperty("result");
            if (result.GetArrayLength() == 1 && double.Parse(result[0].GetProperty("value")[1].GetString()!, System.Globalization.CultureInfo.InvariantCulture) is var value && condition(value))
                return value;
        }

        Assert.Fail($"{expression} did not come to be as wanted; at last: {text}");
        return 0;
    }

    public void Dispose()
    {
        _client.Dispose();
        _process.Dispose();
        _folder.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
