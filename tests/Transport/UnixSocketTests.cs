using System;
using System.IO;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>unix:PATH as an address.</summary>
public sealed class UnixSocketTests
{
    [Fact]
    public void Worker_pushes_and_pulls_through_a_socket_that_is_private_and_goes_away()
    {
        using var folder = new TempFolder();
        string path = folder.In("server");
        using (ServerHost host = ServerHost.Start(new ServerOptions { Evaluates = false }, "unix:" + path))
        {
            Assert.Equal("unix:" + path, host.Address);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            using (WorkerClient worker = WorkerClient.Connect(host.Address, new WorkerOptions { Parameters = 3 }))
            {
                worker.Push([1, 2, 3]);
                worker.Pull();
                worker.Wait();
                Assert.Equal([1, 2, 3], worker.Snapshot);
            }

            Assert.NotNull(host.Wait(TimeSpan.FromSeconds(10)));
        }

        Assert.Empty(folder.Entries());
    }

    [Fact]
    public void Start_takes_the_place_of_a_dead_server_and_of_nothing_else()
    {
        using var folder = new TempFolder();
        string dead = folder.In("dead"), text = folder.In("text");
        using (ServerHost host = ServerHost.Start(new ServerOptions(), "unix:" + folder.In("alive")))
            File.Move(folder.In("alive"), dead); // what a server leaves that is killed: a socket that nobody answers at
        Assert.True(File.Exists(dead));
        File.WriteAllText(text, "mine");
        using (ServerHost host = ServerHost.Start(new ServerOptions(), "unix:" + dead))
        {
            InputException taken = Assert.Throws<InputException>(() => ServerHost.Start(new ServerOptions(), "unix:" + dead));
            Assert.Contains("unix:" + dead, taken.Message, StringComparison.Ordinal);
        }

        Assert.Throws<InputException>(() => ServerHost.Start(new ServerOptions(), "unix:" + text));
        Assert.Equal("mine", File.ReadAllText(text));
        Assert.Throws<InputException>(() => ServerHost.Start(new ServerOptions(), "unix:" + folder.In("missing/server")));
    }

    [Theory]
    [InlineData("unix:")]
    [InlineData("unix:a\0b")]
    public void Parse_path_that_is_none_is_refused(string address) => Assert.Throws<InputException>(() => Endpoint.Parse(address));

    [Fact]
    public void Parse_path_of_107_bytes_is_the_longest()
    {
        Assert.Equal(new string('x', 107), Endpoint.Parse("unix:" + new string('x', 107)).Host);
        InputException error = Assert.Throws<InputException>(() => Endpoint.Parse("unix:" + new string('x', 106) + "é"));
        Assert.Contains("107", error.Message, StringComparison.Ordinal);
    }
}
