using System;
using System.Net.Http;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Tests.Cluster;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>--monitor of the native programs.</summary>
public sealed partial class MonitorOptionTests
{
    [Fact]
    public async Task Train_prints_the_address_answers_there_and_ends_in_order_with_a_page_open()
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Start(
            Published.Launcher, folder.Path, "train", "logreg", "--data", folder.Data(2000), "--workers", "2", "--passes", "1e7", "--out", folder.In("run"), "--monitor", "127.0.0.1:0");
        train.Until(() => Place().IsMatch(train.Errors), "the address");
        using var client = new HttpClient { BaseAddress = new Uri(Place().Match(train.Errors).Groups[1].Value), Timeout = TimeSpan.FromSeconds(20) };
        StatusDocument status;
        do
        {
            await Task.Delay(200);
            using HttpResponseMessage answer = await client.GetAsync(new Uri("status", UriKind.Relative));
            status = JsonSerializer.Deserialize(answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync() : "null", MonitorJson.Default.StatusDocument)!;
        }
        while (status is not { Run.Phase: "training", Run.Pushes: > 10 });
        Assert.Equal(2, status.Workers.Count);
        using HttpResponseMessage page = await client.GetAsync(new Uri("events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        train.Signal(2);
        string events = await page.Content.ReadAsStringAsync();
        Assert.Equal(0, train.ExitCode());
        Assert.EndsWith("event: ended\ndata: {}\n\n", events, StringComparison.Ordinal);
        Assert.Contains("\"phase\":\"ended\"", events, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "is not loopback", "--monitor", "0.0.0.0:0")]
    [InlineData(2, "is no address", "--monitor", "9464")]
    [InlineData(3, "HOST:PORT", "--monitor", "unix:/tmp/x")]
    public void Server_refuses_at_its_start(int code, string words, params string[] arguments)
    {
        using var folder = new TempFolder();
        using RunningProgram server = RunningProgram.Run(Published.Server, folder.Path, ["--listen", "127.0.0.1:0", .. arguments]);
        Assert.Equal(code, server.ExitCode());
        Assert.Contains(words, server.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_in_one_process_has_no_port()
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", folder.Data(), "--deterministic", "--monitor", "127.0.0.1:0");
        Assert.Equal(2, train.ExitCode());
        Assert.Contains("--monitor", train.Errors, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"monitoring at (http://\S+/)")]
    private static partial Regex Place();
}
