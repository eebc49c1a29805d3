using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Tokens and certificates at several servers: each has a door of its own.</summary>
[Collection(Alone.Name)]
public sealed partial class SecureServersTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();
    private readonly string _data;

    public SecureServersTests() => _data = _folder.Data();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Workers_train_with_what_both_servers_want(bool token, bool tls)
    {
        using var authority = new Certificates(_folder);
        List<string>[] atServers = [[], []];
        List<string> atWorker = [];
        if (token)
        {
            string secret = Token("token", "correct horse battery staple");
            Array.ForEach(atServers, server => server.AddRange(["--token-file", secret]));
            atWorker.AddRange(["--token-file", secret]);
        }

        if (tls)
        {
            for (int shard = 0; shard < 2; shard++)
            {
                (string certificate, string key) = authority.Issue($"server{shard}");
                atServers[shard].AddRange(["--tls-cert", certificate, "--tls-key", key, "--tls-ca", authority.Authority]);
            }

            (string own, string ownKey) = authority.Issue("worker");
            atWorker.AddRange(["--tls-ca", authority.Authority, "--tls-cert", own, "--tls-key", ownKey]);
        }

        string target = DyingProcesses.Optimum(_data).ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        using RunningProgram first = Server(0, ["--target", "1e-4", "--reference", target, "--time-limit", "20", "--out", "run", .. atServers[0]]), second = Server(1, [.. atServers[1]]);
        string addresses = $"{Address(first)},{Address(second)}";
        using RunningProgram one = Worker(addresses, 0, [.. atWorker]), other = Worker(addresses, 1, [.. atWorker]);
        foreach (RunningProgram program in (RunningProgram[])[one, other, first, second])
            Assert.True(program.ExitCode(Soon) == 0, program.Errors);
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(_folder.In("run/summary.json")));
        Assert.Equal("target", summary.RootElement.GetProperty("reason").GetString());
        Assert.InRange(summary.RootElement.GetProperty("relative_gap").GetDouble(), -1e-6, 1e-4);
        Assert.Equal(20, ModelFolder.Read(_folder.In("run")).Weights.Length);
    }

    /// <summary>The first server lets everybody in; what is wrong shows at the second one alone, which has the other token, or the certificate of another authority.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_the_second_server_does_not_take_is_an_error_that_names_it_and_all_end(bool tls)
    {
        using Certificates authority = new(_folder), stranger = new(_folder, "stranger");
        string secret = Token("token", "correct horse battery staple"), another = Token("another", "another horse battery staple");
        string[] Certified(Certificates of, string name) => of.Issue(name) is var (certificate, key) ? ["--tls-cert", certificate, "--tls-key", key] : [];
        string[] atWorker = tls ? ["--tls-ca", authority.Authority] : ["--token-file", secret];
        using RunningProgram first = Server(0, ["--passes", "20", "--out", "run", "--rejoin-timeout", "1", "--liveness-timeout", "3", .. tls ? Certified(authority, "server0") : ["--token-file", secret]]);
        using RunningProgram second = Server(1, ["--join-timeout", "10", .. tls ? Certified(stranger, "server1") : ["--token-file", another]]);
        (string a, string b) = (Address(first), Address(second));
        using RunningProgram one = Worker($"{a},{b}", 0, atWorker), other = Worker($"{a},{b}", 1, atWorker);
        foreach (RunningProgram worker in (RunningProgram[])[one, other])
        {
            Assert.Equal(4, worker.ExitCode(Soon));
            Assert.Contains(b, worker.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain(a, worker.Errors, StringComparison.Ordinal);
            Assert.Contains(tls ? "--tls-ca" : "give --token-file with a copy of the file that the server has", worker.Errors, StringComparison.Ordinal);
        }

        Assert.Equal(4, first.ExitCode(Soon));
        Assert.Contains(b, first.Errors, StringComparison.Ordinal); // the workers say why they leave
        Assert.Equal(4, second.ExitCode(Soon));
        Assert.Contains("missing: rank 0, 1", second.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.In("run/model")));
    }

    private RunningProgram Server(int shard, string[] more) =>
        RunningProgram.Start(Published.Server, _folder.Path, ["--listen", "127.0.0.1:0", "--workers", "2", "--shard", $"{shard}/2", .. more]);

    private RunningProgram Worker(string servers, int rank, string[] more) =>
        RunningProgram.Start(Published.Worker, _folder.Path, ["logreg", "--server", servers, "--data", _data, "--l2", DyingProcesses.L2, "--part", $"{rank}/2", .. more]);

    private static string Address(RunningProgram server)
    {
        server.Until(() => At().IsMatch(server.Errors), "it listened");
        return At().Match(server.Errors).Groups[1].Value;
    }

    private string Token(string name, string secret)
    {
        string path = _folder.In(name);
        File.WriteAllText(path, secret + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    [GeneratedRegex(@"listening at (\S+) for")]
    private static partial Regex At();
}
