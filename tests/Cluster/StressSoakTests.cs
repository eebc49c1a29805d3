using System;
using System.IO;
using System.Text.Json;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Half a minute of pushes and pulls: nothing is lost, nothing is allocated, and memory does not grow.</summary>
[Collection(Alone.Name)]
public sealed class StressSoakTests
{
    private const int Workers = 3, Bytes = 1 << 20, Parameters = Bytes / sizeof(float);

    // What the program takes with nothing to do.
    private const long Program = 32 << 20;

    // A connection takes up to 7 MB more while its peer lags.
    private const long Connections = Workers * 7_000_000L;

    [Theory]
    [InlineData("sum", "unix")]
    [InlineData("async", "tcp")]
    public void Half_a_minute_is_exact_allocates_nothing_and_keeps_memory_bounded(string path, string transport)
    {
        using RunningProgram stress = RunningProgram.Start(Published.Launcher, Path.GetTempPath(), "stress", "--mode", "push-pull", "--path", path,
            "--transport", transport, "--workers", $"{Workers}", "--bytes", $"{Bytes}", "--seconds", "30", "--verify", "--json", "--limits", "none");
        Assert.True(stress.ExitCode(TimeSpan.FromSeconds(120)) == 0, stress.Errors);
        using JsonDocument printed = JsonDocument.Parse(stress.Output);
        JsonElement one = printed.RootElement;
        Assert.True(one.GetProperty("verified").GetBoolean());
        foreach (string key in (string[])["allocated_bytes", "server_allocated_bytes", "collections", "server_collections"])
            Assert.True(one.GetProperty(key).GetInt64() == 0, $"{key} is {one.GetProperty(key)}");

        // The sum in double, a reconstruction for each worker (async), and publications: one, and one for each reader.
        long shard = (8L + (path == "async" ? 4 * Workers : 0) + (4 * (Workers + 3))) * Parameters;
        Assert.InRange(one.GetProperty("server_memory_bytes").GetInt64(), 8L * Parameters, Program + Connections + shard);
    }
}
