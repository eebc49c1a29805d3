using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Threading;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Three hosts with a server and two workers each, over cables: one is ten times slower, one is pulled for five seconds. The answer is right all the same.</summary>
[Collection(Alone.Name)]
public sealed class ShardNetworkTests(NamespaceHosts hosts) : IClassFixture<NamespaceHosts>
{
    private const int Workers = 6;
    private const int Port = 7070;

    private static readonly TimeSpan Cut = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(200);

    [Theory]
    [InlineData("async", 1e-5)]
    [InlineData("bsp", 1e-4)] // each round waits for the slow link
    public void Servers_at_hosts_of_unequal_links_end_at_the_optimum(string policy, double mostGap)
    {
        hosts.Need();
        using var folder = new TempFolder();
        using RunningProgram generate = RunningProgram.Run(Published.Launcher, folder.Path, "generate", "classification", "--rows", "6000", "--features", "2000",
            "--density", "0.02", "--condition", "20", "--out", "train.svm");
        Assert.True(generate.ExitCode() == 0, generate.Errors);
        double best = DyingProcesses.Optimum(folder.In("train.svm"));
        File.WriteAllText(folder.In("token"), "0123456789abcdef0123456789abcdef");
        File.SetUnixFileMode(folder.In("token"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        for (int host = 0; host < NamespaceHosts.Count; host++)
            hosts.Slow(host, host == 2 ? "10mbit" : "100mbit");
        var servers = new List<RunningProgram>();
        var all = new List<RunningProgram>();
        try
        {
            string addresses = "";
            for (int host = 0; host < NamespaceHosts.Count; host++)
            {
                string address = $"{NamespaceHosts.AddressOf(host)}:{Port}";
                addresses += (host == 0 ? "" : ",") + address;
                servers.Add(NamespaceHosts.Start(host, Published.Server, folder.Path, ["--listen", address, "--shard", $"{host}/{NamespaceHosts.Count}", "--workers", $"{Workers}", "--policy", policy,
                    "--token-file", "token", "--liveness-timeout", "2", "--rejoin-timeout", "60",
                    .. host == 0 ? (string[])["--out", "run", "--target", mostGap.ToString("R", CultureInfo.InvariantCulture), "--reference", best.ToString("R", CultureInfo.InvariantCulture), "--time-limit", "150"] : []]));
                all.Add(servers[host]);
            }

            foreach (RunningProgram server in servers)
                server.Until(() => server.Errors.Contains("listening at", StringComparison.Ordinal), "it listened");
            for (int rank = 0; rank < Workers; rank++)
            {
                all.Add(NamespaceHosts.Start(rank % NamespaceHosts.Count, Published.Worker, folder.Path, "logreg", "--server", addresses, "--token-file", "token", "--data", "train.svm", "--l2", "1e-3",
                    "--part", $"{rank}/{Workers}", "--liveness-timeout", "2"));
            }

            foreach (RunningProgram server in servers)
                server.Until(() => server.Errors.Contains("training begins", StringComparison.Ordinal), "it trained");
            Thread.Sleep(TimeSpan.FromMilliseconds(300)); // far from the optimum
            hosts.Plug(1, isIn: false);
            Thread.Sleep(Cut);
            hosts.Plug(1, isIn: true);
            servers[0].Until(() => servers[0].Errors.Split(" is back").Length > 2, "both workers of the host returned"); // its connections to the others were given up
            foreach (RunningProgram one in all)
                Assert.True(one.ExitCode(Limit) == 0, one.Errors);
        }
        finally
        {
            foreach (RunningProgram one in all)
                one.Dispose();
        }

        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
        Assert.Equal("target", summary.RootElement.GetProperty("reason").GetString());
        double gap = (summary.RootElement.GetProperty("objective").GetDouble() - best) / best;
        TestContext.Current.SendDiagnosticMessage($"{policy}: {summary.RootElement.GetProperty("pushes").GetInt64()} pushes, relative gap {gap:0.##e+0}");
        Assert.InRange(gap, -1e-6, mostGap);
        Assert.Equal(2000, ModelFolder.Read(folder.In("run")).Weights.Length);
    }
}
