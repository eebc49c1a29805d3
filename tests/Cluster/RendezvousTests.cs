using System;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Server and workers that meet by a folder.</summary>
[Collection(Alone.Name)]
public sealed partial class RendezvousTests
{
    [Fact]
    public void Worker_finds_the_server_by_the_folder_and_the_file_goes_with_the_server()
    {
        using var folder = new TempFolder();
        string data = folder.Data();
        using RunningProgram worker = RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--rendezvous", "meet", "--job", "a", "--data", data, "--part", "0/1");
        using RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--rendezvous", "meet", "--job", "a", "--listen", "127.0.0.1:0", "--passes", "20", "--out", "run");
        Assert.True(server.ExitCode() == 0, server.Errors);
        Assert.True(worker.ExitCode() == 0, worker.Errors);
        Assert.Contains("joins the server of job a", worker.Errors, StringComparison.Ordinal);
        Assert.Matches(At(), server.Errors);
        Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        Assert.False(File.Exists(folder.In("meet/server-0.json")));
    }

    [Fact]
    public void Nobody_comes_and_all_addresses_need_a_token()
    {
        using var folder = new TempFolder();
        using RunningProgram worker = RunningProgram.Run(Published.Worker, folder.Path, "logreg", "--rendezvous", "meet", "--data", folder.Data(), "--start-timeout", "0.5");
        Assert.Equal(4, worker.ExitCode());
        Assert.Contains("meet/server-0.json is not there", worker.Errors, StringComparison.Ordinal);
        using RunningProgram server = RunningProgram.Run(Published.Server, folder.Path, "--rendezvous", "meet");
        Assert.Equal(3, server.ExitCode());
        Assert.Contains("the default with --rendezvous", server.Errors, StringComparison.Ordinal);
        Assert.Contains("--token-file", server.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "", 1)]
    [InlineData(0, "", 2)]
    [InlineData(3, "+1 3:oops\n", 1)]
    [InlineData(3, "+1 3:oops\n", 2)]
    public void Real_mpirun_starts_all_and_has_the_exit_code_of_the_training(int code, string last, int servers)
    {
        _ = (Published.Server, Published.Worker);
        Assert.SkipUnless(File.Exists("/usr/bin/mpirun"), "there is no /usr/bin/mpirun: apt-get install openmpi-bin");
        using var folder = new TempFolder();
        string script = Path.Combine(Repository.Root, "tools", "launch", "mpirun.sh");
        using RunningProgram run = RunningProgram.Run("/usr/bin/env", folder.Path, "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "HPAPS_MPIRUN=--oversubscribe", $"HPAPS_SERVERS={servers}", "/bin/bash", script, "3",
            "--listen", "127.0.0.1:0", "--passes", "20", "--out", "run", "--", "logreg", "--data", folder.Data(last: last));
        Assert.True(run.ExitCode() == code, run.Errors);
        if (code != 0)
        {
            Assert.Contains("tiny data.svm:301: ", run.Errors, StringComparison.Ordinal);
            return;
        }

        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(folder.In("run/summary.json")));
        Assert.Equal(3, summary.RootElement.GetProperty("workers").GetInt32());
        for (int part = 0; part < 3; part++)
            Assert.Contains($"--part auto is {part}/3: rank {part + servers} of {3 + servers} by Open MPI", run.Errors, StringComparison.Ordinal);
        Assert.Equal(servers, run.Errors.Split("hpaps-server: ended (passes)").Length - 1);
        Assert.Empty(Directory.GetDirectories(folder.Path, "hpaps-rendezvous.*"));
    }

    [GeneratedRegex(@"workers find the server of job a, process \d+ on \S+, started .* at 127\.0\.0\.1:\d+ by meet/server-0\.json")]
    private static partial Regex At();
}
