using System;
using System.Diagnostics;
using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>What the monitor takes of memory and of the shard's thread. Times are printed and not judged: -diagnostics shows them.</summary>
public sealed class CostTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(8)]
    [InlineData(1000)]
    public void A_worker_takes_less_than_16_KiB_and_recording_fitting_looking_and_viewing_allocate_nothing(int workers)
    {
        const int pushes = 2_000_000;
        long before = GC.GetAllocatedBytesForCurrentThread();
        var monitor = new StalenessMonitor(workers, () => default);
        double bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)workers;
        monitor.Begin(0);
        output.WriteLine($"{bytes:0} bytes a worker, {new WorkerTimes().Bytes} of them numbers");
        Assert.InRange(bytes, 1000, (16 * 1024) + (100_000.0 / workers)); // and the rings of all
        double now = 0;
        Push(pushes);
        Study(workers);
        Action pushing = () => Push(pushes), studying = () => Study(workers), looking = Look, viewing = View;
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 6; attempt++) // the first are not compiled for good yet
        {
            now += 2;
            before = GC.GetAllocatedBytesForCurrentThread();
            double push = Time(pushing) / pushes, study = Time(studying) / workers, look = Time(looking) / workers, view = Time(viewing) / workers;
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            output.WriteLine($"{workers} workers: push {push * 1e9:0} ns, fit {study * 1e6:0.0} us, look {look * 1e9:0} ns, view {view * 1e6:0.00} us of a worker");
        }

        Assert.Equal(0, least);

        void Push(int count)
        {
            for (int push = 0; push < count; push++)
            {
                now += 1e-5;
                monitor.Pushed(push % workers, push % 7, 1, 1e-2 * (1 + (push % 13)), now, isMeasured: true);
                monitor.Sent(push % workers);
            }
        }

        void Study(int count)
        {
            for (int j = 0; j < count; j++)
                monitor.Study(now);
        }

        void Look()
        {
            for (int rank = 0; rank < workers; rank++)
                monitor.Look(rank, new Sight(true, false, 0, true, false, 0.001, ""), now);
        }

        void View()
        {
            for (int rank = 0; rank < workers; rank++)
                _ = monitor.View(rank, 0.001, now);
        }
    }

    private static double Time(Action act)
    {
        long start = Stopwatch.GetTimestamp();
        act();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
