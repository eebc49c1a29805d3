using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Worker;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>GET /events: what comes, in which order, from where on; and what it costs.</summary>
[Collection(Alone.Name)]
public sealed class EventStreamTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Seconds_and_events_come_and_a_reader_goes_on_where_it_was()
    {
        var job = new SimulatedJob(3);
        for (int j = 1; j <= 5; j++)
            job.Add(MonitorEventKind.Membership, 0, $"event {j}");
        await using MonitoredServer monitored = await MonitoredServer.Of(job);
        await monitored.Until(static _ => true, "a status");
        using var first = await Reader.Open(monitored, null);
        for (int j = 1; j <= 5; j++)
            Assert.Equal(("happened", $"event {j}"), await first.Next());
        (string kind, string data) = await first.Next();
        Assert.Equal("status", kind);
        TickDocument tick = JsonSerializer.Deserialize(data, MonitorJson.Default.TickDocument)!;
        Assert.Equal((3, 3, "training"), (tick.States.Length, tick.Pushes.Count, tick.Run.Phase));
        job.Add(MonitorEventKind.Phase, null, "event 6");
        string seen;
        do
            (kind, seen) = await first.Next();
        while (kind == "status");
        Assert.Equal("event 6", seen);

        using var again = await Reader.Open(monitored, "4");
        Assert.Equal(("happened", "event 5"), await again.Next());
        using var other = await Reader.Open(monitored, "999"); // of a server before this one
        Assert.Equal(("happened", "event 1"), await other.Next());
    }

    [Fact]
    public async Task End_of_the_job_is_said_with_the_last_second()
    {
        MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(3));
        await monitored.Until(static _ => true, "a status");
        using var reader = await Reader.Open(monitored, null);
        Assert.Equal("status", (await reader.Next()).Kind);
        Task ending = monitored.DisposeAsync().AsTask();
        string kind;
        do
            (kind, _) = await reader.Next();
        while (kind == "status");
        Assert.Equal("ended", kind);
        await ending;
    }

    [Fact]
    public async Task More_pages_than_the_most_are_refused_and_one_that_closes_makes_room()
    {
        var options = new MonitorOptions { Address = "127.0.0.1:0", Version = "1", MostStreams = 2 };
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(1), options);
        using var first = await Reader.Open(monitored, null);
        using (await Reader.Open(monitored, null))
        {
            using HttpResponseMessage refused = await monitored.Client.GetAsync(new Uri("events", UriKind.Relative));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }

        for (int attempt = 0; attempt < 100; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "events");
            using HttpResponseMessage answer = await monitored.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            if (answer.StatusCode == HttpStatusCode.OK)
                return;
            await Task.Delay(50);
        }

        Assert.Fail("there is still no room");
    }

    /// <summary>Numbers of events begin anew with a server: a reader of the one before goes on with all events of this one, though it has as many.</summary>
    [Fact]
    public async Task Reader_of_a_server_before_this_one_misses_nothing()
    {
        string last;
        var before = new SimulatedJob(1);
        for (int j = 1; j <= 5; j++)
            before.Add(MonitorEventKind.Membership, 0, $"before {j}");
        await using (MonitoredServer monitored = await MonitoredServer.Of(before))
        {
            using var reader = await Reader.Open(monitored, null);
            for (int j = 1; j <= 5; j++)
                Assert.Equal(("happened", $"before {j}"), await reader.Next());
            last = reader.LastId!;
            using var same = await Reader.Open(monitored, last);
            Assert.Equal("status", (await same.Next()).Kind); // it has all of them
        }

        var job = new SimulatedJob(1);
        for (int j = 1; j <= 9; j++)
            job.Add(MonitorEventKind.Membership, 0, $"after {j}");
        await using MonitoredServer anew = await MonitoredServer.Of(job);
        using var again = await Reader.Open(anew, last);
        Assert.Equal(("happened", "after 1"), await again.Next());
        EventsDocument happened = JsonSerializer.Deserialize(await anew.Text($"happened?after={last}"), MonitorJson.Default.EventsDocument)!;
        Assert.Equal("after 1", happened.Events[0].Reason);
    }

    /// <summary>A reader that takes nothing for some minutes of a large job: what it has missed is not kept for it beyond what the system's sockets hold, and others are served.</summary>
    [Fact]
    public async Task Slow_reader_gets_fewer_seconds_and_holds_nobody_up()
    {
        const int Seconds = 200; // 15 MB; sockets of Linux hold 4 MiB, and 6 at the other end
        var time = new FakeTimeProvider();
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(4096), time: time);
        var address = new Uri(monitored.Address);
        using var slow = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(address.Host, address.Port);
        await slow.SendAsync(Encoding.ASCII.GetBytes("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        using var reader = await Reader.Open(monitored, null);
        long newest = 0;
        int bytes = 0;
        for (int j = 0; j < Seconds; j++)
        {
            Task<(string Kind, string Data)> next = reader.Next();
            for (; !next.IsCompleted; await Task.Delay(1))
                time.Advance(TimeSpan.FromMilliseconds(100));
            string data = (await next).Data;
            newest = JsonSerializer.Deserialize(data, MonitorJson.Default.TickDocument)!.Number;
            bytes += data.Length;
        }

        int seen = 0;
        long first = 0, number = 0;
        slow.ReceiveBufferSize = 1 << 20;
        using var lines = new StreamReader(new NetworkStream(slow));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (number < newest)
        {
            string line = await lines.ReadLineAsync(limit.Token) ?? throw new EndOfStreamException();
            const string Begin = "{\"number\":"; // a chunk of its own
            if (!line.StartsWith(Begin, StringComparison.Ordinal))
                continue;
            number = long.Parse(line[Begin.Length..line.IndexOf(',', StringComparison.Ordinal)], CultureInfo.InvariantCulture);
            first = seen++ == 0 ? number : first;
        }

        output.WriteLine($"it got {seen} of the seconds from {first} to {number}, which were {bytes} bytes");
        Assert.True(seen <= 0.75 * (number - first), $"{seen} seconds from {first} to {number}");
    }

    /// <summary>A second of 1000 workers, with three pages open.</summary>
    [Fact]
    public async Task Thousand_workers_come_each_second_and_take_little_of_a_core()
    {
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(1000));
        await monitored.Until(static _ => true, "a status");
        using Reader first = await Reader.Open(monitored, null), second = await Reader.Open(monitored, null), third = await Reader.Open(monitored, null);
        for (int j = 0; j < 3; j++)
        {
            await first.Next();
            await second.Next();
            await third.Next();
        }

        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        const int Seconds = 8;
        long bytes = 0;
        for (int j = 0; j < Seconds; j++)
        {
            bytes = (await first.Next()).Data.Length;
            await second.Next();
            await third.Next();
        }

        double share = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds / watch.Elapsed.TotalSeconds;
        output.WriteLine($"{Seconds} seconds came in {watch.Elapsed.TotalSeconds:0.0} s; {bytes} bytes each; {100 * share:0.0} % of a core, readers and the simulated job included");
        Assert.InRange(bytes, 10_000, 60_000);
    }

    /// <summary>The monitoring port in use, with scrapes and pages: the thread that pushes are applied on allocates nothing.</summary>
    [Fact]
    public async Task Push_path_allocates_nothing_with_scrapes_and_pages()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
        await using MonitoredServer monitored = await MonitoredServer.Of(server.Host);
        await monitored.Until(static _ => true, "a status");
        using Reader first = await Reader.Open(monitored, null), second = await Reader.Open(monitored, null);
        using (WorkerClient worker = server.Connect(1000))
        {
            float[] x = new float[1000];
            for (int scrape = 0; scrape < 20; scrape++)
            {
                for (int push = 0; push < 200; push++)
                {
                    worker.Push(x);
                    worker.Pull();
                    worker.Wait();
                }

                await monitored.Text("metrics");
                if (scrape % 5 == 0)
                    await first.Next(); // so it takes some seconds, however fast the machine is
            }
        }

        server.WaitForEnd();
        Assert.InRange(server.Host.Steady.AllocatedBytes!.Value, 0, 1024); // the runtime's own, now and then
    }

    private sealed class Reader : IDisposable
    {
        private readonly HttpResponseMessage _answer;
        private readonly StreamReader _lines;

        /// <summary>What a browser would ask with when its connection is lost.</summary>
        public string? LastId { get; private set; }

        private Reader(HttpResponseMessage answer, StreamReader lines) => (_answer, _lines) = (answer, lines);

        public static async Task<Reader> Open(MonitoredServer monitored, string? last)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "events");
            if (last is not null)
                request.Headers.Add("Last-Event-ID", last);
            HttpResponseMessage answer = await monitored.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.ToString());
            return new Reader(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
        }

        /// <summary>Kind and data; of what happened, the reason.</summary>
        public async Task<(string Kind, string Data)> Next()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            string kind = "";
            while (true)
            {
                string line = await _lines.ReadLineAsync(limit.Token) ?? throw new EndOfStreamException();
                if (line.StartsWith("id: ", StringComparison.Ordinal))
                    LastId = line[4..];
                if (line.StartsWith("event: ", StringComparison.Ordinal))
                    kind = line[7..];
                else if (line.StartsWith("data: ", StringComparison.Ordinal))
                    return (kind, kind == "happened" ? JsonSerializer.Deserialize(line[6..], MonitorJson.Default.EventDocument)!.Reason : line[6..]);
            }
        }

        public void Dispose()
        {
            _lines.Dispose();
            _answer.Dispose();
        }
    }
}
