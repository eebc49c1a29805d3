using System;
using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>Slow beside the others: entered late enough, and left, without flapping.</summary>
public sealed class SlowTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("lognormal 1")]
    [InlineData("exponential")]
    [InlineData("constant 1 %")]
    public void Equal_workers_are_hardly_ever_slow(string family)
    {
        int slow = 0;
        for (int seed = 0; seed < 10; seed++)
        {
            var traces = new MonitoredTraces(family, (ulong)seed, 1, double.PositiveInfinity);
            traces.RunTo(3600);
            slow += traces.Count(WorkerState.Slow);
        }

        output.WriteLine($"{family}: {slow} times in 80 hours of a worker");
        Assert.InRange(slow, 0, 1);
    }

    [Fact]
    public void Worker_that_becomes_8_times_slower_is_slow_once_and_others_are_not()
    {
        for (int seed = 0; seed < 10; seed++)
        {
            var traces = new MonitoredTraces("8 times slower midway", (ulong)seed, 0.3, 1000);
            traces.RunTo(500);
            Assert.Equal(0, traces.Count(WorkerState.Slow));
            traces.RunTo(1000);
            MonitorEvent one = Assert.Single(traces.Events, static change => change.To == WorkerState.Slow);
            Assert.Equal(0, one.Rank);
            Assert.InRange(one.Seconds, 550, 670); // 33 to 65 pushes of 2.4 s
            Assert.Equal(WorkerState.Slow, traces.Monitor.StateOf(0));
        }
    }

    [Fact]
    public void It_is_slow_no_more_when_its_passes_are_short_again()
    {
        var monitor = new StalenessMonitor(2, () => default);
        monitor.Begin(0);
        double now = 0;
        Push(0.1, 300);
        Assert.Equal(WorkerState.Slow, monitor.StateOf(1));
        Push(0.018, 6000);
        Assert.Equal(WorkerState.Computing, monitor.StateOf(1));

        void Push(double took, int pushes)
        {
            for (int push = 0; push < pushes; push++)
            {
                now += took;
                monitor.Pushed(0, 1, 1, 0.02, now, isMeasured: true);
                monitor.Pushed(1, 1, 1, took, now, isMeasured: true);
                monitor.Study(now);
                monitor.Look(0, new Sight(true, false, 0, true, false, 0, ""), now);
                monitor.Look(1, new Sight(true, false, 0, true, false, 0, ""), now);
            }
        }
    }
}
