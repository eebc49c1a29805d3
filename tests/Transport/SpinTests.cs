using System;
using System.Collections.Generic;
using HpAsyncPs.Server;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>Who spins before sleeping, and that it is only a matter of time.</summary>
public sealed class SpinTests
{
    [Fact]
    public void Server_spins_until_it_and_the_workers_of_this_host_outnumber_the_processors()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 64, Evaluates = false });
        var peers = new List<RawPeer>();
        for (int processes = 1; processes <= Environment.ProcessorCount + 1; processes++)
        {
            Expect(server, processes <= Environment.ProcessorCount ? Spin.WhileAlone : Spin.Never);
            peers.Add(RawPeer.ConnectTo(server.Address));
            peers[^1].Join(processes - 1, 1); // who says nothing is no worker
        }

        Expect(server, Spin.Never);
        foreach (RawPeer peer in peers)
            peer.Dispose();
        Expect(server, Spin.WhileAlone);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Server_that_is_told_does_as_told(bool spin)
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 64, Evaluates = false, Spin = spin });
        Expect(server, spin ? Spin.Always : Spin.Never);
        for (int peer = 0; peer <= Environment.ProcessorCount; peer++)
        {
            using RawPeer one = RawPeer.ConnectTo(server.Address);
            Expect(server, spin ? Spin.Always : Spin.Never);
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Pushes_and_pulls_are_the_same_whoever_spins(bool atServer, bool atWorker)
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Spin = atServer });
        float[] x = new float[1000];
        using (var worker = WorkerClient.Connect(server.Address, new WorkerOptions { Parameters = x.Length, Spin = atWorker }))
        {
            for (int push = 1; push <= 300; push++)
            {
                x[push] = push;
                worker.Push(x);
                worker.Pull();
                worker.Wait();
                Assert.Equal((float)push, worker.Snapshot[push]);
            }
        }

        server.WaitForEnd();
    }

    private static void Expect(LoopbackServer server, Spin spin) =>
        Eventually.Holds(() => server.Host.Spin == spin, () => $"spin is {server.Host.Spin}");
}
