using System;
using System.Collections.Generic;
using System.IO;
using System.Text.RegularExpressions;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Tokens and certificates at the native programs.</summary>
[Collection(Alone.Name)]
public sealed partial class SecurityTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    public void Listener_beyond_loopback_wants_a_token(string listen)
    {
        using RunningProgram server = RunningProgram.Start(Published.Server, _folder.Path, "--listen", listen);
        Assert.Equal(3, server.ExitCode(Soon));
        foreach (string wayOut in (string[])["--token-file", "127.0.0.1", "--insecure"])
            Assert.Contains(wayOut, server.Errors, StringComparison.Ordinal);

        foreach (string[] way in (string[][])[["--token-file", Token("token")], ["--insecure"]])
        {
            using RunningProgram open = RunningProgram.Start(Published.Server, _folder.Path, ["--listen", listen, .. way]);
            open.Until(() => Address().IsMatch(open.Errors), "the server listened");
        }
    }

    [Fact]
    public void Certificate_is_no_token()
    {
        using var authority = new Certificates(_folder);
        (string certificate, string key) = authority.Issue("server");
        using RunningProgram server = RunningProgram.Start(Published.Server, _folder.Path, "--listen", "0.0.0.0:0", "--tls-cert", certificate, "--tls-key", key);
        Assert.Equal(3, server.ExitCode(Soon));
        Assert.Contains("--tls-ca", server.Errors, StringComparison.Ordinal);

        using RunningProgram mutual = RunningProgram.Start(Published.Server, _folder.Path, "--listen", "0.0.0.0:0", "--tls-cert", certificate, "--tls-key", key, "--tls-ca", authority.Authority);
        mutual.Until(() => Address().IsMatch(mutual.Errors), "the server listened");
        string at = Address().Match(mutual.Errors).Groups[1].Value.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
        using RunningProgram stranger = RunningProgram.Run(Published.Worker, _folder.Path, "logreg", "--data", _folder.Data(), "--server", at, "--tls-ca", authority.Authority);
        Assert.Equal(4, stranger.ExitCode(Soon));
        Assert.Contains("--tls-ca", stranger.Errors, StringComparison.Ordinal); // in other words where its own end of TLS saw it first
        Assert.Contains("--tls-cert and --tls-key", stranger.Errors, StringComparison.Ordinal);
        Assert.Contains("it showed no certificate; a worker needs --tls-cert and --tls-key", mutual.Errors, StringComparison.Ordinal);

        using RunningProgram plain = RunningProgram.Start(Published.Server, _folder.Path, "--listen", "127.0.0.1:0");
        plain.Until(() => Address().IsMatch(plain.Errors), "the server listened");
        using RunningProgram secret = RunningProgram.Run(Published.Worker, _folder.Path, "logreg", "--data", _folder.Data(), "--server", Address().Match(plain.Errors).Groups[1].Value, "--tls-ca", authority.Authority);
        Assert.Equal(4, secret.ExitCode(Soon));
        Assert.Contains("does not speak TLS: is it started with --tls-cert and --tls-key?", secret.Errors, StringComparison.Ordinal);
        plain.Until(() => plain.Errors.Contains("These bytes are TLS: start this server with --tls-cert", StringComparison.Ordinal), "it said why");
    }

    [Theory]
    [InlineData(2, "need each other", "--tls-cert", "x")]
    [InlineData(2, "needs --tls-cert and --tls-key", "--tls-ca", "x")]
    [InlineData(2, "--max-half-open must be", "--max-half-open", "0")]
    [InlineData(2, "--max-frame must be", "--max-frame", "100000000")]
    [InlineData(3, "leaves no room", "--max-connections", "2", "--workers", "2")]
    [InlineData(3, "are too few", "--max-memory-per-peer", "1048576")]
    [InlineData(3, "cannot be read", "--token-file", "missing")]
    [InlineData(3, "--token-file '/' is a folder: name the file with the token", "--token-file", "/")]
    [InlineData(3, "--state /dev/null: this is a file; name a folder", "--state", "/dev/null")]
    [InlineData(3, "--state /dev/null/x: /dev/null is a file; name a folder", "--state", "/dev/null/x")]
    [InlineData(3, "cannot be read", "--tls-cert", "missing", "--tls-key", "missing")]
    public void Options_that_cannot_be_used_are_explained(int code, string message, params string[] arguments)
    {
        using RunningProgram server = RunningProgram.Start(Published.Server, _folder.Path, ["--listen", "127.0.0.1:0", .. arguments]);
        Assert.Equal(code, server.ExitCode(Soon));
        Assert.Contains(message, server.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", server.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Token_that_others_may_read_is_refused_at_both_ends()
    {
        string token = Token("token");
        File.SetUnixFileMode(token, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        string data = _folder.Data();
        foreach ((string program, string[] arguments) in ((string, string[])[])[(Published.Server, ["--listen", "127.0.0.1:0"]), (Published.Worker, ["logreg", "--data", data])])
        {
            using RunningProgram run = RunningProgram.Start(program, _folder.Path, [.. arguments, "--token-file", token]);
            Assert.Equal(3, run.ExitCode(Soon));
            Assert.Contains($"(mode 0644): chmod 600 '{token}'", run.Errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, true, true)]
    public void Workers_train_with_what_the_server_wants_and_others_do_not_join(bool token, bool tls, bool clients)
    {
        using var authority = new Certificates(_folder);
        string data = _folder.Data();
        List<string> atServer = [], atWorker = [];
        if (token)
        {
            atServer.AddRange(["--token-file", Token("token")]);
            atWorker.AddRange(["--token-file", Token("copy")]);
        }

        if (tls)
        {
            (string certificate, string key) = authority.Issue("server");
            atServer.AddRange(["--tls-cert", certificate, "--tls-key", key]);
            atWorker.AddRange(["--tls-ca", authority.Authority]);
        }

        if (clients)
        {
            (string certificate, string key) = authority.Issue("worker");
            atServer.AddRange(["--tls-ca", authority.Authority]);
            atWorker.AddRange(["--tls-cert", certificate, "--tls-key", key]);
        }

        using RunningProgram server = RunningProgram.Start(Published.Server, _folder.Path, ["--listen", "127.0.0.1:0", "--workers", "2", "--passes", "20", "--out", "run", .. atServer]);
        server.Until(() => Address().IsMatch(server.Errors), "the server listened");
        string address = Address().Match(server.Errors).Groups[1].Value;
        using (RunningProgram stranger = RunningProgram.Start(Published.Worker, _folder.Path, "logreg", "--server", address, "--data", data, "--part", "0/2"))
        {
            Assert.Equal(4, stranger.ExitCode(Soon));
            Assert.Contains(tls ? "it speaks TLS alone: give this worker --tls-ca" : "--token-file", stranger.Errors, StringComparison.Ordinal);
        }

        using RunningProgram first = Worker(0), second = Worker(1);
        foreach (RunningProgram program in (RunningProgram[])[first, second, server])
            Assert.True(program.ExitCode(Soon) == 0, program.Errors);
        Assert.Equal(20, ModelFolder.Read(_folder.In("run")).Weights.Length);

        RunningProgram Worker(int rank) => RunningProgram.Start(Published.Worker, _folder.Path, ["logreg", "--server", address, "--data", data, "--part", $"{rank}/2", .. atWorker]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stress_test_shows_what_a_server_wants(bool tls)
    {
        using var authority = new Certificates(_folder);
        (string certificate, string key) = authority.Issue("server");
        string[] atServer = tls ? ["--tls-cert", certificate, "--tls-key", key] : [], atWorker = tls ? ["--tls-ca", authority.Authority] : [];
        using RunningProgram server = RunningProgram.Start(Published.Server, _folder.Path, ["--listen", "127.0.0.1:0", "--plain", "--policy", "asp:sum", "--token-file", Token("token"), .. atServer]);
        server.Until(() => Address().IsMatch(server.Errors), "the server listened");
        string address = Address().Match(server.Errors).Groups[1].Value;
        using (RunningProgram stranger = RunningProgram.Start(Published.Launcher, _folder.Path, ["stress", "--server", address, "--seconds", "0.1", .. atWorker]))
        {
            Assert.Equal(4, stranger.ExitCode(Soon));
            Assert.Contains("--token-file", stranger.Errors, StringComparison.Ordinal);
        }

        using RunningProgram stress = RunningProgram.Start(Published.Launcher, _folder.Path, ["stress", "--server", address, "--seconds", "0.3", "--verify", "--token-file", Token("copy"), .. atWorker]);
        Assert.True(stress.ExitCode(Soon) == 0, stress.Errors);
        Assert.Equal(0, server.ExitCode(Soon));
    }

    private string Token(string name)
    {
        string path = _folder.In(name);
        if (File.Exists(path))
            return path;
        File.WriteAllText(path, "correct horse battery staple\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    [GeneratedRegex(@"listening at (\S+) for")]
    private static partial Regex Address();
}
