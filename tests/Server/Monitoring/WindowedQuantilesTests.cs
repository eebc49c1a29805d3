using System;
using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>Windowed quantiles against sorted numbers; what leaves the window, and what does not.</summary>
public sealed class WindowedQuantilesTests
{
    [Fact]
    public void Quantiles_are_within_3_percent_and_small_whole_numbers_exact()
    {
        var random = new Random(2);
        foreach (bool whole in (bool[])[true, false])
        {
            var window = new WindowedQuantiles(whole ? 0 : -20, 16);
            double[] all = new double[5000];
            for (int j = 0; j < all.Length; j++)
            {
                all[j] = whole ? random.Next(32) : Math.Exp(random.NextDouble() * 20 - 12);
                window.Record(all[j], j * 1e-3);
            }

            Array.Sort(all);
            Quantiles read = window.Read();
            Check(all[2499], read.P50);
            Check(all[4499], read.P90);
            Check(all[4949], read.P99);
            Assert.Equal(all[^1], read.Max);

            void Check(double expected, double actual) => Assert.InRange(actual, expected * (whole ? 1 : 0.968), expected * (whole ? 1 : 1.032));
        }
    }

    [Fact]
    public void Old_numbers_leave_after_a_minute_or_so_but_never_the_last_64()
    {
        var window = new WindowedQuantiles(-20, 16);
        for (int j = 0; j < 1000; j++)
            window.Record(8, j * 0.01);
        for (double now = 10; now < 100; now += 0.1)
            window.Record(1, now);
        Assert.Equal(1, window.Read().Max);
        Assert.InRange(window.Count, 400, 900);
        var rare = new WindowedQuantiles(-20, 16);
        for (int j = 0; j < 500; j++)
        {
            rare.Record(j, j * 60);
            Assert.InRange(rare.Count, Math.Min(j + 1, WindowedQuantiles.LeastKept), 2 * WindowedQuantiles.LeastKept);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1e-300)]
    [InlineData(double.Epsilon)]
    [InlineData(1e300)]
    [InlineData(double.PositiveInfinity)]
    public void Odd_numbers_do_no_harm(double value)
    {
        var window = new WindowedQuantiles(-20, 16);
        Assert.Equal(Quantiles.None, window.Read());
        window.Record(value, 0);
        Assert.Equal(1, window.Count);
        Assert.InRange(window.Read().P50, 0, 1e5);
    }

    [Fact]
    public void Recording_and_reading_allocate_nothing()
    {
        var window = new WindowedQuantiles(-20, 16);
        Feed(window);
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Feed(window);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private static void Feed(WindowedQuantiles window)
    {
        for (int j = 0; j < 10_000; j++)
            window.Record(j, j);
        _ = window.Read();
    }
}
