using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HpAsyncPs.Monitoring;

/// <summary>The monitoring port: HTTP that tells how a job stands, and changes nothing. docs/monitoring.md has what it answers.</summary>
public sealed class MonitorPort : IAsyncDisposable
{
    private const int MostHeaderBytes = 16 * 1024;
    private const int MostLineBytes = 4 * 1024;
    private static readonly TimeSpan KeepAlive = TimeSpan.FromMinutes(3); // longer than scrapes are apart
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly WebApplication _application;
    private readonly Sampler _sampler;
    private readonly MonitorPaths _paths;

    private MonitorPort(WebApplication application, Sampler sampler, MonitorPaths paths, string address) =>
        (_application, _sampler, _paths, Address) = (application, sampler, paths, address);

    /// <summary>Where it is, as in http://127.0.0.1:9464/.</summary>
    public string Address { get; }

    /// <summary>Refuses an address that others could reach where there is nothing to tell them from those who may.</summary>
    /// <param name="options">Where it is to be.</param>
    /// <exception cref="InputException">It must not be there.</exception>
    public static void Check(MonitorOptions options)
    {
        OpenSsl.Require("--monitor");
        var endpoint = Endpoint.Parse(options.Address);
        if (endpoint.IsUnix)
            throw new InputException($"--monitor {options.Address}: browsers and scrapers need HOST:PORT, as in 127.0.0.1:9464; for a socket of this host listen there.");
        Check(options, endpoint.Resolve());
    }

    private static void Check(MonitorOptions options, EndPoint[] places)
    {
        if (options.Token is null && !IsLoopback(places))
        {
            throw new InputException($"--monitor {options.Address} is not loopback, and without a token anybody who reaches the port could read how the job stands: give --token-file or HPAPS_TOKEN_FILE "
                + "(readers show a key that is derived from it, docs/monitoring.md), or use 127.0.0.1 and reach it with ssh -L.");
        }
    }

    /// <summary>Begins to answer.</summary>
    /// <param name="source">The job.</param>
    /// <param name="options">Where, and for whom.</param>
    /// <param name="time">The clock; the system's if null.</param>
    /// <exception cref="InputException">The address cannot be used.</exception>
    public static async Task<MonitorPort> StartAsync(IMonitorSource source, MonitorOptions options, TimeProvider? time = null)
    {
        Check(options);
        var endpoint = Endpoint.Parse(options.Address);
        EndPoint[] places = endpoint.Resolve();
        Check(options, places); // a name may have another address by now
#pragma warning disable CA2000 // the port owns them
        var sampler = new Sampler(source, time ?? TimeProvider.System, options.Version);
        var paths = new MonitorPaths(source, sampler, options);
#pragma warning restore CA2000

        // Empty: no file of the folder and no variable changes what it does, and nothing is logged but by us.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime>(new NoLifetime());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowSynchronousIO = false;
            kestrel.Limits.MaxConcurrentConnections = options.MostConnections;
            kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = MostHeaderBytes;
            kestrel.Limits.MaxRequestLineSize = MostLineBytes;
            kestrel.Limits.RequestHeadersTimeout = options.RequestTime;
            kestrel.Limits.KeepAliveTimeout = KeepAlive;
            foreach (EndPoint place in places)
            {
                kestrel.Listen((IPEndPoint)place, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.Use(next => connection => FirstRequest.LimitAsync(connection, next, options.RequestTime));
                });
            }
        });
        WebApplication application = builder.Build();
        var guard = new MonitorGuard(endpoint.Host, IsLoopback(places), options.Token);
        application.Use(guard.InvokeAsync);
        paths.AddTo(application);
        try
        {
            await application.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            await sampler.DisposeAsync().ConfigureAwait(false);
            paths.Dispose();
            throw new InputException($"--monitor {options.Address}: {e.InnerException?.Message ?? e.Message}. Use another port, or port 0 for a free one.");
        }

        sampler.Start();
        return new MonitorPort(application, sampler, paths, AddressOf(application));
    }

    /// <summary>Tells open pages how the job stands at the end, and that it has ended; then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _sampler.TakeLast();
        _paths.End();
        using (var limit = new CancellationTokenSource(LastWords))
            await _application.StopAsync(limit.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        await _sampler.DisposeAsync().ConfigureAwait(false);
        _paths.Dispose();
    }

    private static bool IsLoopback(EndPoint[] places) => Array.TrueForAll(places, static one => one is IPEndPoint place && IPAddress.IsLoopback(place.Address));

    private static string AddressOf(WebApplication application)
    {
        foreach (string address in application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses)
            return address.TrimEnd('/') + "/";
        return "";
    }

    /// <summary>The program handles its signals itself: the port lives as long as the server.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
