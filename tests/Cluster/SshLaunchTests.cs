using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using HpAsyncPs.Learning.Output;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>tools/launch/ssh.sh by a real sshd of the test's own, and a server that comes back elsewhere.</summary>
[Collection(Alone.Name)]
public sealed partial class SshLaunchTests
{
    private const string Daemon = "/usr/sbin/sshd";

    [Theory]
    [InlineData(0, "", 1)]
    [InlineData(0, "", 3)]
    [InlineData(3, "+1 3:oops\n", 1)]
    [InlineData(3, "+1 3:oops\n", 2)]
    public void Workers_on_hosts_by_ssh_train_or_end_with_their_code(int code, string last, int servers)
    {
        using var folder = new TempFolder();
        using RunningProgram daemon = StartDaemon(folder);
        using RunningProgram run = Launch(folder, folder.Data(last: last), "20", servers);
        Assert.True(run.ExitCode() == code, run.Errors);
        if (code == 0)
            Assert.Equal(20, ModelFolder.Read(folder.In("run")).Weights.Length);
        else
            Assert.Contains("tiny data.svm:301: ", run.Errors, StringComparison.Ordinal);
        Assert.True(File.Exists(folder.In("logs/worker-1.log"))); // empty where all is well: a worker of a launcher says nothing then
        for (int shard = 1; shard < servers; shard++)
            Assert.Contains(code == 0 ? "ended (passes)" : "listening at", File.ReadAllText(folder.In($"logs/server-{shard}.log")), StringComparison.Ordinal);
    }

    [Fact]
    public void More_servers_than_hosts_and_a_server_that_is_refused_elsewhere_are_explained()
    {
        using var folder = new TempFolder();
        using RunningProgram daemon = StartDaemon(folder);
        using (RunningProgram many = Launch(folder, folder.Data(), "20", 4))
        {
            Assert.Equal(2, many.ExitCode());
            Assert.Contains("HPAPS_SERVERS is 4, and hosts has 2 host(s)", many.Errors, StringComparison.Ordinal);
        }

        using RunningProgram refused = Launch(folder, folder.Data(), "20", 2, "--state", "tiny data.svm/state"); // a file is no folder
        Assert.Equal(3, refused.ExitCode());
        Assert.Contains("is a file; name a folder", refused.Errors, StringComparison.Ordinal);
        Assert.Empty(Processes(folder));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Nothing_survives_a_launcher_that_is_killed(int servers)
    {
        using var folder = new TempFolder();
        using RunningProgram daemon = StartDaemon(folder);
        using RunningProgram run = Launch(folder, folder.Data(), "1e7", servers);
        run.Until(() => run.Errors.Contains("training begins", StringComparison.Ordinal), "training");
        string[] before = Processes(folder);
        Assert.True(before.Length >= servers + 2, "servers and two workers");
        run.Signal(9);
        Eventually.Holds(() => Processes(folder).Length == 0, () => $"these survived: {string.Join("; ", Processes(folder))}");
    }

    [Fact]
    public void Worker_finds_a_server_that_was_started_again_at_another_port()
    {
        using var folder = new TempFolder();
        string[] arguments = ["--rendezvous", "meet", "--job", "a", "--listen", "127.0.0.1:0", "--passes", "1e7", "--state", "state", "--durability", "always", "--out", "run"];
        using RunningProgram first = RunningProgram.Start(Published.Server, folder.Path, arguments);
        using RunningProgram worker = RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--rendezvous", "meet", "--job", "a", "--data", folder.Data(), "--part", "0/1");
        first.Until(() => first.Errors.Contains("training begins", StringComparison.Ordinal), "training");
        first.Until(() => Array.Exists(Directory.GetFiles(folder.In("state/journal")), static file => new FileInfo(file).Length > 0), "the job was on disk");
        first.Signal(9);
        first.ExitCode();
        using RunningProgram second = RunningProgram.Start(Published.Server, folder.Path, arguments);
        second.Until(() => second.Errors.Contains("is back over another connection", StringComparison.Ordinal), "the worker's return");
        second.Signal(2);
        Assert.True(second.ExitCode() == 0, second.Errors);
        Assert.True(worker.ExitCode() == 0, worker.Errors);
        Assert.Contains("is replaced", second.Errors, StringComparison.Ordinal);
        Assert.NotEqual(Port().Match(first.Errors).Groups[1].Value, Port().Match(second.Errors).Groups[1].Value);
    }

    private static RunningProgram Launch(TempFolder folder, string data, string passes, int servers, params string[] more)
    {
        File.WriteAllText(folder.In("hosts"), "# two on this host\n127.0.0.1\n127.0.0.1 # again\n");
        string bin = Path.GetDirectoryName(Published.Worker)!;
        return RunningProgram.Start("/usr/bin/env", folder.Path, [$"HPAPS_BIN={bin}", "HPAPS_SSH_CONFIG=client", "HPAPS_LOGS=logs", $"HPAPS_SERVERS={servers}", "/bin/bash", Path.Combine(Repository.Root, "tools", "launch", "ssh.sh"),
            "hosts", "--listen", "127.0.0.1:0", "--passes", passes, "--out", "run", .. more, "--", "logreg", "--data", data]);
    }

    /// <summary>An sshd on a free port of loopback, with keys of this test alone.</summary>
    private static RunningProgram StartDaemon(TempFolder folder)
    {
        _ = (Published.Server, Published.Worker);
        Assert.SkipUnless(File.Exists(Daemon) && File.Exists("/usr/bin/ssh-keygen"), $"there is no {Daemon}, or no ssh-keygen: apt-get install openssh-server");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "sshd of a test lets nobody but its own user in, and needs root for its empty folder /run/sshd");
        Directory.CreateDirectory("/run/sshd");
        foreach (string key in (string[])["host", "user"])
            Assert.Equal(0, RunningProgram.Run("/usr/bin/ssh-keygen", folder.Path, "-q", "-t", "ed25519", "-N", "", "-f", key).ExitCode());
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        File.WriteAllText(folder.In("sshd"), $"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder.In("host")}\nAuthorizedKeysFile {folder.In("user.pub")}\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n");
        File.WriteAllText(folder.In("client"), $"Host *\n Port {port}\n IdentityFile {folder.In("user")}\n IdentitiesOnly yes\n UserKnownHostsFile {folder.In("known")}\n StrictHostKeyChecking accept-new\n");
        RunningProgram daemon = RunningProgram.Start(Daemon, folder.Path, "-D", "-e", "-f", "sshd");
        daemon.Until(() => daemon.Errors.Contains("Server listening", StringComparison.Ordinal), "sshd listened");
        return daemon;
    }

    /// <summary>Command lines of servers and workers, told by the folder that they were started in.</summary>
    private static string[] Processes(TempFolder folder)
    {
        var all = new System.Collections.Generic.List<string>();
        foreach (string process in Directory.GetDirectories("/proc"))
        {
            try
            {
                string command = File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
                if (command.Contains("--exit-with-stdin", StringComparison.Ordinal) && new FileInfo(Path.Combine(process, "cwd")).LinkTarget == folder.Path)
                    all.Add(command);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // it has ended
            }
        }

        return [.. all];
    }

    [GeneratedRegex(@"listening at 127\.0\.0\.1:(\d+) for")]
    private static partial Regex Port();
}
