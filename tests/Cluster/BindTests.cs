using System;
using System.Net.Sockets;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>hpaps-server --bind: an interface or an address of any family.</summary>
public sealed class BindTests
{
    [Theory]
    [InlineData("lo", "127.0.0.1:")]
    [InlineData("127.0.0.1", "127.0.0.1:")]
    [InlineData("::1", "[::1]:")]
    public void Worker_finds_a_server_at_the_address_that_it_is_bound_to(string bind, string address)
    {
        if (bind.Contains(':', StringComparison.Ordinal))
            Assert.SkipUnless(Socket.OSSupportsIPv6, "this host has no IPv6");
        using var folder = new TempFolder();
        using RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--bind", bind, "--rendezvous", "meet", "--job", "a", "--passes", "20", "--out", "run");
        using RunningProgram worker = RunningProgram.Start(Published.Worker, folder.Path, "logreg", "--rendezvous", "meet", "--job", "a", "--data", folder.Data(), "--part", "0/1");
        Assert.True(server.ExitCode() == 0, server.Errors);
        Assert.True(worker.ExitCode() == 0, worker.Errors);
        Assert.Contains($"listening at {address}", server.Errors, StringComparison.Ordinal);
        Assert.Contains($"at {address}", worker.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Interface_that_is_not_there_and_two_places_are_refused()
    {
        using var folder = new TempFolder();
        using RunningProgram none = RunningProgram.Run(Published.Server, folder.Path, "--bind", "nosuch0");
        Assert.Equal(3, none.ExitCode());
        Assert.Contains("--bind nosuch0: this host has no such network interface, and it is no address; there are lo", none.Errors, StringComparison.Ordinal);
        using RunningProgram both = RunningProgram.Run(Published.Server, folder.Path, "--bind", "lo", "--listen", "127.0.0.1:0");
        Assert.Equal(2, both.ExitCode());
        Assert.Contains("--bind and --listen both say where to listen", both.Errors, StringComparison.Ordinal);
    }
}
