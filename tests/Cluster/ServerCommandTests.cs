using System;
using System.IO;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>Command lines of hpaps-server that are wrong: a line that says why, and exit code 2.</summary>
public sealed class ServerCommandTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("--rate is the learning rate of --policy asp", "--rate", "x")]
    [InlineData("'x'", "--policy", "asp", "--rate", "x")]
    [InlineData("--target needs --reference", "--target", "x")]
    [InlineData("'x'", "--target", "1e-3", "--reference", "x")]
    [InlineData("--target needs --reference", "--target", "1e-3")]
    [InlineData("--rate is the learning rate of --policy asp", "--rate", "1")]
    [InlineData("it needs --plain", "--policy", "asp:sum")]
    [InlineData("--checkpoint-interval needs --state", "--checkpoint-interval", "5")]
    [InlineData("--spin must be always or never", "--spin", "sometimes")]
    public void Are_explained(string message, params string[] arguments)
    {
        using RunningProgram server = RunningProgram.Start(Published.Server, Path.GetTempPath(), ["--listen", "127.0.0.1:0", .. arguments]);
        Assert.Equal(2, server.ExitCode(Soon));
        Assert.Contains(message, server.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", server.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Port_zero_is_for_servers()
    {
        using RunningProgram stress = RunningProgram.Start(Published.Launcher, Path.GetTempPath(), "stress", "--server", "127.0.0.1:0", "--seconds", "0.05");
        Assert.NotEqual(0, stress.ExitCode(Soon));
        Assert.Contains("nobody listens at port 0", stress.Errors, StringComparison.Ordinal);
    }
}
