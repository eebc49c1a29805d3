using System;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using HpAsyncPs.Monitoring;
using HpAsyncPs.Monitoring.Documents;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Monitoring;

/// <summary>The monitoring port: what it answers, and whom it does not.</summary>
public sealed class MonitorPortTests
{
    private static readonly Token Secret = new("0123456789abcdef0123456789abcdef"u8);

    [Fact]
    public async Task Status_says_what_the_server_has_applied_and_ready_when_all_have_joined()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false });
        await using MonitoredServer monitored = await MonitoredServer.Of(server.Host);
        StatusDocument before = await monitored.Until(static one => one.Run.Phase == "joining", "the first status");
        Assert.Equal((0, 2, 2), (before.Run.Joined, before.Run.Workers, before.Run.States["joining"]));
        Assert.Null(before.Workers[0].LagVersions);
        Assert.Contains("0 of 2 workers have joined", await Refusal(monitored, "readyz", HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        WorkerClient[] workers = await Task.WhenAll(Task.Run(() => server.Connect(100, rank: 0)), Task.Run(() => server.Connect(100, rank: 1))); // each waits for the other
        using (WorkerClient first = workers[0], second = workers[1])
        {
            float[] x = new float[100];
            for (int push = 0; push < 30; push++)
            {
                first.Push(x);
                first.Pull();
                first.Wait();
            }

            StatusDocument now = await monitored.Until(static one => one.Workers[0].Pushes == 30, "30 pushes");
            Assert.Equal(("training", 30ul, 0ul), (now.Run.Phase, now.Run.Pushes, now.Workers[1].Pushes));
            Assert.True(now.Workers[0].UplinkPayloadBytes >= 30 * 400, $"{now.Workers[0].UplinkPayloadBytes}");
            Assert.Equal(now.Run.UplinkPayloadBytes, now.Workers[0].UplinkPayloadBytes + now.Workers[1].UplinkPayloadBytes);
            Assert.NotNull(now.Workers[0].PushSeconds);
            Assert.Contains("\"ok\"", await monitored.Text("readyz"), StringComparison.Ordinal);
            Assert.Contains("\"ok\"", await monitored.Text("healthz"), StringComparison.Ordinal);
        }

        Assert.NotNull(server.WaitForEnd());
    }

    [Fact]
    public async Task Not_healthy_when_the_thread_of_the_shard_has_no_turn_and_not_ready_when_a_worker_is_gone()
    {
        var job = new SimulatedJob(3) { Gone = 1 };
        await using MonitoredServer monitored = await MonitoredServer.Of(job);
        await monitored.Until(static one => one.Workers[1].State == "gone", "gone");
        Assert.Contains("1 of 3 workers are gone, rank 1 among them: Connection reset by peer", await Refusal(monitored, "readyz", HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        job.SinceTick = TimeSpan.FromSeconds(7);
        Assert.Contains("has had no turn for 7.0 s", await Refusal(monitored, "healthz", HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "status", HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "", HttpStatusCode.MethodNotAllowed)]
    [InlineData("PUT", "metrics", HttpStatusCode.MethodNotAllowed)]
    [InlineData("OPTIONS", "events", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "nothing", HttpStatusCode.NotFound)]
    [InlineData("GET", "happened?after=x", HttpStatusCode.BadRequest)]
    [InlineData("GET", "happened?after=9223372036854775807", HttpStatusCode.OK)]
    [InlineData("HEAD", "status", HttpStatusCode.OK)]
    [InlineData("HEAD", "", HttpStatusCode.OK)]
    [InlineData("HEAD", "metrics", HttpStatusCode.OK)]
    [InlineData("HEAD", "events", HttpStatusCode.OK)]
    public async Task Answers_who_reads_and_nobody_else(string method, string path, HttpStatusCode code)
    {
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2));
        await monitored.Until(static _ => true, "a status");
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        using HttpResponseMessage answer = await monitored.Client.SendAsync(request);
        Assert.Equal(code, answer.StatusCode);
        Assert.Equal("nosniff", string.Join(',', answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", string.Join(',', answer.Headers.GetValues("Referrer-Policy")));
        Assert.StartsWith("default-src 'none'", string.Join(',', answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.False(answer.Headers.Contains("Server"));
        if (method == "HEAD")
            Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    /// <summary>A page of somebody else, whose name was made to mean 127.0.0.1, in a browser of this host.</summary>
    [Theory]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("127.0.0.1.evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("10.0.0.1", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost:1234", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("[::1]:80", HttpStatusCode.OK)]
    public async Task On_loopback_the_host_must_be_this_one(string host, HttpStatusCode code)
    {
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2));
        await monitored.Until(static _ => true, "a status");
        monitored.Client.DefaultRequestHeaders.Host = host;
        using HttpResponseMessage answer = await monitored.Client.GetAsync(new Uri("status", UriKind.Relative));
        Assert.Equal(code, answer.StatusCode);
    }

    [Fact]
    public async Task Off_loopback_it_asks_for_the_key_and_not_for_the_token()
    {
        var options = new MonitorOptions { Address = "0.0.0.0:0", Token = Secret, Version = "1" };
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2), options);
        var address = new Uri(monitored.Address.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal));
        using var client = new HttpClient { BaseAddress = address };
        foreach (string path in (string[])["status", "", "metrics", "events", "healthz", "nothing"])
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("Basic", answer.Headers.WwwAuthenticate.ToString().Split(' ')[0]);
        }

        string key = Secret.MonitorKey();
        Assert.Equal(HttpStatusCode.OK, await Code("Bearer", key));
        Assert.Equal(HttpStatusCode.OK, await Code("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("anybody:" + key))));
        Assert.Equal(HttpStatusCode.Unauthorized, await Code("Bearer", "0123456789abcdef0123456789abcdef"));
        Assert.Equal(HttpStatusCode.Unauthorized, await Code("Bearer", key[..63]));
        Assert.Equal(HttpStatusCode.Unauthorized, await Code("Basic", "%%%"));

        async Task<HttpStatusCode> Code(string scheme, string shown)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "healthz");
            request.Headers.Authorization = new AuthenticationHeaderValue(scheme, shown);
            using HttpResponseMessage answer = await client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    /// <summary>What the documents tell operators to type: printf 'HpAsyncPs monitor' | openssl dgst -sha256 -hmac "$(cat token)" -r.</summary>
    [Fact]
    public void Key_is_what_openssl_says() => Assert.Equal("0cf3c8d49b974de24030656e5e45f533452100b32bedab7ac931d02ef295c890", Secret.MonitorKey());

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    [InlineData("unix:/tmp/x")]
    public void Off_loopback_without_a_token_it_is_refused(string address)
    {
        InputException refused = Assert.Throws<InputException>(() => MonitorPort.Check(new MonitorOptions { Address = address, Version = "1" }));
        Assert.Contains(address.StartsWith("unix", StringComparison.Ordinal) ? "HOST:PORT" : "--token-file", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Port_that_is_taken_is_said()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string address = taken.LocalEndpoint.ToString()!;
        InputException refused = await Assert.ThrowsAsync<InputException>(() => MonitoredServer.Of(new SimulatedJob(1), new MonitorOptions { Address = address, Version = "1" }));
        Assert.Contains($"--monitor {address}: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("port 0", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_headers_and_bodies_are_refused_and_connections_are_limited()
    {
        var options = new MonitorOptions { Address = "127.0.0.1:0", Version = "1", MostConnections = 4 };
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2), options);
        var address = new Uri(monitored.Address);
        Assert.StartsWith("HTTP/1.1 431", await Raw(address, $"GET /status HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 20_000)}\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414", await Raw(address, $"GET /{new string('x', 5_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 405", await Raw(address, "POST /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"), StringComparison.Ordinal);
        var idle = new Socket[4];
        for (int j = 0; j < idle.Length; j++)
        {
            idle[j] = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await idle[j].ConnectAsync(address.Host, address.Port);
        }

        string answer = "not refused";
        for (int attempt = 0; attempt < 100 && answer.Length > 0; attempt++) // the last of them may not be counted yet
            answer = await Raw(address, "GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.Equal("", answer);
        foreach (Socket socket in idle)
            socket.Dispose();
    }

    /// <summary>Somebody asks for much and does not take it: who scrapes beside them gets the newest second, at once.</summary>
    [Fact]
    public async Task Slow_reader_of_metrics_keeps_nobody_from_newer_ones()
    {
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(4096));
        await monitored.Until(static _ => true, "a status");
        var address = new Uri(monitored.Address);
        using var slow = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(address.Host, address.Port);
        await slow.SendAsync(Encoding.ASCII.GetBytes("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        await slow.ReceiveAsync(new byte[16]); // it is being answered
        long from = (await monitored.Status()).Number;
        for (int j = 0; j < 2; j++)
        {
            StatusDocument status = await monitored.Until(one => one.Number > from, "another second");
            from = status.Number;
            Assert.True(MetricsTests.Parse(await monitored.Text("metrics"))["hpaps_pushes_total{shard=0}"] >= status.Run.Pushes, "metrics of a second that is over");
        }
    }

    /// <summary>As many connections as there may be, on which nothing is asked for, or nothing that is let in: they end, and make room.</summary>
    [Fact]
    public async Task Connections_without_a_request_end_soon()
    {
        var options = new MonitorOptions { Address = "127.0.0.1:0", Version = "1", MostConnections = 2, RequestTime = TimeSpan.FromSeconds(1) };
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(2), options);
        var address = new Uri(monitored.Address);
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync(address.Host, address.Port);
        using var stranger = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await stranger.ConnectAsync(address.Host, address.Port);
        await stranger.SendAsync(Encoding.ASCII.GetBytes("GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
        string answer = "";
        for (int attempt = 0; attempt < 200 && answer.Length == 0; attempt++)
        {
            await Task.Delay(50);
            answer = await Raw(address, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        }

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.True(silent.Poll(10_000_000, SelectMode.SelectRead) && IsOver(silent));
        for (bool isOver = false; !isOver;) // what it was answered, and then the end
            isOver = stranger.Poll(10_000_000, SelectMode.SelectRead) ? IsOver(stranger) : throw new TimeoutException();

        static bool IsOver(Socket socket)
        {
            try
            {
                return socket.Receive(new byte[4096]) == 0;
            }
            catch (SocketException)
            {
                return true;
            }
        }
    }

    /// <summary>An answer that is hardly taken would be held in memory, each of another second: it ends.</summary>
    [Fact]
    public async Task Answer_that_is_not_taken_in_time_ends()
    {
        var options = new MonitorOptions { Address = "127.0.0.1:0", Version = "1", AnswerTime = TimeSpan.FromSeconds(1) };
        await using MonitoredServer monitored = await MonitoredServer.Of(new SimulatedJob(4096), options);
        await monitored.Until(static _ => true, "a status");
        var address = new Uri(monitored.Address);
        using var slow = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(address.Host, address.Port);
        await slow.SendAsync(Encoding.ASCII.GetBytes("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        slow.ReceiveTimeout = 10_000;
        byte[] some = new byte[65536];
        long taken = 0;
        try
        {
            taken += await slow.ReceiveAsync(some.AsMemory(0, 16)); // on a busy machine the end can be here before it
            long from = (await monitored.Status()).Number;
            await monitored.Until(one => one.Number > from + 3, "three seconds");
            for (int length; (length = slow.Receive(some)) > 0;)
                taken += length;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // That is an end as well.
        }

        Assert.InRange(taken, 0, Encoding.UTF8.GetByteCount(await monitored.Text("metrics")) / 2);
    }

    [Fact]
    public async Task Happened_has_the_events_after_a_number()
    {
        var job = new SimulatedJob(2);
        for (int j = 0; j < 3; j++)
            job.Add(MonitorEventKind.State, j % 2, $"reason {j}");
        await using MonitoredServer monitored = await MonitoredServer.Of(job);
        EventsDocument all = JsonSerializer.Deserialize(await monitored.Text("happened"), MonitorJson.Default.EventsDocument)!;
        Assert.Equal((3, 3), (all.Last, all.Events.Count));
        Assert.Equal((1, "state", 0, "computing", "gone", "reason 0"), (all.Events[0].Number, all.Events[0].Kind, all.Events[0].Rank, all.Events[0].From, all.Events[0].To, all.Events[0].Reason));
        EventsDocument rest = JsonSerializer.Deserialize(await monitored.Text("happened?after=2"), MonitorJson.Default.EventsDocument)!;
        Assert.Equal(3, Assert.Single(rest.Events).Number);
    }

    private static async Task<string> Refusal(MonitoredServer monitored, string path, HttpStatusCode code)
    {
        using HttpResponseMessage answer = await monitored.Client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(code, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<string> Raw(Uri address, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        NetworkStream stream = client.GetStream();
        stream.ReadTimeout = 10_000;
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
            byte[] answer = new byte[4096];
            int length = await stream.ReadAsync(answer);
            return Encoding.ASCII.GetString(answer, 0, length);
        }
        catch (System.IO.IOException)
        {
            return "";
        }
    }
}
