using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server.Monitoring;
using Microsoft.AspNetCore.Http;

namespace HpAsyncPs.Monitoring;

/// <summary>
/// GET /events: server-sent events. Each page has a loop that writes what is newest and waits until its reader has taken it; who reads slowly gets fewer seconds, not older ones, and
/// holds what Kestrel buffers of one (64 KB). The bytes of a second are the same for all.
/// </summary>
internal sealed class EventStreams : IDisposable
{
    /// <summary>Events that a page gets that was not there before.</summary>
    private const int FirstEvents = 200;

    private readonly IMonitorSource _source;
    private readonly Sampler _sampler;
    private readonly int _most;
    private readonly CancellationTokenSource _ended = new();
    private int _open;

    public EventStreams(IMonitorSource source, Sampler sampler, int most) => (_source, _sampler, _most) = (source, sampler, most);

    private static ReadOnlySpan<byte> Beginning => "retry: 1000\n\n"u8;

    /// <summary>All get the last second and that the job has ended, and are closed.</summary>
    public void End() => _ended.Cancel();

    public void Dispose() => _ended.Dispose();

    public async Task ServeAsync(HttpContext context)
    {
        HttpResponse response = context.Response;
        if (Interlocked.Increment(ref _open) > _most)
        {
            Interlocked.Decrement(ref _open);
            response.Headers.RetryAfter = "10";
            await MonitorGuard.Refuse(response, StatusCodes.Status503ServiceUnavailable, $"{_most} pages are open already, which is the most: close one, or ask for /status.").ConfigureAwait(false);
            return;
        }

        response.ContentType = "text/event-stream";
        try
        {
            if (HttpMethods.IsHead(context.Request.Method))
                return;
            _sampler.Open();
            try
            {
                await RunAsync(context).ConfigureAwait(false);
            }
            finally
            {
                _sampler.Close();
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The page was closed, or its reader was too slow for Kestrel.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task RunAsync(HttpContext context)
    {
        CancellationToken aborted = context.RequestAborted;
        Stream body = context.Response.Body;
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration byReader = aborted.Register(() => closed.TrySetResult()), byJob = _ended.Token.Register(() => closed.TrySetResult());
        string? said = context.Request.Headers["Last-Event-ID"];
        long seen = (said is null ? null : _sampler.Ids.NumberOf(said)) ?? Math.Max(0, _source.Events.Last - FirstEvents);
        long second = 0;
        var events = new List<MonitorEvent>();
        var frame = new ArrayBufferWriter<byte>();
        frame.Write(Beginning);
        while (true)
        {
            Task news = _sampler.News; // before what is looked at: nothing is missed
            bool isLast = _ended.IsCancellationRequested;
            events.Clear();
            seen = _source.Events.ReadSince(seen, events);
            foreach (MonitorEvent one in events)
                Add(frame, one);
            Sample newest = _sampler.Newest;
            bool hasNewer = newest.Tick.Length > 0 && newest.Number != second;
            if (hasNewer)
                frame.Write("event: status\ndata: "u8);
            if (frame.WrittenCount > 0)
                await body.WriteAsync(frame.WrittenMemory, aborted).ConfigureAwait(false);
            frame.ResetWrittenCount();
            if (hasNewer)
            {
                second = newest.Number;
                await body.WriteAsync(newest.Tick, aborted).ConfigureAwait(false); // the same bytes for all
                frame.Write("\n\n"u8);
            }

            if (isLast)
                frame.Write("event: ended\ndata: {}\n\n"u8);
            if (frame.WrittenCount > 0)
                await body.WriteAsync(frame.WrittenMemory, aborted).ConfigureAwait(false);
            frame.ResetWrittenCount();
            await body.FlushAsync(aborted).ConfigureAwait(false);
            if (isLast)
                return;
            await Task.WhenAny(news, closed.Task).ConfigureAwait(false);
            aborted.ThrowIfCancellationRequested();
        }
    }

    private void Add(ArrayBufferWriter<byte> frame, MonitorEvent one)
    {
        frame.Write(Encoding.ASCII.GetBytes($"id: {_sampler.Ids.Of(one.Number)}\nevent: happened\ndata: "));
        frame.Write(JsonSerializer.SerializeToUtf8Bytes(DocumentBuilder.Event(one), MonitorJson.Default.EventDocument));
        frame.Write("\n\n"u8);
    }
}
