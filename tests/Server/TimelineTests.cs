using System;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Server;

/// <summary>Where the time of a run went, and how late pushes were: nothing is lost, nothing allocated.</summary>
public sealed class TimelineTests
{
    [Fact]
    public void Merging_conserves_each_workers_seconds_of_each_activity()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            int workers = random.Next(1, 5);
            var timeline = new Timeline(workers);
            double[,] told = new double[workers, 3];
            double now = 0, shortest = Timeline.ShortestBin;
            for (int message = random.Next(1, 600); message > 0; message--)
            {
                now += Math.Pow(10, (random.NextDouble() * 6) - 5);
                int rank = random.Next(workers);
                for (int activity = 0; activity < 3; activity++)
                    told[rank, activity] += random.Next(3) * random.NextDouble();
                timeline.Record(rank, now, new ProgressMessage(told[rank, 0], told[rank, 1], told[rank, 2]));
                Assert.True(timeline.Seconds <= now && timeline.Seconds <= timeline.BinSeconds * Timeline.MostBins);
                Assert.InRange(timeline.Bins, 0, Timeline.MostBins);
                if (timeline.BinSeconds > shortest)
                    Assert.True(timeline.Seconds > timeline.BinSeconds * Timeline.MostBins / 2, "merged, though it had room");
            }

            for (int rank = 0; rank < workers; rank++)
            {
                AssertSum(told[rank, 0], timeline.Of(rank, Activity.Busy));
                AssertSum(told[rank, 1], timeline.Of(rank, Activity.Idle));
                AssertSum(told[rank, 2], timeline.Of(rank, Activity.Evaluating));
            }
        }
    }

    [Fact]
    public void Long_step_is_spread_over_its_length_and_not_over_the_last_message()
    {
        var timeline = new Timeline(1);
        for (int message = 1; message < 10; message++)
            timeline.Record(0, message * 0.05, new ProgressMessage(0, 0, 0));
        timeline.Record(0, 0.5, new ProgressMessage(0.5, 0, 0));
        timeline.Record(0, 0.6, new ProgressMessage(0.5, 0.1, 0));
        ReadOnlySpan<double> busy = timeline.Of(0, Activity.Busy), idle = timeline.Of(0, Activity.Idle);
        Assert.Equal(120, busy.Length);
        for (int bin = 0; bin < busy.Length; bin++)
        {
            Assert.Equal(bin < 100 ? 0.005 : 0, busy[bin], 1e-12);
            Assert.Equal(bin < 100 ? 0 : 0.005, idle[bin], 1e-12);
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    public void Odd_times_and_totals_that_go_down_do_no_harm(double now)
    {
        var timeline = new Timeline(2);
        timeline.Record(0, 1, new ProgressMessage(0.5, 0.25, 0.125));
        timeline.Record(0, now, new ProgressMessage(1e12, 0, 0));
        timeline.Record(0, 2, new ProgressMessage(1, 1, 1));
        AssertSum(1e12, timeline.Of(0, Activity.Busy));
        AssertSum(1, timeline.Of(0, Activity.Idle));
        AssertSum(1, timeline.Of(0, Activity.Evaluating));
        AssertSum(0, timeline.Of(1, Activity.Busy));
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        var timeline = new Timeline(8);
        var staleness = new LagHistogram();
        Feed(timeline, staleness, 0);

        // A collection on another thread can end this thread's allocation buffer, which counts; code that allocates does so each time.
        long least = long.MaxValue;
        for (int round = 1; round <= 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Feed(timeline, staleness, round);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.True(timeline.BinSeconds > Timeline.ShortestBin, "it never merged: the test tests less than it says");
    }

    [Fact]
    public void Staleness_bins_count_every_push_once_in_the_range_of_its_lag()
    {
        var monitor = new LagHistogram();
        Assert.Empty(monitor.Bins());
        var random = new Random(3);
        var lags = new List<long> { 0, 1, 2, 3, 4, 5, 6, 7, 8, 1L << 40, long.MaxValue };
        for (int push = 0; push < 20_000; push++)
            lags.Add((long)Math.Pow(2, random.NextDouble() * 50) - 1);
        foreach (long lag in lags)
            monitor.Record(lag);
        long all = 0, next = 0;
        foreach (StalenessBin bin in monitor.Bins())
        {
            Assert.Equal(next, bin.Least);
            Assert.Equal(lags.FindAll(lag => lag >= bin.Least && lag <= bin.Most).Count, bin.Pushes);
            all += bin.Pushes;
            next = unchecked(bin.Most + 1);
        }

        Assert.Equal(lags.Count, all);
    }

    private static void Feed(Timeline timeline, LagHistogram staleness, int round)
    {
        for (int message = 0; message < 5000; message++)
        {
            double at = (round * 5000) + message;
            timeline.Record(message % 8, at / 100, new ProgressMessage(at, at / 2, at / 4));
            staleness.Record(message * 7);
        }
    }

    private static void AssertSum(double expected, ReadOnlySpan<double> bins)
    {
        double sum = 0;
        foreach (double bin in bins)
        {
            Assert.True(bin >= 0);
            sum += bin;
        }

        Assert.Equal(expected, sum, 1e-9 * Math.Max(1, expected));
    }
}
