using System;
using System.Net;
using System.Net.Sockets;
using HpAsyncPs.Server;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>Addresses of every family, names that have several, and addresses that this host has not. Paths are in UnixSocketTests.</summary>
public sealed class ListenerTests
{
    // Of blocks that are for documentation: no host has them.
    private static readonly IPAddress Missing = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress MissingToo = IPAddress.Parse("2001:db8::1");

    [Theory]
    [InlineData("127.0.0.1:0", "127.0.0.1")]
    [InlineData("0.0.0.0:0", "127.0.0.1")]
    [InlineData("localhost:0", "localhost")]
    [InlineData("[::1]:0", "[::1]")]
    [InlineData("[::]:0", "[::1]")]
    [InlineData("[::]:0", "127.0.0.1")]
    public void Worker_pushes_and_pulls_at_an_address_of_any_family(string listen, string host)
    {
        SkipWithoutIPv6(listen);
        using ServerHost server = ServerHost.Start(new ServerOptions { Evaluates = false }, listen);
        int port = Endpoint.Parse(server.Address).Port;
        using (WorkerClient worker = WorkerClient.Connect($"{host}:{port}", new WorkerOptions { Parameters = 3 }))
            PushAndPull(worker);
        RunResult? result = server.Wait(TimeSpan.FromSeconds(10));
        Assert.Null(result!.Failure);
        if (!host.Contains('l', StringComparison.Ordinal)) // an IPv4 address is written as one, wherever it came to
            Assert.StartsWith($"{host}:", Assert.Single(result.Status.Workers).Peer, StringComparison.Ordinal);
    }

    [Fact]
    public void Address_that_is_told_is_one_to_connect_to()
    {
        SkipWithoutIPv6("[::1]");
        foreach (string listen in (string[])["localhost:0", "0.0.0.0:0", "[::]:0"])
        {
            using ServerHost server = ServerHost.Start(new ServerOptions { Evaluates = false }, listen);
            using WorkerClient worker = WorkerClient.Connect(server.Address, new WorkerOptions { Parameters = 3 });
            PushAndPull(worker);
        }
    }

    [Fact]
    public void Name_with_several_addresses_is_listened_at_on_one_port_at_all_of_them()
    {
        SkipWithoutIPv6("[::1]");
        Listener listener = Listener.Start(new Endpoint("node1", 0), At(IPAddress.Loopback), At(IPAddress.IPv6Loopback), At(Missing), At(MissingToo));
        Assert.Equal(2, listener.Count);
        using ServerHost server = ServerHost.Start(new ServerOptions { Workers = 2, Evaluates = false }, listener);
        Assert.StartsWith("127.0.0.1:", server.Address, StringComparison.Ordinal);
        int port = Endpoint.Parse(server.Address).Port;
        using (RawPeer first = RawPeer.ConnectTo(server.Address))
        {
            first.Join(0, 3);
            using WorkerClient second = WorkerClient.Connect($"[::1]:{port}", new WorkerOptions { Parameters = 3, Rank = 1 });
            Assert.Equal(2, second.Workers);
        }
    }

    [Fact]
    public void Address_that_this_host_has_not_is_left_out_wherever_it_stands()
    {
        using Listener listener = Listener.Start(new Endpoint("node1", 0), At(Missing), At(IPAddress.Loopback));
        Assert.Equal(1, listener.Count);
        Assert.StartsWith("127.0.0.1:", listener.Address, StringComparison.Ordinal);
    }

    [Fact]
    public void Error_names_all_addresses_when_this_host_has_none_of_them()
    {
        InputException error = Assert.Throws<InputException>(() => Listener.Start(new Endpoint("node1", 7070), At(Missing, 7070), At(MissingToo, 7070)));
        Assert.StartsWith("Cannot listen at node1:7070: 192.0.2.1:7070: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("; [2001:db8::1]:7070: ", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Half of the workers would go to the other server.</summary>
    [Fact]
    public void Port_that_is_taken_at_one_address_is_not_listened_at_elsewhere()
    {
        using Listener other = Listener.Start(Endpoint.Parse("127.0.0.2:0"));
        int port = Endpoint.Parse(other.Address).Port;
        InputException error = Assert.Throws<InputException>(() =>
            Listener.Start(new Endpoint("node1", port), At(IPAddress.Loopback, port), At(IPAddress.Parse("127.0.0.2"), port)));
        Assert.Contains($"127.0.0.2:{port}: ", error.Message, StringComparison.Ordinal);
        using Listener free = Listener.Start(new Endpoint("127.0.0.1", port)); // nothing is left of the attempt
    }

    /// <summary>The free port of an address is never free at the same address again.</summary>
    [Fact]
    public void Free_port_that_is_nowhere_free_is_given_up() =>
        Assert.Throws<InputException>(() => Listener.Start(new Endpoint("node1", 0), At(IPAddress.Loopback), At(IPAddress.Loopback)));

    [Fact]
    public void Resolve_names_each_address_once()
    {
        EndPoint[] addresses = Endpoint.Parse("localhost:7").Resolve();
        Assert.NotEmpty(addresses);
        Assert.Distinct(addresses);
        Assert.All(addresses, address => Assert.True(address is IPEndPoint { Port: 7 } one && IPAddress.IsLoopback(one.Address)));
    }

    private static void PushAndPull(WorkerClient worker)
    {
        worker.Push([1, 2, 3]);
        worker.Pull();
        worker.Wait();
        Assert.Equal([1, 2, 3], worker.Snapshot);
    }

    private static IPEndPoint At(IPAddress address, int port = 0) => new(address, port);

    private static void SkipWithoutIPv6(string address)
    {
        if (!address.StartsWith('['))
            return;
        try
        {
            Listener.Start(Endpoint.Parse("[::1]:0")).Dispose();
        }
        catch (InputException e)
        {
            Assert.Skip($"this host has no IPv6: {e.Message}");
        }
    }
}
