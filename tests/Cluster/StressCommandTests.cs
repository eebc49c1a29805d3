using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps stress, as a user runs it.</summary>
[Collection(Alone.Name)]
public sealed partial class StressCommandTests
{
    private const int Interrupt = 2;
    private const int KillSignal = 9;
    private const int Terminate = 15;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    // One chunk, and two of which the second is short.
    private const int OneChunk = 4096, TwoChunks = 1100 * 1024;

    [Theory]
    [InlineData("push", "sum")]
    [InlineData("pull", "sum")]
    [InlineData("push-pull", "sum")]
    [InlineData("trip", "sum")]
    [InlineData("push", "async")]
    [InlineData("pull", "async")]
    [InlineData("push-pull", "async")]
    [InlineData("trip", "async")]
    public void Every_mode_is_exact_measures_both_sizes_and_allocates_nothing(string mode, string path)
    {
        string transport = path == "sum" ? "tcp" : "unix";
        JsonElement both = Run("--mode", mode, "--path", path, "--transport", transport, "--bytes", "4K,1100K", "--seconds", "0.2");
        Assert.Equal(2, both.GetArrayLength());
        for (int j = 0; j < 2; j++)
        {
            JsonElement one = both[j];
            Assert.Equal((mode, path, j == 0 ? OneChunk : TwoChunks),
                (one.GetProperty("mode").GetString(), one.GetProperty("path").GetString(), one.GetProperty("payload_bytes").GetInt32()));
            Assert.True(one.GetProperty("verified").GetBoolean());
            Assert.Equal(transport, one.GetProperty("transport").GetString());
            CheckFigures(one, bothWays: mode is "push-pull" or "trip");
        }
    }

    [Theory]
    [InlineData("push", "int4", 7.4)]
    [InlineData("push-pull", "int4", 7)]
    [InlineData("pull", "int8", 3.5)]
    [InlineData("push", "topk:0.01:int8", 40)]
    [InlineData("push-pull", "fp32", 1)]
    public void Coded_vectors_are_verified_and_short_and_nothing_is_allocated(string mode, string codec, double times)
    {
        JsonElement one = Run("--mode", mode, "--path", "async", "--codec", codec, "--bytes", "1100K", "--seconds", "0.3", "--workers", "2");
        Assert.Equal(codec, one.GetProperty("codec").GetString());
        Assert.True(one.GetProperty("verified").GetBoolean());
        Assert.InRange(one.GetProperty("coded_bytes").GetDouble(), 1, TwoChunks / times);
        CheckFigures(one, bothWays: mode is "push-pull");
    }

    [Fact]
    public void Idle_connections_are_held_and_the_others_are_exact_beside_them()
    {
        using RunningProgram stress = Start("--idle", "300", "--workers", "2", "--bytes", "4K", "--seconds", "1", "--verify", "--json", "--transport", "unix");
        stress.Until(() => Sockets(stress, "hpaps-server") > 302, "the server had a connection for each"); // and one that listens
        Assert.True(stress.ExitCode() == 0, stress.Errors);
        using JsonDocument printed = JsonDocument.Parse(stress.Output);
        Assert.Equal(300, printed.RootElement.GetProperty("idle_connections").GetInt32());
        Assert.True(printed.RootElement.GetProperty("verified").GetBoolean());
        CheckFigures(printed.RootElement, bothWays: false);
    }

    [Fact]
    public void Idle_connections_raise_the_soft_limit_of_open_files()
    {
        using RunningProgram stress = Shell("ulimit -Sn 128 && exec", "--idle", "150", "--bytes", "4K", "--seconds", "0.05");
        Assert.True(stress.ExitCode(Soon) == 0, stress.Errors);
        using RunningProgram refused = Shell("ulimit -n 128 && exec", "--idle", "150", "--bytes", "4K", "--seconds", "0.05");
        Assert.Equal(4, refused.ExitCode(Soon));
        Assert.Contains("231 connections need 263 open files, and this system allows 128", refused.Errors, StringComparison.Ordinal); // 64 places are for who is not admitted yet, 16 for who waits for one
    }

    [Theory]
    [InlineData("sum")]
    [InlineData("async")]
    public void Three_workers_are_summed_up(string path)
    {
        JsonElement one = Run("--workers", "3", "--window", "5", "--path", path, "--bytes", "64K", "--seconds", "0.2");
        Assert.Equal(3, one.GetProperty("workers").GetInt32());
        Assert.True(one.GetProperty("verified").GetBoolean());
        CheckFigures(one, bothWays: false);
    }

    [Fact]
    public void Json_has_the_keys_that_are_agreed_on_and_the_table_a_row_for_each_size()
    {
        JsonElement one = Run("--bytes", "4K", "--seconds", "0.05");
        foreach (string key in (string[])["mode", "payload_bytes", "codec", "coded_bytes", "parameters_gb_per_second", "messages_per_second", "latency_p50_us", "latency_p99_us",
            "latency_p999_us", "latency_max_us", "cpu_seconds_per_gb", "allocated_bytes", "server_allocated_bytes", "collections", "server_collections",
            "server_memory_bytes", "verified", "ratio_to_limit"])
        {
            Assert.True(one.TryGetProperty(key, out _), key);
        }

        Assert.Equal(JsonValueKind.Null, one.GetProperty("ratio_to_limit").ValueKind);
        using RunningProgram table = Start("--bytes", "4K,8K", "--seconds", "0.05");
        Assert.True(table.ExitCode(Soon) == 0, table.Errors);
        Assert.Equal(3, table.Output.TrimEnd().Split('\n').Length);
        Assert.Contains("p99.9 us", table.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("asp:sum", 0)]
    [InlineData("asp:sgd", 4)] // subtracts: not the sum
    public void Server_that_runs_already_is_verified_by_a_last_pull(string policy, int exitCode)
    {
        using RunningProgram server = StartServer(policy, out string address);
        using RunningProgram stress = Start("--server", address, "--bytes", "1100K", "--seconds", "0.05", "--verify", "--json");
        Assert.True(stress.ExitCode(Soon) == exitCode, stress.Errors);
        using JsonDocument printed = JsonDocument.Parse(stress.Output);
        Assert.Equal(exitCode == 0, printed.RootElement.GetProperty("verified").GetBoolean());
        foreach (string key in (string[])["cpu_seconds_per_gb", "server_allocated_bytes", "server_collections", "server_memory_bytes"])
            Assert.Equal(JsonValueKind.Null, printed.RootElement.GetProperty(key).ValueKind);
        Assert.Equal(exitCode != 0, stress.Errors.Contains("is not the sum of what was acknowledged", StringComparison.Ordinal));
        Assert.Equal(0, server.ExitCode(Soon));
    }

    [Fact]
    public void Server_of_another_policy_says_what_is_wrong()
    {
        using RunningProgram server = StartServer("async", out string address);
        using RunningProgram stress = Start("--server", address, "--seconds", "0.05");
        Assert.Equal(4, stress.ExitCode(Soon));
        Assert.Contains("the server refused: This worker pushes gradients", stress.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public void Signal_ends_it_and_leaves_no_process(int signal)
    {
        Assert.SkipWhen(signal == Interrupt && TrainEndTests.InterruptIsIgnored(), "SIGINT is ignored here, as in the background of a script: programs inherit that");
        using RunningProgram stress = StartLong(out Dictionary<int, string> children);
        stress.Signal(signal);
        Assert.Equal(4, stress.ExitCode(Soon));
        Assert.Contains("stopped before the end", stress.Errors, StringComparison.Ordinal);
        Assert.Equal("", stress.Output);
        foreach ((int id, string command) in children)
            Assert.True(RunningProgram.IsGone(id), $"{command} ({id}) has survived");
    }

    [Fact]
    public void Launcher_killed_leaves_no_process()
    {
        using RunningProgram stress = StartLong(out Dictionary<int, string> children);
        stress.Signal(KillSignal);
        stress.ExitCode(Soon);
        foreach ((int id, string command) in children)
            Eventually.Holds(() => RunningProgram.IsGone(id), () => $"{command} ({id}) has survived the launcher");
    }

    [Fact]
    public void Launcher_killed_leaves_no_worker_at_a_server_that_lives_on()
    {
        using RunningProgram server = StartServer("asp:sum", out string address);
        using RunningProgram stress = Start("--server", address, "--bytes", "4K", "--seconds", "50");
        stress.Until(() => stress.Errors.Contains("GB/s so far", StringComparison.Ordinal), "it measured");
        Dictionary<int, string> children = stress.Children();
        stress.Signal(KillSignal);
        stress.ExitCode(Soon);
        (int id, string command) = Assert.Single(children);
        Eventually.Holds(() => RunningProgram.IsGone(id), () => $"{command} ({id}) has survived the launcher");
    }

    [Theory]
    [InlineData("stress-worker", "worker 0")]
    [InlineData("hpaps-server", "server")]
    public void Process_killed_ends_all_and_is_named(string which, string name)
    {
        using RunningProgram stress = StartLong(out Dictionary<int, string> children);
        int victim = 0;
        foreach ((int id, string command) in children)
        {
            if (command.Contains(which, StringComparison.Ordinal) && (which != "stress-worker" || command.Contains("--index 0", StringComparison.Ordinal)))
                victim = id;
        }

        Assert.NotEqual(0, victim);
        RunningProgram.Signal(victim, KillSignal);
        Assert.Equal(4, stress.ExitCode(Soon));
        Assert.Contains($"{name} (pid {victim}) was killed by signal 9 (SIGKILL)", stress.Errors, StringComparison.Ordinal);
        foreach ((int id, string command) in children)
            Assert.True(RunningProgram.IsGone(id), $"{command} ({id}) has survived");
    }

    [Theory]
    [InlineData("--mode must be one of push, pull", "--mode", "shout")]
    [InlineData("--path must be one of sum, async", "--path", "long")]
    [InlineData("--bytes must be sizes", "--bytes", "5")]
    [InlineData("--bytes must be sizes", "--bytes", "4K,,1M")]
    [InlineData("--bytes must be sizes", "--bytes", "2G")]
    [InlineData("--codec needs --path async", "--codec", "int4")]
    [InlineData("--codec: 'int5' is no codec", "--path", "async", "--codec", "int5")]
    [InlineData("--workers must be 1 to", "--workers", "0")]
    [InlineData("--window must be 1 to", "--window", "0")]
    [InlineData("--window must be at most 16", "--mode", "pull", "--window", "17")]
    [InlineData("--seconds must be", "--seconds", "0")]
    [InlineData("--transport must be one of tcp, unix", "--transport", "pigeon")]
    [InlineData("--idle must be 0 to 4000", "--idle", "4001")]
    [InlineData("--transport and --idle are for a server of our own", "--server", "127.0.0.1:1", "--idle", "1")]
    [InlineData("--transport and --idle are for a server of our own", "--server", "127.0.0.1:1", "--transport", "tcp")]
    [InlineData("--server takes one size", "--server", "127.0.0.1:1", "--bytes", "4K,8K")]
    [InlineData("--server: 'nowhere' is no address", "--server", "nowhere")]
    [InlineData("--verify with --server takes one worker", "--server", "127.0.0.1:1", "--verify", "--workers", "2")]
    [InlineData("--spin must be always or never", "--spin", "often")]
    public void Command_line_that_is_wrong_is_explained(string message, params string[] arguments)
    {
        using RunningProgram stress = Start(arguments);
        Assert.Equal(2, stress.ExitCode(Soon));
        Assert.Contains(message, stress.Errors, StringComparison.Ordinal);
        Assert.Equal("", stress.Output);
    }

    private static void CheckFigures(JsonElement one, bool bothWays)
    {
        double rate = one.GetProperty("messages_per_second").GetDouble(), seconds = one.GetProperty("seconds").GetDouble();
        long messages = one.GetProperty("messages").GetInt64();
        Assert.InRange(seconds, 0.2, 10);
        Assert.InRange(messages, 1, long.MaxValue);
        Assert.Equal(rate * one.GetProperty("payload_bytes").GetInt32() * (bothWays ? 2 : 1) / 1e9, one.GetProperty("parameters_gb_per_second").GetDouble(), 1e-9);
        if (one.GetProperty("workers").GetInt32() == 1)
            Assert.Equal(messages / seconds, rate, 1e-6 * rate);
        double last = 0;
        foreach (string key in (string[])["latency_p50_us", "latency_p99_us", "latency_p999_us", "latency_max_us"])
        {
            double latency = one.GetProperty(key).GetDouble();
            Assert.InRange(latency, Math.Max(last, 1), 1e7);
            last = latency;
        }

        Assert.InRange(one.GetProperty("cpu_seconds_per_gb").GetDouble(), 1e-3, 1e3);
        foreach (string key in (string[])["allocated_bytes", "server_allocated_bytes", "collections", "server_collections"])
            Assert.True(one.GetProperty(key).GetInt64() == 0, $"{key} is {one.GetProperty(key)}");
        Assert.InRange(one.GetProperty("server_memory_bytes").GetInt64(), 1 << 20, 1 << 30);
    }

    internal static JsonElement Run(params string[] arguments)
    {
        using RunningProgram stress = Start([.. arguments, "--verify", "--json"]);
        Assert.True(stress.ExitCode() == 0, stress.Errors);
        using JsonDocument printed = JsonDocument.Parse(stress.Output);
        return printed.RootElement.Clone();
    }

    /// <summary>Without a limit program, unless the arguments name one.</summary>
    internal static RunningProgram Start(params string[] arguments) => RunningProgram.Start(Published.Launcher, Path.GetTempPath(),
        ["stress", .. arguments, .. Array.IndexOf(arguments, "--limits") < 0 ? (string[])["--limits", "none"] : []]);

    private static RunningProgram Shell(string before, params string[] arguments) => RunningProgram.Start("/bin/sh", Path.GetTempPath(),
        ["-c", before + " \"$@\"", "sh", Published.Launcher, "stress", "--limits", "none", .. arguments]);

    /// <summary>Sockets that a child has open.</summary>
    private static int Sockets(RunningProgram of, string child)
    {
        foreach ((int id, string command) in of.Children())
        {
            if (command.Contains(child, StringComparison.Ordinal))
                return CountSockets($"/proc/{id}/fd");
        }

        return 0;
    }

    private static int CountSockets(string folder)
    {
        try
        {
            int sockets = 0;
            foreach (string handle in Directory.GetFiles(folder))
                sockets += new FileInfo(handle).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true ? 1 : 0;
            return sockets;
        }
        catch (IOException)
        {
            return 0; // it has ended
        }
    }

    /// <summary>A run with two workers that measures already, and its processes.</summary>
    private static RunningProgram StartLong(out Dictionary<int, string> children)
    {
        RunningProgram stress = Start("--workers", "2", "--bytes", "4K", "--seconds", "50");
        stress.Until(() => stress.Errors.Contains("GB/s so far", StringComparison.Ordinal), "it measured");
        children = stress.Children();
        Assert.Equal(3, children.Count);
        return stress;
    }

    private static RunningProgram StartServer(string policy, out string address)
    {
        RunningProgram server = RunningProgram.Start(Published.Server, Path.GetTempPath(),
            ["--listen", "127.0.0.1:0", "--plain", "--policy", policy, .. policy == "asp:sgd" ? (string[])["--rate", "1"] : []]);
        server.Until(() => Listening().IsMatch(server.Errors), "it listened");
        address = Listening().Match(server.Errors).Groups[1].Value;
        return server;
    }

    [GeneratedRegex(@"listening at (\S+) for")]
    private static partial Regex Listening();
}
