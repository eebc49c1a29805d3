using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>--pin: a process runs on one core, and says on which.</summary>
public sealed class PinTests
{
    [Theory]
    [InlineData("0", "")]
    [InlineData("1", "")]
    [InlineData("7001", "")]
    [InlineData("cores", ", for local rank 1 by Open MPI")]
    public void All_threads_of_a_server_run_on_the_core_that_it_says(string pin, string by)
    {
        using var folder = new TempFolder();
        using RunningProgram server = RunningProgram.Start("/usr/bin/env", folder.Path, "OMPI_COMM_WORLD_RANK=5", "OMPI_COMM_WORLD_SIZE=6", "OMPI_COMM_WORLD_LOCAL_RANK=1", Published.Server, "--listen", "127.0.0.1:0", "--workers", "1", "--pin", pin, "--state", "state");
        server.Until(() => server.Errors.Contains("listening at", StringComparison.Ordinal), "it listens");
        int[] allowed = Cores.Allowed();
        int core = allowed[(pin == "cores" ? 1 : int.Parse(pin, CultureInfo.InvariantCulture)) % allowed.Length];
        Assert.Contains($"pinned to core {core} of {Cores.Text(allowed)}{by}\n", server.Errors, StringComparison.Ordinal);
        foreach (string cores in OfThreads(server.Id))
            Assert.Equal(core.ToString(CultureInfo.InvariantCulture), cores);
    }

    [Fact]
    public void Run_on_one_host_gives_each_process_a_core_and_says_which()
    {
        using var folder = new TempFolder();
        using RunningProgram train = RunningProgram.Start(Published.Launcher, folder.Path, "train", "logreg", "--data", folder.Data(), "--workers", "2", "--pin", "cores", "--passes", "1e7", "--out", "run");
        int[] allowed = Cores.Allowed();
        int At(int place) => allowed[place % allowed.Length];
        train.Until(() => train.Children().Count == 3, "all run");
        string said = $"pinned: server to core {At(0)}, workers to {At(1)}, {At(2)}";
        train.Until(() => train.Errors.Contains(said, StringComparison.Ordinal), said);
        Assert.Equal(allowed.Length < 3, train.Errors.Contains($"3 processes share {allowed.Length} cores", StringComparison.Ordinal));
        foreach ((int id, string command) in train.Children())
        {
            int place = command.Contains("0/2", StringComparison.Ordinal) ? 1 : command.Contains("1/2", StringComparison.Ordinal) ? 2 : 0;
            train.Until(() => OfThreads(id).TrueForAll(cores => cores == At(place).ToString(CultureInfo.InvariantCulture)), $"process {id} is on core {At(place)}");
        }
    }

    [Fact]
    public void Core_that_nobody_gives_is_asked_for()
    {
        using var folder = new TempFolder();
        using RunningProgram worker = RunningProgram.Run(Published.Worker, folder.Path, "logreg", "--data", folder.Data(), "--pin", "cores");
        Assert.Equal(3, worker.ExitCode());
        Assert.Contains("start it by srun or mpirun, or give --pin N", worker.Errors, StringComparison.Ordinal);
        using RunningProgram wrong = RunningProgram.Run(Published.Server, folder.Path, "--pin", "all");
        Assert.Equal(2, wrong.ExitCode());
        Assert.Contains("--pin must be cores, none or a number", wrong.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("5", "5")]
    [InlineData("0,1,2,3", "0-3")]
    [InlineData("0,2,3,8,9", "0, 2-3, 8-9")]
    public void Cores_are_written_as_ranges(string cores, string text) =>
        Assert.Equal(text, Cores.Text(cores.Length == 0 ? [] : Array.ConvertAll(cores.Split(','), static one => int.Parse(one, CultureInfo.InvariantCulture))));

    private static List<string> OfThreads(int id)
    {
        var all = new List<string>();
        foreach (string thread in Directory.GetDirectories($"/proc/{id}/task"))
            all.Add(Regex.Match(File.ReadAllText(Path.Combine(thread, "status")), @"Cpus_allowed_list:\s*(\S+)").Groups[1].Value);
        Assert.NotEmpty(all);
        return all;
    }
}
