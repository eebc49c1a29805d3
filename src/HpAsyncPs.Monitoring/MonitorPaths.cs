using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Monitoring.Metrics;
using HpAsyncPs.Server.Monitoring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace HpAsyncPs.Monitoring;

/// <summary>What is answered where.</summary>
internal sealed class MonitorPaths : IDisposable
{
    private const string Known = "There are / (a page), /status, /history, /happened?after=ID, /events (server-sent events), /metrics, /healthz and /readyz.";

    private readonly IMonitorSource _source;
    private readonly Sampler _sampler;
    private readonly TimeSpan _answerTime;
    private readonly EventStreams _streams;
    private readonly MetricsPath _metrics;

    public MonitorPaths(IMonitorSource source, Sampler sampler, MonitorOptions options)
    {
        (_source, _sampler, _answerTime) = (source, sampler, options.AnswerTime);
        _streams = new EventStreams(source, sampler, options.MostStreams);
        _metrics = new MetricsPath(source, sampler, options.Version);
    }

    public void AddTo(IApplicationBuilder application)
    {
        application.UseWhen(static context => context.Request.Path != "/events", branch => branch.Use(LimitAsync));
        _metrics.AddTo(application);
        application.Run(AnswerAsync);
    }

    public void End() => _streams.End();

    public void Dispose()
    {
        _streams.Dispose();
        _metrics.Dispose();
    }

    /// <summary>Who takes an answer more slowly would hold it in memory.</summary>
    private async Task LimitAsync(HttpContext context, RequestDelegate next)
    {
        using var limit = new CancellationTokenSource(_answerTime);
        using CancellationTokenRegistration ending = limit.Token.Register(static of => ((HttpContext)of!).Abort(), context);
        await next(context).ConfigureAwait(false);
    }

    private Task AnswerAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/" => Page.AnswerAsync(context),
        "/status" => _sampler.Status() is { } status ? JsonAsync(context, StatusCodes.Status200OK, status)
            : MonitorGuard.Refuse(context.Response, StatusCodes.Status503ServiceUnavailable, "Nothing is known yet: ask again in a second."),
        "/history" => JsonAsync(context, StatusCodes.Status200OK, _sampler.WholeRun()),
        "/happened" => HappenedAsync(context),
        "/events" => _streams.ServeAsync(context),
        "/healthz" => HealthAsync(context, Health.OfProcess(_source)),
        "/readyz" => HealthAsync(context, Health.OfJob(_source, _sampler)),
        _ => MonitorGuard.Refuse(context.Response, StatusCodes.Status404NotFound, $"Nothing is at {context.Request.Path}. {Known}"),
    };

    private static Task HealthAsync(HttpContext context, string? reason) => JsonAsync(
        context, reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
        JsonSerializer.SerializeToUtf8Bytes(new HealthDocument(reason is null ? "ok" : "not ok", reason), MonitorJson.Default.HealthDocument));

    private Task HappenedAsync(HttpContext context)
    {
        string? asked = context.Request.Query["after"];
        if (_sampler.Ids.NumberOf(asked ?? "0") is not { } after)
            return MonitorGuard.Refuse(context.Response, StatusCodes.Status400BadRequest, $"after={asked} is no id of an event: use the one that the last answer had as 'id', or 0.");
        var events = new List<MonitorEvent>();
        long last = _source.Events.ReadSince(after, events);
        return JsonAsync(context, StatusCodes.Status200OK, JsonSerializer.SerializeToUtf8Bytes(new EventsDocument(last, _sampler.Ids.Of(last), events.ConvertAll(DocumentBuilder.Event)), MonitorJson.Default.EventsDocument));
    }

    private static async Task JsonAsync(HttpContext context, int code, byte[] document)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = document.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(document, context.RequestAborted).ConfigureAwait(false);
    }
}
