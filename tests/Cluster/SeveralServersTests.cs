using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Jobs of several servers, in processes.</summary>
[Collection(Alone.Name)]
public sealed class SeveralServersTests
{
    private const string Second = "--shard 1/2";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("async", 2)]
    [InlineData("bsp", 3)]
    [InlineData("auto", 5)]
    public void Training_with_servers_ends_at_the_optimum_and_all_end(string policy, int servers)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--policy", policy, "--servers", $"{servers}", "--time-limit", "2");
        Dictionary<int, string> children = [];
        train.Until(() => (children = train.Children()).Count == DyingProcesses.Workers + servers, "all processes were there");
        Assert.True(train.ExitCode() == 0, train.Errors);
        DyingProcesses.AreGone(children);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        double best = DyingProcesses.Optimum(data);
        Assert.InRange((summary.RootElement.GetProperty("objective").GetDouble() - best) / best, -1e-6, 1e-5);
        Assert.Equal(40, summary.RootElement.GetProperty("parameters").GetInt32()); // weights and gradients
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        long payload = summary.RootElement.GetProperty("uplink_payload_bytes").GetInt64();
        Assert.True(payload >= 160 * summary.RootElement.GetProperty("pushes").GetInt64() * 9 / 10, $"{payload} bytes of payload: those of all servers are to be counted");
        using RunningProgram evaluate = RunningProgram.Run(Published.Launcher, folder.Path, "evaluate", "--model", "run", "--data", data);
        Assert.True(evaluate.ExitCode() == 0, evaluate.Errors);
    }

    [Fact]
    public void Recommender_with_two_servers_is_that_of_one()
    {
        using var folder = new TempFolder();
        using RunningProgram generate = RunningProgram.Run(Published.Launcher, folder.Path, "generate", "ratings", "--ratings", "20000", "--out", "r.csv");
        Assert.True(generate.ExitCode() == 0, generate.Errors);
        double[] errors = new double[2];
        for (int servers = 1; servers <= 2; servers++)
        {
            using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "mf", "--data", "r.csv", "--workers", "3", "--rank", "8", "--policy", "bsp",
                "--servers", $"{servers}", "--passes", "20", "--holdout", "0.1", "--out", $"run{servers}", "--json");
            Assert.True(train.ExitCode() == 0, train.Errors);
            using JsonDocument summary = JsonDocument.Parse(train.Output);
            errors[servers - 1] = summary.RootElement.GetProperty("test_rmse").GetDouble();
            using RunningProgram recommend = RunningProgram.Run(Published.Launcher, folder.Path, "recommend", "--model", $"run{servers}", "--user", "1");
            Assert.True(recommend.ExitCode() == 0, recommend.Errors);
        }

        Assert.Equal(errors[0], errors[1], 0.02 * errors[0]); // evaluations, and so the last pass, fall elsewhere
    }

    [Theory]
    [InlineData("async")]
    [InlineData("bsp")]
    public void Second_server_killed_is_started_again_and_the_optimum_is_reached(string policy)
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram train = DyingProcesses.Train(folder, data, "--policy", policy, "--servers", "2", "--restart", "on-failure:2", "--time-limit", "5");
        DyingProcesses.UntilItTrains(train);
        int victim = DyingProcesses.Find(train, Second);
        RunningProgram.Signal(victim, DyingProcesses.Kill);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains($"server 1 (pid {victim}) was killed by signal 9 (SIGKILL): it is started again in 0.", train.Errors, StringComparison.Ordinal);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal(1, summary.RootElement.GetProperty("server_restarts").GetInt32());
        double best = DyingProcesses.Optimum(data);
        Assert.InRange((summary.RootElement.GetProperty("objective").GetDouble() - best) / best, -1e-6, 1e-5);
        Assert.False(Directory.Exists(folder.In("run/state")));
    }

    [Theory]
    [InlineData(Second, "server 1")]
    [InlineData("--shard 0/2", "server")]
    public void Server_killed_for_good_is_named_and_none_is_left(string which, string name)
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--servers", "2", "--time-limit", "50");
        DyingProcesses.UntilItTrains(train);
        Dictionary<int, string> children = train.Children();
        int victim = DyingProcesses.Find(train, which);
        RunningProgram.Signal(victim, DyingProcesses.Kill);
        Assert.Equal(4, train.ExitCode(Soon));
        Assert.Contains($"{name} (pid {victim}) was killed by signal 9 (SIGKILL)", train.Errors, StringComparison.Ordinal);
        DyingProcesses.AreGone(children);
    }

    [Fact]
    public void Worker_lost_is_gone_without_at_all_servers()
    {
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--servers", "2", "--on-worker-loss", "evict", "--time-limit", "4");
        DyingProcesses.UntilItTrains(train);
        RunningProgram.Signal(DyingProcesses.Find(train, DyingProcesses.Worker1), DyingProcesses.Kill);
        Assert.True(train.ExitCode() == 0, train.Errors);
        Assert.Contains("the others go on, without what it contributed", train.Errors, StringComparison.Ordinal);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
    }

    [Fact]
    public void Interrupt_saves_the_whole_model()
    {
        Assert.SkipWhen(TrainEndTests.InterruptIsIgnored(), "SIGINT is ignored here, as in the background of a script: programs inherit that");
        using var folder = new TempFolder();
        using RunningProgram train = DyingProcesses.Train(folder, folder.Data(), "--servers", "3", "--time-limit", "50");
        DyingProcesses.UntilItTrains(train);
        Dictionary<int, string> children = train.Children();
        train.Signal(2);
        Assert.True(train.ExitCode(Soon) == 0, train.Errors);
        DyingProcesses.AreGone(children);
        using JsonDocument summary = JsonDocument.Parse(train.Output);
        Assert.Equal("stopped", summary.RootElement.GetProperty("reason").GetString());
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
    }

    [Fact]
    public void Servers_in_another_order_or_number_are_refused_and_named()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram first = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--shard", "0/2", "--passes", "20", "--out", "run");
        using RunningProgram second = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--shard", "1/2");
        string a = Address(first), b = Address(second);
        Refused(4, "it has shard 1/2", $"{b},{a}");
        Refused(4, "was given it as the only one", a);
        Refused(4, "shard 0/3", $"{a},{b},{b}");
        Refused(2, "is no address", $"{a},,{b}");
        using RunningProgram worker = RunningProgram.Run(Published.Worker, folder.Path, "logreg", "--server", $"{a},{b}", "--data", data);
        Assert.True(worker.ExitCode() == 0, worker.Errors);
        Assert.True(first.ExitCode() == 0, first.Errors);
        Assert.True(second.ExitCode() == 0, second.Errors);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);

        void Refused(int code, string says, string servers)
        {
            using RunningProgram refused = RunningProgram.Run(Published.Worker, folder.Path, "logreg", "--server", servers, "--data", data, "--connect-timeout", "5");
            Assert.Equal(code, refused.ExitCode());
            Assert.Contains(says, refused.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Fewer_rows_than_servers_are_refused()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.In("two.svm"), "+1 1:1\n-1 2:1\n+1 1:2\n");
        using RunningProgram train = RunningProgram.Run(Published.Launcher, folder.Path, "train", "logreg", "--data", "two.svm", "--workers", "1", "--servers", "5", "--passes", "5", "--out", "run");
        Assert.Equal(4, train.ExitCode());
        Assert.Contains("cannot be cut into 5 shards", train.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.In("run")));
    }

    [Fact]
    public void Server_that_stands_still_again_and_again_is_named_and_is_in_time_again()
    {
        const int stop = 19, go = 18;
        using var folder = new TempFolder();
        using RunningProgram first = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--shard", "0/2", "--passes", "1e7");
        using RunningProgram second = RunningProgram.Start(Published.Server, folder.Path, "--listen", "127.0.0.1:0", "--shard", "1/2");
        string servers = $"{Address(first)},{Address(second)}";
        using RunningProgram worker = RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--server", servers, "--data", folder.Data());
        first.Until(() => first.Errors.Contains("training begins", StringComparison.Ordinal), "it trains");
        first.Until(() =>
        {
            second.Signal(stop);
            Thread.Sleep(600);
            second.Signal(go);
            return first.Errors.Contains("server 1/2 is late: ", StringComparison.Ordinal);
        }, "it is named");
        Assert.DoesNotContain("server 0/2 is late", first.Errors, StringComparison.Ordinal);
        first.Until(() => first.Errors.Contains("server 1/2 is in time again", StringComparison.Ordinal), "it is in time again");
        Assert.DoesNotContain("is late", second.Errors, StringComparison.Ordinal); // only the first one's workers say so
    }

    [Fact]
    public void Workers_find_all_servers_by_the_folder()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram worker = RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--rendezvous", "meet", "--job", "a", "--data", data, "--part", "0/1");
        using RunningProgram first = RunningProgram.Start(Published.Server, folder.Path, "--rendezvous", "meet", "--job", "a", "--listen", "127.0.0.1:0", "--shard", "0/2", "--passes", "20", "--out", "run");
        using RunningProgram second = RunningProgram.Start(Published.Server, folder.Path, "--rendezvous", "meet", "--job", "a", "--listen", "127.0.0.1:0", "--shard", "1/2");
        Assert.True(worker.ExitCode() == 0, worker.Errors);
        Assert.True(first.ExitCode() == 0, first.Errors);
        Assert.True(second.ExitCode() == 0, second.Errors);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        Assert.Empty(Directory.GetFiles(folder.In("meet")));
    }

    private static string Address(RunningProgram server)
    {
        string? address = null;
        server.Until(() => (address = Listening(server.Errors)) is not null, "it listened");
        return address!;
    }

    internal static string? Listening(string errors)
    {
        const string Says = "listening at ";
        int at = errors.IndexOf(Says, StringComparison.Ordinal), end = at < 0 ? -1 : errors.IndexOf(' ', at + Says.Length);
        return end < 0 ? null : errors[(at + Says.Length)..end];
    }
}
