using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>A worker that is stopped in the middle of its snapshots, beside one that is not.</summary>
[Collection(Alone.Name)]
public sealed partial class StoppedReaderTests
{
    private const int KillSignal = 9;
    private const int Stop = 19; // of x86-64 and ARM
    private const int MiB = 1024 * 1024;
    private const double Seconds = 4;

    // Four snapshots: a reader that is stopped takes much less, what the kernel and its connection have room for.
    private const long LeastProgress = 4 * 16 * MiB;

    // The sum takes 32 MiB, a snapshot 16; there are three of them at most, and 14 MB of connections.
    private const long MostMemory = 256 * MiB;

    [Fact]
    public void Reader_that_is_stopped_holds_up_nobody_and_the_server_stays_as_large_as_it_is()
    {
        using RunningProgram server = RunningProgram.Start(Published.Server, Path.GetTempPath(),
            "--listen", "127.0.0.1:0", "--plain", "--policy", "asp:sum", "--workers", "2", "--liveness-timeout", "30", "--rejoin-timeout", "0", "--events");
        server.Until(() => Listening().IsMatch(server.Output), "it listened");
        string address = Listening().Match(server.Output).Groups[1].Value;
        using RunningProgram reader = Stress(address, "pull");
        using RunningProgram other = Stress(address, "push-pull"); // every snapshot is a new one
        reader.Until(() => Measures(reader) && Measures(other), "both measured");
        (int worker, _) = Assert.Single<KeyValuePair<int, string>>(reader.Children());
        try
        {
            RunningProgram.Signal(worker, Stop);
            Eventually.Holds(() => File.ReadAllText($"/proc/{worker}/stat").Contains(") T ", StringComparison.Ordinal), () => "it was not stopped");
            long before = DownlinkBytes(server), memory = 0;
            server.Until(() =>
            {
                memory = Math.Max(memory, MemoryOf(server));
                return DownlinkBytes(server) - before >= LeastProgress;
            }, "the other went on");
            Assert.True(other.ExitCode() == 0, other.Errors);
            using JsonDocument printed = JsonDocument.Parse(other.Output);
            Assert.InRange(printed.RootElement.GetProperty("seconds").GetDouble(), Seconds, double.MaxValue);
            memory = Math.Max(memory, MemoryOf(server));
            Assert.InRange(memory, 1, MostMemory);
            Assert.False(server.HasExited, "the reader was given up before its time");
        }
        finally
        {
            RunningProgram.Signal(worker, KillSignal); // one that is stopped does not hear its launcher's end
        }

        Assert.Equal(4, reader.ExitCode());
        Assert.Equal(4, server.ExitCode());
        Assert.True(RunningProgram.IsGone(worker), "the reader has survived");
    }

    private static RunningProgram Stress(string address, string mode) => RunningProgram.Start(Published.Launcher, Path.GetTempPath(),
        "stress", "--server", address, "--mode", mode, "--bytes", "16M", "--seconds", $"{Seconds}", "--json");

    private static bool Measures(RunningProgram stress) => stress.Errors.Contains("GB/s so far", StringComparison.Ordinal);

    /// <summary>What the server has sent so far, in its newest whole line.</summary>
    private static long DownlinkBytes(RunningProgram server) => Downlink().Matches(server.Output) is [.., var last] ? long.Parse(last.Groups[1].Value) : 0;

    private static long MemoryOf(RunningProgram program) => 1024 * long.Parse(Resident().Match(File.ReadAllText($"/proc/{program.Id}/status")).Groups[1].Value);

    [GeneratedRegex(@"(127\.0\.0\.1:\d+)""")]
    private static partial Regex Listening();

    [GeneratedRegex(@"""downlink_bytes"":(\d+),")]
    private static partial Regex Downlink();

    [GeneratedRegex(@"VmRSS:\s*(\d+) kB")]
    private static partial Regex Resident();
}
