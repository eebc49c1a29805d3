using System;
using System.Net.Http;
using System.Text.Json;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>A monitoring port on a free port of loopback, in this process, and who asks it.</summary>
internal sealed class MonitoredServer : IAsyncDisposable
{
    private readonly MonitorPort _port;
    private bool _isDisposed;

    private MonitoredServer(MonitorPort port)
    {
        _port = port;
        Client = new HttpClient { BaseAddress = new Uri(port.Address), Timeout = TimeSpan.FromSeconds(20) };
    }

    public HttpClient Client { get; }

    public string Address => _port.Address;

    public static Task<MonitoredServer> Of(ServerHost host, MonitorOptions? options = null) => Of(new HostSource(host), options);

    public static async Task<MonitoredServer> Of(IMonitorSource source, MonitorOptions? options = null, TimeProvider? time = null) =>
        new(await MonitorPort.StartAsync(source, options ?? new MonitorOptions { Address = "127.0.0.1:0", Version = "1" }, time));

    public async Task<string> Text(string path)
    {
        using HttpResponseMessage answer = await Client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode}");
        return await answer.Content.ReadAsStringAsync();
    }

    public async Task<StatusDocument> Status() => JsonSerializer.Deserialize(await Text("status"), MonitorJson.Default.StatusDocument)!;

    /// <summary>Asks for the status until something holds.</summary>
    public async Task<StatusDocument> Until(Predicate<StatusDocument> condition, string what)
    {
        for (int attempt = 0; attempt < 200; attempt++)
        {
            using HttpResponseMessage answer = await Client.GetAsync(new Uri("status", UriKind.Relative));
            if (answer.IsSuccessStatusCode && JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), MonitorJson.Default.StatusDocument) is { } status && condition(status))
                return status;
            await Task.Delay(50);
        }

        Assert.Fail($"{what} did not come to be: {await Text("status")}");
        return null!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_isDisposed)
            await _port.DisposeAsync();
        _isDisposed = true;
    }
}
