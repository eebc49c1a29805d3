using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Worker;

/// <summary>Invariant 4.</summary>
public sealed class NeverBlocksTests
{
    // More than the buffers of a loopback connection hold.
    private const int Parameters = 4 * 1024 * 1024;

    [Fact]
    public void TryPush_to_a_server_that_does_not_read_returns_and_says_no_when_the_window_is_full()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        RawPeer? server = null;
        var accept = new Thread(() =>
        {
            server = new RawPeer(listener.Accept());
            server.Receive(FrameKind.Join);
            server.Send(new FrameHeader(FrameKind.Admitted), new AdmittedMessage(0).Write);
            server.Send(new FrameHeader(FrameKind.Start), new StartMessage(1, Parameters, 1, false, []).Write);
        });
        accept.Start();
        WorkerClient? worker = null;
        int accepted = 0, steps = 0;
        var compute = new Thread(() =>
        {
            worker = WorkerClient.Connect(listener.LocalEndPoint!.ToString()!, new WorkerOptions { Parameters = Parameters });
            using var loop = new TrainingLoop(worker.Session, new HalvingTask(Parameters), TimeProvider.System);
            while (loop.Next(out TimeSpan wait) is NextAction next && steps < 100)
            {
                if (next == NextAction.Step)
                {
                    loop.Step();
                    steps++;
                }
                else if (wait == Timeout.InfiniteTimeSpan)
                {
                    break; // idle, and it knows it: nothing blocks
                }
            }

            accepted = (int)worker.Session.Pushed;
        });
        compute.IsBackground = true;
        compute.Start();
        Assert.True(compute.Join(TimeSpan.FromSeconds(30)), "the computing thread hangs on the network");
        accept.Join();
        Assert.Equal(Limits.Window, accepted);
        Assert.Equal(Limits.Window, steps);
        Assert.False(worker!.Session.TryPush(new float[Parameters], 1));
        server!.Dispose();
        worker.Dispose();
    }

    [Fact]
    public void Async_a_worker_that_neither_reads_nor_finishes_a_push_delays_nobody()
    {
        using var server = new LoopbackServer(new ServerOptions { Workers = 2, Evaluates = false, LivenessTimeout = TimeSpan.FromSeconds(4) });
        using RawPeer stuck = RawPeer.ConnectTo(server.Address);
        stuck.Join(1, Parameters);
        stuck.Receive(FrameKind.Admitted);
        ulong session = stuck.SessionNumber;
        using (WorkerClient worker = server.Connect(Parameters, 0))
        {
            float[] x = new float[Parameters];
            x[5] = 2;
            worker.Push(x);
            worker.Pull();
            worker.Wait();

            // The stuck one asks for 16 MB that it will not read, and leaves a push half sent.
            stuck.Send(new FrameHeader(FrameKind.Pull) { Session = session }, []);
            stuck.Socket.Send(new byte[10]);
            for (int push = 0; push < 20; push++)
            {
                x[5]++;
                worker.Push(x);
                worker.Pull();
                worker.Wait();
                Assert.Equal(x[5] / 2, worker.Snapshot[5]);
            }
        }

        stuck.Dispose();
        server.Host.RequestStop("test");
        server.WaitForEnd();
    }
}
