using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Tests.Packaging;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>A Slurm of three nodes on this host, for the tests of a class; the folder of sbatch is its own.</summary>
public sealed class SlurmCluster : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TempFolder _folder = new();
    private readonly RunningProgram? _slurm;
    private readonly string? _why;

    public SlurmCluster()
    {
        foreach (string program in (string[])["munged", "slurmctld", "slurmd", "sbatch"])
        {
            if (Tools.Find(program) is null && !File.Exists($"/usr/sbin/{program}"))
                _why = $"there is no {program}: apt-get install slurm-wlm munge";
        }

        if (_why is null && !Environment.IsPrivilegedProcess)
            _why = "the slurmd of a test starts processes as their user, and needs root";
        if (_why is not null)
            return;
        Directory.CreateDirectory(_folder.In("slurm"));
        Directory.CreateDirectory(_folder.In("jobs"));
        foreach (string folder in (string[])[_folder.Path, _folder.In("slurm")])
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        _slurm = RunningProgram.Start("/bin/bash", _folder.Path, Path.Combine(Repository.Root, "tests", "Cluster", "slurm.sh"), _folder.In("slurm"), $"{FreePorts(4)}");
        _slurm.Until(() => _slurm.Output.Contains("ready", StringComparison.Ordinal), "its nodes were up");
    }

    /// <summary>Folder that jobs are submitted from.</summary>
    internal string Jobs => _folder.In("jobs");

    /// <summary>Skips the running test where there is no Slurm.</summary>
    internal void Need()
    {
        _ = (Published.Launcher, Published.Server, Published.Worker);
        Assert.SkipUnless(_why is null, _why ?? "");
    }

    /// <summary>A command of Slurm, and what it printed.</summary>
    internal string Slurm(string command, params string[] arguments)
    {
        using RunningProgram program = RunningProgram.Run("/usr/bin/env", Jobs, [$"SLURM_CONF={_folder.In("slurm/slurm.conf")}", $"HPAPS_TEST_SLURM={_folder.In("slurm")}",
            $"HPAPS_BIN={Path.GetDirectoryName(Published.Server)}", "HPAPS_LISTEN=127.0.0.1:0", command, .. arguments]);
        Assert.True(program.ExitCode() == 0, $"{command} {string.Join(' ', arguments)}: {program.Errors}");
        return program.Output;
    }

    /// <summary>Submits tools/launch/hpaps.sbatch and returns the number of the job.</summary>
    internal string Submit(string[] flags, params string[] arguments) =>
        Slurm("sbatch", ["--parsable", "--nodes=3", "--ntasks=5", .. flags, Path.Combine(Repository.Root, "tools", "launch", "hpaps.sbatch"), .. arguments]).Trim();

    /// <summary>What Slurm says of a job, such as JobState.</summary>
    internal string Of(string job, string key)
    {
        foreach (string word in Slurm("scontrol", "--oneliner", "show", "job", job).Split(' '))
        {
            if (word.StartsWith(key + "=", StringComparison.Ordinal))
                return word[(key.Length + 1)..].Trim();
        }

        return "";
    }

    /// <summary>Waits until a job is in a state.</summary>
    internal void Until(string job, string state) => Until(job, () => Of(job, "JobState") == state, $"it is {state}");

    /// <summary>Waits until something holds of a job.</summary>
    internal void Until(string job, Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Limit, $"not within {Limit.TotalSeconds:0} s: {what}; {Slurm("scontrol", "show", "job", job)}\n{Log(job)}\n{LogOf(job, "server-0")}");
            Thread.Sleep(200);
        }
    }

    /// <summary>Waits until the server's log has this, so many times.</summary>
    internal void UntilServerSays(string job, string text, int times = 1) => Until(job, () => LogOf(job, "server-0").Split(text).Length > times, $"the server says '{text}'");

    /// <summary>What the script of a job printed.</summary>
    internal string Log(string job) => Text($"hpaps-{job}.log");

    /// <summary>The log of a rank.</summary>
    internal string LogOf(string job, string name) => Text(Path.Combine($"hpaps-{job}", name + ".log"));

    /// <summary>Has slurmd of a node die, or start again.</summary>
    internal void Tell(string line) => _slurm!.Say(line);

    /// <summary>How many processes of a program are there, of this Slurm.</summary>
    internal int Processes(string program)
    {
        int count = 0;
        foreach (string process in Directory.GetDirectories("/proc"))
        {
            try
            {
                if (Path.GetFileName(File.ReadAllText(Path.Combine(process, "cmdline")).Split('\0')[0]) == program
                    && File.ReadAllText(Path.Combine(process, "environ")).Contains($"HPAPS_TEST_SLURM={_folder.In("slurm")}\0", StringComparison.Ordinal))
                {
                    count++;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // it has ended, or is another's
            }
        }

        return count;
    }

    public void Dispose()
    {
        _slurm?.EndInput();
        _slurm?.ExitCode();
        _slurm?.Dispose();
        _folder.Dispose();
    }

    private string Text(string name)
    {
        string path = Path.Combine(Jobs, name);
        return File.Exists(path) ? File.ReadAllText(path) : "";
    }

    /// <summary>The first of some ports in a row that nobody listens at.</summary>
    private static int FreePorts(int count)
    {
        for (int first = 21000 + Environment.ProcessId % 1000 * 8; ; first += count)
        {
            int free = 0;
            while (free < count)
            {
                using var one = new TcpListener(IPAddress.Loopback, first + free);
                try
                {
                    one.Start();
                }
                catch (SocketException)
                {
                    break;
                }

                free++;
            }

            if (free == count)
                return first;
        }
    }
}
