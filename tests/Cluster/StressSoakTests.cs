using System;
using System.IO;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>A minute of pushes and pulls, and a crowd: nothing is lost, nothing is allocated, and memory does not grow.</summary>
[Collection(Alone.Name)]
public sealed class StressSoakTests
{
    // Beside the model: the program itself, connections, and their blocks.
    private const long Others = 64 << 20;

    [Theory]
    [InlineData("sum", "unix", 3, 1 << 20, 30)]
    [InlineData("async", "tcp", 3, 1 << 20, 30)]
    [InlineData("sum", "tcp", 64, 4 << 20, 3)]
    public void Long_run_is_exact_allocates_nothing_and_keeps_memory_bounded(string path, string transport, int workers, int bytes, int seconds)
    {
        using RunningProgram stress = RunningProgram.Start(Published.Launcher, Path.GetTempPath(), "stress", "--mode", "push-pull", "--path", path,
            "--transport", transport, "--workers", $"{workers}", "--bytes", $"{bytes}", "--seconds", $"{seconds}", "--verify", "--json", "--limits", "none");
        Assert.True(stress.ExitCode(TimeSpan.FromSeconds(180)) == 0, stress.Errors);
        using JsonDocument printed = JsonDocument.Parse(stress.Output);
        JsonElement one = printed.RootElement;
        Assert.True(one.GetProperty("verified").GetBoolean());
        foreach (string key in (string[])["allocated_bytes", "server_allocated_bytes", "collections", "server_collections"])
            Assert.True(one.GetProperty(key).GetInt64() == 0, $"{key} is {one.GetProperty(key)}");

        // A plain sum takes 20 bytes a parameter: the sum in double, two publications, a copy of the model at the end. Path async keeps a vector of each worker.
        long parameters = bytes / sizeof(float), each = 20 + (path == "async" ? 4 * workers : 0);
        Assert.InRange(one.GetProperty("server_memory_bytes").GetInt64(), 8 * parameters, (each * parameters) + Others);
    }
}
