using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.ServerProgram.Alerts;
using Xunit;

namespace HpAsyncPs.Tests.Alerts;

/// <summary>Requests to a listener of the test's own, which answers what it is told to.</summary>
public sealed class AlertWebhookTests
{
    private static readonly AlertOrigin Origin = new("127.0.0.1:7070", "node0", 42);
    private static readonly Alert Gone = new(AlertKind.Gone, new MonitorEvent(7, DateTimeOffset.UnixEpoch, 1.5, MonitorEventKind.State, 3, WorkerState.Computing, WorkerState.Gone, "reset"), 0, 0);

    [Fact]
    public void Alert_is_posted_as_json()
    {
        using var listener = new Answering("HTTP/1.1 204 No Content\r\n\r\n");
        Assert.Null(Tell(listener, 30));
        string request = Assert.Single(listener.Requests);
        Assert.StartsWith("POST /hook?secret HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/json\r\n", request, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        Assert.Equal("gone", json.RootElement.GetProperty("alert").GetString());
    }

    [Fact]
    public void Answer_500_is_tried_once_more()
    {
        using var listener = new Answering("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Assert.Equal("answered 500", Tell(listener, 30));
        Assert.Equal(2, listener.Requests.Count);
        using var better = new Answering("HTTP/1.1 503 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Assert.Null(Tell(better, 30));
        Assert.Equal(2, better.Requests.Count);
    }

    [Fact]
    public void Redirects_are_not_followed_and_what_is_wrong_is_not_tried_again()
    {
        using var listener = new Answering("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/other?secret\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Assert.Equal("answered 302 to http://127.0.0.1:1; redirects are not followed: give the address that it leads to", Tell(listener, 30));
        Assert.Single(listener.Requests);
        using var refusing = new Answering("HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Assert.Equal("answered 404", Tell(refusing, 30));
        Assert.Single(refusing.Requests);
    }

    /// <summary>What is in an answer is somebody else's: whatever it is, it is a reason, and no exception.</summary>
    [Theory]
    [InlineData("//[")]
    [InlineData("//:80/")]
    [InlineData("//a b/")]
    [InlineData("http://")]
    [InlineData("///")]
    [InlineData("//host:99999/")]
    [InlineData("mailto:root")]
    public void Redirect_to_what_is_no_address_is_a_reason(string location)
    {
        using var listener = new Answering($"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("answered 302", Tell(listener, 30), StringComparison.Ordinal);
    }

    [Fact]
    public void Listener_that_hangs_or_is_not_there_takes_a_bounded_time()
    {
        using var listener = new Answering("");
        Assert.Equal("did not answer within 0.5 s", Tell(listener, 0.5));
        Assert.Equal(2, listener.Requests.Count);
        int port = listener.Port;
        listener.Dispose();
        using var webhook = new AlertWebhook(new Uri($"http://127.0.0.1:{port}/"), TimeSpan.FromSeconds(30));
        Assert.StartsWith("cannot be reached: ", webhook.Tell(Gone, AlertJson.Of(Gone, Origin), Origin, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public void Request_under_way_ends_when_it_is_stopped()
    {
        using var listener = new Answering("");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(0.3));
        using var webhook = new AlertWebhook(new Uri($"http://127.0.0.1:{listener.Port}/"), TimeSpan.FromSeconds(1000));
        Assert.StartsWith("did not answer within the 10 s", webhook.Tell(Gone, AlertJson.Of(Gone, Origin), Origin, stop.Token), StringComparison.Ordinal);
    }

    [Fact]
    public void Answer_without_end_is_not_read()
    {
        using var listener = new Answering("HTTP/1.1 200 OK\r\n\r\n", isEndless: true);
        Assert.Null(Tell(listener, 60));
    }

    private static string? Tell(Answering listener, double seconds)
    {
        using var webhook = new AlertWebhook(new Uri($"http://127.0.0.1:{listener.Port}/hook?secret"), TimeSpan.FromSeconds(seconds));
        return webhook.Tell(Gone, AlertJson.Of(Gone, Origin), Origin, TestContext.Current.CancellationToken);
    }

    /// <summary>Answers each connection with the next of its answers, the last again and again; an empty one is none.</summary>
    private sealed class Answering : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly string[] _answers;
        private readonly bool _isEndless;
        private readonly List<string> _requests = [];
        private readonly List<Socket> _held = [];

        public Answering(params string[] answers)
            : this(answers, false)
        {
        }

        public Answering(string answer, bool isEndless)
            : this([answer], isEndless)
        {
        }

        private Answering(string[] answers, bool isEndless)
        {
            (_answers, _isEndless) = (answers, isEndless);
            _listener.Start();
            new Thread(Serve) { IsBackground = true }.Start();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public IReadOnlyList<string> Requests
        {
            get
            {
                lock (_requests)
                    return [.. _requests];
            }
        }

        public void Dispose()
        {
            if (_listener.Server.IsBound)
                _listener.Dispose();
            lock (_requests)
                _held.ForEach(static one => one.Dispose());
        }

        private void Serve()
        {
            try
            {
                for (int j = 0; ; j++)
                {
                    Socket socket = _listener.AcceptSocket();
                    string request = Read(socket), answer = _answers[Math.Min(j, _answers.Length - 1)];
                    lock (_requests)
                    {
                        _requests.Add(request);
                        _held.Add(socket);
                    }

                    if (answer.Length == 0)
                        continue;
                    socket.Send(Encoding.ASCII.GetBytes(answer));
                    while (_isEndless)
                        socket.Send(new byte[4096]);
                    socket.Shutdown(SocketShutdown.Send);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over, or the other end has heard enough.
            }
        }

        private static string Read(Socket socket)
        {
            var text = new StringBuilder();
            byte[] buffer = new byte[4096];
            while (true)
            {
                int length = socket.Receive(buffer);
                text.Append(Encoding.UTF8.GetString(buffer, 0, length));
                string all = text.ToString();
                int body = all.IndexOf("\r\n\r\n", StringComparison.Ordinal), said = all.IndexOf("Content-Length: ", StringComparison.Ordinal);
                if (length == 0 || (body > 0 && said > 0 && all.Length - body - 4 >= int.Parse(all[(said + 16)..all.IndexOf('\r', said)])))
                    return all;
            }
        }
    }
}
