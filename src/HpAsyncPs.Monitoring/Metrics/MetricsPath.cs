using System;
using System.Diagnostics.Metrics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server.Monitoring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace HpAsyncPs.Monitoring.Metrics;

/// <summary>GET /metrics: the job as System.Diagnostics.Metrics, through OpenTelemetry's exporter for Prometheus.</summary>
internal sealed class MetricsPath : IDisposable
{
    /// <summary>Where.</summary>
    public const string Path = "/metrics";

    /// <summary>Of the meter.</summary>
    public const string MeterName = "HpAsyncPs";

    private const int MostPointsOfJob = 64;

    private readonly Meter _meter;
    private readonly MeterProvider _provider;
    private readonly MonitorView _view;
    private readonly Sampler _sampler;
    private readonly SemaphoreSlim _gate = new(1); // of _view, and of the exporter's buffer

    /// <param name="source">The job.</param>
    /// <param name="sampler">Has its view.</param>
    /// <param name="version">Of the program.</param>
    public MetricsPath(IMonitorSource source, Sampler sampler, string version)
    {
        (_sampler, _view) = (sampler, source.NewView());
        int workers = _view.Workers.Length;
        _meter = new Meter(MeterName, version);

        // Beyond its limit an instrument's points would be added up into one: room for all.
        // Memory for them is taken at once, so one of few points gets no more.
        var many = new MetricStreamConfiguration { CardinalityLimit = (WorkerMetrics.MostPoints * workers) + MostPointsOfJob };
        var one = new MetricStreamConfiguration { CardinalityLimit = workers + MostPointsOfJob };
        var few = new MetricStreamConfiguration { CardinalityLimit = MostPointsOfJob };
        _provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(MeterName)
            .AddView(instrument => !ReferenceEquals(instrument.Meter, _meter) ? MetricStreamConfiguration.Drop // of another job in this process
                : !instrument.Name.StartsWith(WorkerMetrics.Prefix, StringComparison.Ordinal) ? few : WorkerMetrics.HasMorePoints(instrument.Name) ? many : one)
            .ConfigureResource(static resource => resource.Clear().AddService("hpaps-server", autoGenerateServiceInstanceId: false))
            .AddPrometheusExporter(static options => options.ScrapeResponseCacheDurationMilliseconds = 0)
            .Build();
        JobMetrics.AddTo(_meter, () => _view);
        WorkerMetrics.AddTo(_meter, () => _view);
    }

    public void AddTo(IApplicationBuilder application)
    {
        application.UseWhen(static context => context.Request.Path == Path, branch => branch.Use(AnswerAsync));
        application.UseOpenTelemetryPrometheusScrapingEndpoint(_provider, static context => context.Request.Path == Path, null, null, null);
    }

    public void Dispose()
    {
        _provider.Dispose();
        _meter.Dispose();
        _gate.Dispose();
    }

    /// <summary>
    /// One scrape at a time is made, in memory, and then sent: the exporter has one buffer for all, so whoever takes their scrape slowly would hold up the others.
    /// </summary>
    private async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        HttpResponse response = context.Response;
        CancellationToken aborted = context.RequestAborted;
        Stream reader = response.Body;
        bool isKnown;
        using var text = new MemoryStream();
        await _gate.WaitAsync(aborted).ConfigureAwait(false);
        try
        {
            response.Body = text;
            isKnown = _sampler.With(_view.CopyFrom);
            if (isKnown)
                await next(context).ConfigureAwait(false);
        }
        finally
        {
            response.Body = reader;
            _gate.Release();
        }

        if (!isKnown)
        {
            await MonitorGuard.Refuse(response, StatusCodes.Status503ServiceUnavailable, "Nothing is known yet: ask again in a second.").ConfigureAwait(false);
            return;
        }

        response.ContentLength = text.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await reader.WriteAsync(text.GetBuffer().AsMemory(0, (int)text.Length), aborted).ConfigureAwait(false);
    }
}
