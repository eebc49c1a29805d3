using System;
using System.Threading;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Server.Monitoring;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Transport;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Allocation;

/// <summary>Invariant 5, over real sockets, both ends in this process: after warm-up push and pull allocate nothing.</summary>
[Collection(Alone.Name)]
public sealed class SteadyStateTests
{
    private const int Attempts = 5;
    private const int MostByRuntime = 1024;

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(1000, 1000)]
    [InlineData(Limits.ChunkParameters + 5000, 200)]
    public void PushPull_after_warm_up_allocates_nothing_at_either_end(int parameters, int pushes)
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
        using (WorkerClient worker = server.Connect(parameters))
        {
            Assert.Equal(0, LeastAllocated(worker, new float[parameters], pushes));
        }

        server.WaitForEnd();
    }

    /// <summary>The monitor sees each push and shows what it knows to a reader that always wants more: neither that nor a fit allocates.</summary>
    [Fact]
    public void PushPull_while_another_thread_reads_the_monitor_allocates_nothing()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
        MonitorView view = server.Host.NewView();
        int views = 0;
        bool agrees = true, ends = false;
        var reader = new Thread(() =>
        {
            while (!Volatile.Read(ref ends))
            {
                Thread.Sleep(1);
                if (!server.Host.ReadMonitor(view))
                    continue;
                views++;
                agrees &= view.Run.Pushes == view.Workers[0].Pushes;
            }
        });
        using (WorkerClient worker = server.Connect(1000))
        {
            reader.Start();
            float[] x = new float[1000];
            for (int warming = 0; warming < 20 || view.Workers[0].Times.Family == TimeFamily.Unknown; warming++)
            {
                Repeat(worker, x, 1000); // until times have been fitted, and views filled
                Assert.True(warming < 10_000, "no times are fitted");
            }

            Assert.Equal(0, LeastAllocated(worker, x, 20_000)); // a second or more: some fits, and views
        }

        server.WaitForEnd();
        Volatile.Write(ref ends, true);
        reader.Join();
        Assert.True(agrees, "a view was of two moments");
        Assert.True(views > 100, "hardly a view was read");
        Assert.True(server.Host.ReadMonitor(view) && view.Run.Phase == "Ended" && view.Workers[0].State == WorkerState.Left, $"{view.Run.Phase}, {view.Workers[0].State}");
    }

    [Theory]
    [InlineData("int4", 1000, 1000)]
    [InlineData("int4", Limits.ChunkParameters + 5000, 200)]
    [InlineData("topk:0.01:int8", 1000, 1000)]
    [InlineData("topk:0.01:int8", Limits.ChunkParameters + 5000, 200)]
    public void Coded_PushPull_after_warm_up_allocates_nothing_at_either_end(string codec, int parameters, int pushes)
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Codec = CodecSpec.Parse(codec) });
        using (WorkerClient worker = server.Connect(parameters))
            Assert.Equal(0, LeastAllocated(worker, new float[parameters], pushes));
        server.WaitForEnd();
    }

    [Theory]
    [InlineData(1000, 100, 50)]
    [InlineData(1000, 1000, null)]
    [InlineData(Limits.ChunkParameters + 5000, 50, 50)]
    public void PushPull_with_a_journal_allocates_nothing_at_either_end(int parameters, int pushes, int? milliseconds)
    {
        using var folder = new TempFolder();
        using StateFolder kept = StateFolder.Open(folder.In("state"));
#pragma warning disable CA2000 // the host owns it
        var state = new DurableState(kept.Journal, kept.Checkpoints, milliseconds is { } interval ? TimeSpan.FromMilliseconds(interval) : null);
#pragma warning restore CA2000
        using ServerHost host = ServerHost.Start(new ServerOptions { Evaluates = false }, Listener.Start(Endpoint.Parse("127.0.0.1:0")), state: state);
        using (WorkerClient worker = WorkerClient.Connect(host.Address, new WorkerOptions { Parameters = parameters }))
            Assert.Equal(0, LeastAllocated(worker, new float[parameters], pushes));
        Assert.NotNull(host.Wait(TimeSpan.FromSeconds(10)));
    }

    /// <summary>With two workers, whom rounds wait for: auto thinks about that after each round.</summary>
    [Theory]
    [InlineData("bsp")]
    [InlineData("bsp:1")]
    [InlineData("ssp:2")]
    [InlineData("auto")]
    public void PushPull_of_workers_that_wait_for_each_other_allocates_nothing_at_either_end(string policy)
    {
        using var server = new LoopbackServer(new ServerOptions { Policy = policy, Workers = 2, Evaluates = false, Spin = false });
        bool ends = false;
        var other = new Thread(() =>
        {
            using WorkerClient second = server.Connect(1000);
            float[] x = new float[1000];
            while (!Volatile.Read(ref ends))
                Repeat(second, x, 1);
        })
        {
            IsBackground = true,
        };
        other.Start();
        using (WorkerClient worker = server.Connect(1000))
        {
            try
            {
                Assert.Equal(0, LeastAllocated(worker, new float[1000], 3000));
            }
            finally
            {
                Volatile.Write(ref ends, true);
            }
        }

        other.Join();
        server.WaitForEnd();
    }

    [Theory]
    [InlineData("asp:sgd")]
    [InlineData("asp:adagrad")]
    [InlineData("asp:adam")]
    [InlineData("asp:sum")]
    public void PushPull_of_gradients_after_warm_up_allocates_nothing_at_either_end(string policy)
    {
        using var server = new LoopbackServer(new ServerOptions { Policy = policy, Rate = 1e-3, Evaluates = false });
        using (WorkerClient worker = server.Connect(1000, aggregate: Aggregate.Optimized))
            Assert.Equal(0, LeastAllocated(worker, new float[1000], 1000));
        server.WaitForEnd();
    }

    /// <summary>
    /// Counted on each of the three threads that take part. The runtime, which compiles hot code anew while it runs, allocates an object or two on
    /// them now and then (32 bytes in a million pushes were seen); native programs do not: StressSoakTests demand 0 of them.
    /// </summary>
    [Fact]
    public void A_million_pushes_with_pulls_allocate_nothing_on_any_thread_and_nothing_is_collected()
    {
        const int pushes = 1_000_000, window = Limits.Window;
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false, Spin = false });
        long network = 0, told = 0;
        int networkThread = 0;
        using (WorkerClient worker = server.Connect(16))
        {
            worker.Progress = () =>
            {
                Volatile.Write(ref network, GC.GetAllocatedBytesForCurrentThread());
                networkThread = Environment.CurrentManagedThreadId;
                Interlocked.Increment(ref told); // once a second
                return default;
            };
            float[] x = new float[16];
            Burst(worker, x, 20_000);
            Tell(); // the network's thread has told, and the server's counts
            int collections = GC.CollectionCount(0);
            long networkBefore = Volatile.Read(ref network), before = GC.GetAllocatedBytesForCurrentThread();
            Burst(worker, x, pushes);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostByRuntime);
            Tell();
            Assert.InRange(Volatile.Read(ref network) - networkBefore, 0, MostByRuntime);
            Assert.Equal(0, GC.CollectionCount(0) - collections);
            Assert.NotEqual(Environment.CurrentManagedThreadId, networkThread);
            Assert.Equal(20_000UL + pushes, worker.Version);
        }

        server.WaitForEnd();
        Assert.InRange(server.Host.Steady.AllocatedBytes ?? long.MaxValue, 0, MostByRuntime);
        Assert.Equal(0, server.Host.Steady.Collections);

        void Tell()
        {
            long before = Interlocked.Read(ref told);
            Eventually.Holds(() => Interlocked.Read(ref told) > before + 1, static () => "the network's thread tells nothing");
        }

        static void Burst(WorkerClient worker, float[] x, int pushes)
        {
            for (int push = 0; push < pushes; push++)
            {
                x[push % x.Length] += 1;
                worker.Push(x);
                worker.Pull();
                if (push % window == window - 1)
                    worker.Wait();
            }

            while (worker.Version < worker.Session.Pushed)
            {
                worker.Pull();
                worker.Wait();
            }
        }
    }

    [Fact]
    public void TrainingLoop_steps_after_warm_up_allocate_nothing()
    {
        using var server = new LoopbackServer(new ServerOptions { Evaluates = false });
        using (WorkerClient worker = server.Connect(100))
        {
            using var loop = new TrainingLoop(worker.Session, new HalvingTask(100), TimeProvider.System);
            Steps(loop, worker, 2000);
            long least = long.MaxValue;
            for (int attempt = 0; attempt < Attempts && least > 0; attempt++)
            {
                long before = GC.GetTotalAllocatedBytes(precise: true);
                Steps(loop, worker, 1000);
                least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            }

            Assert.Equal(0, least);
        }

        server.WaitForEnd();
    }

    private static long LeastAllocated(WorkerClient worker, float[] x, int pushes)
    {
        Repeat(worker, x, pushes);

        // What the runtime does beside us (a timer thread that is born, say) may allocate once; a push that
        // allocates does so in every attempt.
        long least = long.MaxValue;
        for (int attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Repeat(worker, x, pushes);
            long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
            least = Math.Min(least, allocated);
        }

        return least;
    }

    private static void Repeat(WorkerClient worker, float[] x, int pushes)
    {
        for (int push = 0; push < pushes; push++)
        {
            x[push % x.Length] += 1;
            worker.Push(x);
            worker.Pull();
            worker.Wait();
        }
    }

    private static void Steps(TrainingLoop loop, WorkerClient worker, int steps)
    {
        for (int step = 0; step < steps;)
        {
            if (loop.Next(out _) == NextAction.Step)
            {
                loop.Step();
                step++;
                continue;
            }

            lock (worker.Session.Gate)
            {
                if (loop.Next(out _) == NextAction.Wait)
                    Monitor.Wait(worker.Session.Gate, 1);
            }
        }
    }
}
