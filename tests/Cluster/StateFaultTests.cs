using System;
using System.Diagnostics;
using System.IO;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Protocol;
using HpAsyncPs.Tests.Server.Durability;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>What a server finds in its --state that is torn, another's, full or read-only; and servers that are asked to end.</summary>
[Collection(Alone.Name)]
public sealed class StateFaultTests : IDisposable
{
    private const int Parameters = 600_000;

    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(15);
    private readonly TempFolder _folder = new();

    private string Address => $"unix:{_folder.In("socket")}";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Torn_journal_and_damaged_checkpoint_are_said_and_the_job_goes_on()
    {
        using CrashingServer server = Serve("--durability", "always", "--checkpoint-interval", "0.2");
        using var worker = new PushingWorker(Address, 0, Parameters, Aggregate.Sum);
        worker.Start();
        server.Process.Until(() => Files("checkpoints").Length == 2 && !server.WritesCheckpoint, "there were two checkpoints");
        worker.UntilItGoesOn();
        server.Kill();
        string[] checkpoints = Array.FindAll(Files("checkpoints"), file => !file.EndsWith(".partial", StringComparison.Ordinal));
        Flip(checkpoints[^1]);
        string journal = Files("journal")[^1];
        using (FileStream file = File.OpenWrite(journal))
            file.SetLength(file.Length - 7);
        server.StartAgain();
        worker.UntilItGoesOn();
        worker.Finish();
        Assert.True(worker.Pull().SequenceEqual(worker.Vector));

        string said = server.Process.Errors;
        Assert.Matches($"checkpoint [0-9]+ in '{_folder.In("state/checkpoints")}': .*; the one before it is taken", said);
        Assert.Matches("[0-9]+ bytes at the end of the journal, after [0-9]+ records, were torn or corrupt, and are cut off", said);
        ulong damaged = ulong.Parse(Path.GetFileName(checkpoints[^1])["checkpoint1-".Length..]);
        Assert.Contains($"recovered from checkpoint {damaged - 1} and", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void State_of_which_nothing_can_be_read_is_refused_and_left_as_it_is(bool hasCheckpoint)
    {
        using CrashingServer server = hasCheckpoint ? Serve("--durability", "always", "--checkpoint-interval", "0.2") : Serve("--durability", "always");
        using var worker = new PushingWorker(Address, 0, Parameters, Aggregate.Sum);
        worker.Start();
        if (hasCheckpoint)
            server.Process.Until(() => Files("checkpoints").Length > 0 && !server.WritesCheckpoint, "there was a checkpoint");
        worker.UntilItGoesOn();
        server.Kill();
        string[] all = Array.FindAll([.. Files("checkpoints"), .. Files("journal")], file => new FileInfo(file).Length > 0 && !file.EndsWith(".partial", StringComparison.Ordinal));
        foreach (string file in all)
            Flip(file, 10); // the journal at its first record
        byte[][] before = Array.ConvertAll(all, File.ReadAllBytes);
        using (RunningProgram wrong = RunningProgram.Start(Published.Server, _folder.Path, ["--workers", "1", "--listen", "127.0.0.1:0", "--plain", "--state", "state"]))
        {
            Assert.True(wrong.ExitCode() == 3, wrong.Errors);
            Assert.Contains("a job was training there", wrong.Errors, StringComparison.Ordinal);
        }

        foreach (string file in all)
            Assert.True(before[Array.IndexOf(all, file)].AsSpan().SequenceEqual(File.ReadAllBytes(file)), $"{file} was changed");
        foreach (string file in all)
            Flip(file, 10); // as it was
        server.StartAgain();
        worker.UntilItGoesOn();
        worker.Finish();
        Assert.True(worker.Pull().SequenceEqual(worker.Vector));
    }

    [Theory]
    [InlineData("it is of a job with policy async, and this server was started with policy bsp", "--policy", "bsp")]
    [InlineData("it is of a job with policy async, and this server was started with policy ssp:2", "--workers", "2", "--policy", "ssp:2")]
    public void State_of_another_job_is_refused(string message, params string[] other)
    {
        using CrashingServer server = Serve();
        using (var worker = new PushingWorker(Address, 0, Parameters, Aggregate.Sum))
        {
            worker.Start();
            worker.UntilItGoesOn();
            Suspend(server);
            using RunningProgram wrong = RunningProgram.Start(Published.Server, _folder.Path, ["--listen", "127.0.0.1:0", "--plain", "--state", "state", .. other]);
            Assert.True(wrong.ExitCode() == 3, wrong.Errors);
            Assert.Contains($"The state in '{_folder.In("state")}' cannot be taken up: {message}", wrong.Errors, StringComparison.Ordinal);
            Assert.Contains("start it as it was. To begin anew, move that folder away", wrong.Errors, StringComparison.Ordinal);

            server.StartAgain(); // it is still there for the right one
            worker.UntilItGoesOn();
            worker.Finish();
            Assert.True(worker.Pull().SequenceEqual(worker.Vector));
        }

        Assert.Equal(0, server.Process.ExitCode());
    }

    [Fact]
    public void Disk_that_is_full_or_read_only_is_named()
    {
        using var mount = new TinyMount(8);
        string state = Path.Combine(mount.Path, "state");
        using RunningProgram server = RunningProgram.Start(Published.Server, _folder.Path, "--listen", Address, "--plain", "--state", state);
        server.Until(() => server.Errors.Contains("listening at", StringComparison.Ordinal), "it listened");
        using (var worker = new PushingWorker(Address, 0, Parameters, Aggregate.Sum))
        {
            worker.Start();
            Assert.True(server.ExitCode() == 4, server.Errors);
        }

        Assert.Contains($" in '{state}/", server.Errors, StringComparison.Ordinal);
        Assert.Contains("no space left on that disk; free some, or choose a folder on another disk, and start again", server.Errors, StringComparison.Ordinal);

        mount.MakeReadOnly();
        using RunningProgram other = RunningProgram.Start(Published.Server, _folder.Path, "--listen", Address, "--plain", "--state", state);
        Assert.True(other.ExitCode() == 3, other.Errors);
        Assert.Contains($"'{state}'", other.Errors, StringComparison.Ordinal);
        Assert.Contains("that file system is read-only; remount it for writing", other.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void State_of_a_server_that_runs_is_refused()
    {
        using CrashingServer server = Serve();
        using RunningProgram second = RunningProgram.Start(Published.Server, _folder.Path, "--listen", "127.0.0.1:0", "--state", "state");
        Assert.True(second.ExitCode() == 3, second.Errors);
        Assert.Contains($"the state folder '{_folder.In("state")}' is in use by another server, process {server.Process.Id}: stop that one first", second.Errors, StringComparison.Ordinal);
        Assert.False(server.Process.HasExited);
    }

    [Fact]
    public void Terminated_with_a_state_it_goes_on_at_the_next_start()
    {
        using CrashingServer server = Serve("--policy", "asp:sum", "--durability", "interval:60000", "--checkpoint-interval", "60");
        using (var worker = new PushingWorker(Address, 0, Parameters, Aggregate.Optimized))
        {
            worker.Start();
            worker.UntilItGoesOn();
            Suspend(server);
            ulong acknowledged = worker.Acknowledged;
            server.StartAgain();
            PushedNumbers.Stand stand = server.Stands(1)[0];
            Assert.True(stand.Sequence >= acknowledged, $"push {acknowledged} was acknowledged, and it was stopped in order; it has come back with {stand}");
            worker.UntilItGoesOn();
            worker.Finish();
            float[] expected = new float[Parameters];
            ReadOnlySpan<float> pulled = worker.Pull();
            worker.Pushed.AddTo(expected, server.StandsOf(0));
            Assert.True(pulled.SequenceEqual(expected));
            Assert.Equal(0, worker.Session.Resynchronisations);
        }

        Assert.Equal(0, server.Process.ExitCode());
    }

    [Fact]
    public void Terminated_without_a_state_it_saves_the_model()
    {
        using RunningProgram server = RunningProgram.Start(Published.Server, _folder.Path, "--listen", Address, "--out", "run");
        server.Until(() => server.Errors.Contains("listening at", StringComparison.Ordinal), "it listened");
        using RunningProgram worker = RunningProgram.Start(Published.Worker, _folder.Path, "logreg", "--server", Address, "--data", _folder.Data());
        server.Until(() => server.Errors.Contains("training begins", StringComparison.Ordinal), "it trained");
        server.Signal(DyingProcesses.Terminate);
        Assert.True(server.ExitCode(LongestStop) == 0, server.Errors);
        Assert.True(worker.ExitCode(LongestStop) == 0, worker.Errors);
        Assert.Equal(20, ModelFolder.Read(_folder.In("run")).Weights.Length);
    }

    private static void Suspend(CrashingServer server)
    {
        var watch = Stopwatch.StartNew();
        server.Process.Signal(DyingProcesses.Terminate);
        Assert.True(server.Process.ExitCode(LongestStop) == 0, server.Process.Errors);
        Assert.True(watch.Elapsed < LongestStop, $"it took {watch.Elapsed}");
    }

    private static void Flip(string file, long? at = null)
    {
        using FileStream stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = at ?? stream.Length / 2;
        int old = stream.ReadByte();
        stream.Position--;
        stream.WriteByte((byte)(old ^ 1));
    }

    private CrashingServer Serve(params string[] more) => new(_folder, Address, ["--plain", .. more]);

    private string[] Files(string of)
    {
        string[] files = Directory.Exists(_folder.In($"state/{of}")) ? Directory.GetFiles(_folder.In($"state/{of}")) : [];
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }
}
