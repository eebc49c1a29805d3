using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps watch and hpaps status, with a real server, and with what is no monitoring port.</summary>
[Collection(Alone.Name)]
public sealed class WatchCommandTests
{
    [Fact]
    public void Piped_watch_sees_a_killed_worker_as_gone_and_the_end()
    {
        using var folder = new TempFolder();
        using var job = new WatchedJob(folder, "--on-worker-loss", "keep", "--liveness-timeout", "2", "--time-limit", "12");
        job.UntilItTrains();
        using RunningProgram watch = RunningProgram.Start(Published.Launcher, folder.Path, "watch", job.Monitor, "--interval", "0.3");
        watch.Until(() => watch.Output.Contains("training, ", StringComparison.Ordinal) && watch.Output.Contains("/s), lag p50 ", StringComparison.Ordinal), "a line of the run");

        using RunningProgram status = RunningProgram.Run(Published.Launcher, folder.Path, "status", $"http://{job.Monitor}/");
        Assert.True(status.ExitCode() == 0, status.Errors);
        Assert.StartsWith("training   ", status.Output, StringComparison.Ordinal);
        Assert.Contains("2 of 2 workers have joined", status.Output, StringComparison.Ordinal);
        Assert.Matches(@"\n +1  (computing|idle|evaluating|slow)", status.Output);
        using RunningProgram json = RunningProgram.Run(Published.Launcher, folder.Path, "status", job.Monitor, "--json");
        using JsonDocument document = JsonDocument.Parse(json.Output);
        Assert.Equal("training", document.RootElement.GetProperty("run").GetProperty("phase").GetString());
        Assert.Equal(2, document.RootElement.GetProperty("workers").GetArrayLength());

        job.KillWorker(1);
        watch.Until(() => watch.Output.Contains("worker 1 is gone (was ", StringComparison.Ordinal), "the worker was gone");
        watch.Until(() => watch.Output.Contains(" 2 workers: 1 gone, ", StringComparison.Ordinal) || watch.Output.Contains(" 1 left", StringComparison.Ordinal), "it was counted");
        Assert.True(watch.ExitCode() == 0, watch.Errors);
        Assert.Contains("training ends: time limit", watch.Output, StringComparison.Ordinal);
        Assert.Contains("hpaps: the job has ended", watch.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', watch.Output);
    }

    [Fact]
    public void Job_that_fails_is_exit_code_4()
    {
        using var folder = new TempFolder();
        using var job = new WatchedJob(folder, "--on-worker-loss", "wait", "--liveness-timeout", "2", "--rejoin-timeout", "1");
        job.UntilItTrains();
        using RunningProgram watch = RunningProgram.Start(Published.Launcher, folder.Path, "watch", job.Monitor);
        watch.Until(() => watch.Output.Contains("training, ", StringComparison.Ordinal), "a line of the run");
        job.KillWorker(0);
        Assert.True(watch.ExitCode() == 4, watch.Output + watch.Errors);
        Assert.Contains("the job has failed: ", watch.Errors, StringComparison.Ordinal);
        Assert.Equal(4, job.Server.ExitCode());
    }

    [Fact]
    public void Interrupt_ends_a_watch_well_and_a_server_that_dies_is_looked_for()
    {
        using var folder = new TempFolder();
        using var job = new WatchedJob(folder);
        job.UntilItTrains();
        using RunningProgram watch = RunningProgram.Start(Published.Launcher, folder.Path, "watch", job.Monitor, "--interval", "0.3");
        watch.Until(() => watch.Output.Contains("training, ", StringComparison.Ordinal), "a line of the run");
        using RunningProgram head = RunningProgram.Run("/bin/sh", folder.Path, "-c", "\"$0\" watch \"$1\" --interval 0.3 | head -n 1", Published.Launcher, job.Monitor);
        Assert.Contains("training", head.Output, StringComparison.Ordinal); // it has ended, while the job goes on
        RunningProgram.Signal(job.Server.Id, DyingProcesses.Kill);
        watch.Until(() => watch.Output.Contains("the connection is lost, trying again for 30 s", StringComparison.Ordinal), "it was said");
        watch.Signal(2);
        Assert.True(watch.ExitCode() == 0, watch.Errors);
    }

    [Fact]
    public void Token_is_needed_off_loopback()
    {
        using var folder = new TempFolder();
        string token = folder.In("token"), other = folder.In("other");
        foreach (string file in new[] { token, other })
        {
            File.WriteAllText(file, $"{file} which is long enough");
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        using RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--token-file", token, "--monitor", "0.0.0.0:0");
        server.Until(() => server.Errors.Contains("monitoring at http://", StringComparison.Ordinal), "it listened");
        string errors = server.Errors, port = errors[(errors.LastIndexOf(':', errors.LastIndexOf('/')) + 1)..errors.LastIndexOf('/')];
        using RunningProgram none = RunningProgram.Run(Published.Launcher, folder.Path, "status", $"127.0.0.1:{port}");
        Assert.Equal(4, none.ExitCode());
        Assert.Contains("give --token-file FILE, the same as the server's", none.Errors, StringComparison.Ordinal);
        using RunningProgram wrong = RunningProgram.Run(Published.Launcher, folder.Path, "status", $"127.0.0.1:{port}", "--token-file", other);
        Assert.Contains("the one that was given is another", wrong.Errors, StringComparison.Ordinal);
        using RunningProgram right = RunningProgram.Run(Published.Launcher, folder.Path, "status", $"127.0.0.1:{port}", "--token-file", token);
        Assert.True(right.ExitCode() == 0, right.Errors);
        Assert.StartsWith("joining", right.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_there_is_exit_code_4_and_a_wrong_address_is_usage()
    {
        using var folder = new TempFolder();
        foreach (string command in new[] { "status", "watch" })
        {
            using RunningProgram nobody = RunningProgram.Run(Published.Launcher, folder.Path, command, "127.0.0.1:1");
            Assert.Equal(4, nobody.ExitCode());
            Assert.Contains("nobody answers at 127.0.0.1:1", nobody.Errors, StringComparison.Ordinal);
            Assert.Contains("--monitor", nobody.Errors, StringComparison.Ordinal);
        }

        foreach ((string address, string words) in new[] { ("https://127.0.0.1:9464/", "ssh -L 9464:localhost:9464"), ("node0", "names no port"), ("ftp://node0/", "speaks http"), ("a b", "is no HOST:PORT"), ("--plain", "there is no option '--plain'") })
        {
            using RunningProgram usage = RunningProgram.Run(Published.Launcher, folder.Path, "status", address);
            Assert.True(usage.ExitCode() == 2, $"{address}: {usage.Errors}");
            Assert.Contains(words, usage.Errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "", "does not speak HTTP")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", "", "answers text/html instead of application/json")]
    [InlineData("HTTP/1.1 404 No\r\nContent-Type: text/html\r\n\r\n<html>", "", "answers 404; is that the port of --monitor?")]
    [InlineData("HTTP/1.1 503 No\r\nContent-Type: text/plain\r\n\r\nask \u001b[31mlater\n", "", "answers 503: ask  [31mlater")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\": 1}", "", "JSON that does not tell how a job stands")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\nnull", "", "JSON that does not tell how a job stands")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", "", "lost in the middle of an answer")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", "answers in pieces")]
    [InlineData("HTTP/1.1 200 OK\r\n", "X: y\r\n", "more than 16 KiB of headers")]
    [InlineData("HTTP/1.1 200 OK\r\nX: ", "y", "a line of more than 16 KiB")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", " ", "more than 32 MiB")]
    [InlineData("", "", "closed the connection without an answer")]
    public void Other_answers_are_told_from_a_status(string answer, string again, string words)
    {
        using var folder = new TempFolder();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var thread = new Thread(() =>
        {
            byte[] more = Encoding.ASCII.GetBytes(string.Concat(System.Linq.Enumerable.Repeat(again, 1000)));
            while (Accept(listener) is { } socket)
            {
                try
                {
                    socket.Receive(new byte[4096]);
                    socket.Send(Encoding.ASCII.GetBytes(answer));
                    while (more.Length > 0)
                        socket.Send(more);
                    socket.Shutdown(SocketShutdown.Send);
                    socket.Receive(new byte[1]);
                }
                catch (SocketException)
                {
                    // It has heard enough.
                }

                socket.Dispose();
            }
        });
        thread.Start();
        using RunningProgram status = RunningProgram.Run(Published.Launcher, folder.Path, "status", listener.LocalEndpoint.ToString()!);
        Assert.True(status.ExitCode() == 4, status.Errors);
        Assert.Contains(words, status.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', status.Errors);
        listener.Stop();
        thread.Join();
    }

    private static Socket? Accept(TcpListener listener)
    {
        try
        {
            return listener.AcceptSocket();
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            return null; // the test is over
        }
    }
}
