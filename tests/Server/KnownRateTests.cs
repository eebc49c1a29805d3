using HpAsyncPs.Server;
using HpAsyncPs.Transport;
using Xunit;

namespace HpAsyncPs.Tests.Server;

public sealed class KnownRateTests
{
    [Fact]
    public void A_link_that_is_not_full_now_is_no_faster_one_until_it_was_not_for_long()
    {
        var rate = new KnownRate();
        Assert.Equal(double.PositiveInfinity, rate.See(double.PositiveInfinity));
        Assert.Equal(1e7, rate.See(1e7));
        for (int look = 0; look < KnownRate.LooksRemembered; look++)
            Assert.Equal(1e7, rate.See(double.PositiveInfinity));
        Assert.Equal(double.PositiveInfinity, rate.See(double.PositiveInfinity));
        Assert.Equal(2e7, rate.See(2e7));
        Assert.Equal(1e3, rate.See(0));
    }

    [Fact]
    public void What_a_byte_takes_is_measured()
    {
        double seconds = TransferCost.SecondsOfByte(System.TimeProvider.System);
        Assert.InRange(seconds, 1e-12, 1e-6);
    }
}
