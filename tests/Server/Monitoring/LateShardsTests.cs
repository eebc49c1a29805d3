using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>A server that workers wait for is named, and only that one.</summary>
public sealed class LateShardsTests
{
    [Fact]
    public void Server_that_is_waited_for_is_named_and_forgotten_when_it_is_in_time()
    {
        var late = new LateShards(2, 3);
        double[] one = new double[3], other = new double[3];
        int named = -1;
        for (int second = 1; second <= 20; second++)
        {
            one[2] += 0.5;
            other[2] += 0.3;
            other[0] += 0.05;
            late.Told(0, one, second);
            late.Told(1, other, second + 0.5);
            int change = late.Change(out bool isLate);
            if (change < 0)
                continue;
            Assert.Equal((-1, 2, true), (named, change, isLate));
            named = change;
            Assert.InRange(second, 4, 12);
        }

        Assert.Equal(2, named);
        Assert.InRange(late.Shares[2], 0.33, 0.4);
        Assert.InRange(late.Shares[0], 0.015, 0.025);
        for (int second = 21; second <= 60; second++)
        {
            late.Told(0, one, second);
            late.Told(1, other, second + 0.5);
            if (late.Change(out bool isLate) is >= 0 and var change)
            {
                Assert.Equal((2, false), (change, isLate));
                named = -1;
            }
        }

        Assert.Equal(-1, named);
    }

    [Fact]
    public void Worker_in_anothers_place_begins_at_zero_and_what_does_not_fit_is_left()
    {
        var late = new LateShards(1, 2);
        late.Told(0, [100, 0], 1); // at most all of the time
        Assert.InRange(late.Shares[0], 0.09, 0.1);
        late.Told(0, [1, 0], 2);
        Assert.InRange(late.Shares[0], 0.08, 0.09);
        double before = late.Shares[0];
        late.Told(0, [5, 5, 5], 3);
        late.Told(0, null, 4);
        late.Told(0, [1, 0], 2); // no time has passed
        Assert.Equal(before, late.Shares[0]);
    }

    [Fact]
    public void Worker_that_has_gone_waits_for_nobody()
    {
        var late = new LateShards(2, 2);
        late.Told(0, [0, 5], 10);
        Assert.InRange(late.Shares[1], 0.15, 0.17);
        late.Forget(0);
        Assert.Equal(0, late.Shares[1]);
    }
}
