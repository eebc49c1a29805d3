using System;
using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>Checksums of payloads, on demand, over sockets.</summary>
public sealed class ChecksumTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Either_end_may_ask_for_them(bool atServer, bool atWorker)
    {
        const int parameters = Limits.ChunkParameters + 3;
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Checksum = atServer });
        float[] x = new float[parameters];
        using (var worker = WorkerClient.Connect(server.Address, new WorkerOptions { Parameters = parameters, Checksum = atWorker }))
        {
            for (int push = 1; push <= 20; push++)
            {
                x[parameters - push] = push;
                worker.Push(x);
                worker.Pull();
                worker.Wait();
                Assert.Equal(x, worker.Snapshot.ToArray());
            }
        }

        server.WaitForEnd();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Server_sends_what_it_was_asked_for(bool checksum)
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Checksum = checksum });
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        peer.Join(-1, 3);
        (FrameHeader header, byte[] payload) = peer.Receive(FrameKind.Start);
        Assert.Equal(checksum ? Crc32C.Of(payload) : 0, header.PayloadChecksum);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Worker_sends_what_it_was_asked_for(bool checksum)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        string address = listener.LocalEndPoint!.ToString()!;
        Task<Exception?> joining = Task.Run(() => Record.Exception(() => WorkerClient.Connect(address, new WorkerOptions { Checksum = checksum, ReconnectTimeout = TimeSpan.Zero })));
        using (var server = new RawPeer(listener.Accept()))
        {
            (FrameHeader header, byte[] payload) = server.Receive(FrameKind.Join);
            Assert.Equal(checksum ? Crc32C.Of(payload) : 0, header.PayloadChecksum);
        }

        Assert.IsType<ClusterException>(await joining); // the server went away
    }

    [Fact]
    public void Push_that_was_changed_on_its_way_ends_the_connection_and_changes_nothing()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, LivenessTimeout = TimeSpan.FromSeconds(2) });
        using RawPeer peer = RawPeer.ConnectTo(server.Address);
        peer.Join(-1, 1);
        ulong session = peer.Receive(FrameKind.Admitted).Header.Session;
        peer.Receive(FrameKind.Start);
        byte[] payload = [0, 0, 128, 63], changed = [0, 0, 0, 64];
        var header = new FrameHeader(FrameKind.Push)
        {
            Session = session,
            Codec = CodecId.Fp32,
            Sequence = 1,
            KeyCount = 1,
            Flags = FrameFlags.Last,
            PayloadChecksum = Crc32C.Of(payload),
        };
        peer.Send(header, payload);
        peer.Receive(FrameKind.Acknowledged);
        header.Sequence = 2;
        peer.Send(header, changed);
        Assert.True(peer.IsClosedByPeer());
        RunResult result = server.WaitForEnd(); // nobody takes the session up again
        Assert.Contains("checksum of the payload", result.Failure, StringComparison.Ordinal);
        Assert.Equal([1f], result.Model!);
    }
}
