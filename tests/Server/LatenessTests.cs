using System;
using HpAsyncPs.Server;
using Xunit;

namespace HpAsyncPs.Tests.Server;

public sealed class LatenessTests
{
    [Fact]
    public void Where_times_do_not_vary_the_deadline_is_beyond_them()
    {
        var lateness = new Lateness();
        for (int j = 0; j < 100; j++)
            lateness.Add(1);
        Assert.InRange(lateness.Of(8, contracts: true), 1.01, 10);
    }

    [Fact]
    public void One_of_many_that_takes_very_long_now_and_then_is_not_waited_for()
    {
        var lateness = new Lateness();
        for (int j = 0; j < 256; j++)
            lateness.Add(j % 16 == 0 ? 50 : 1 + (0.001 * (j % 7)));
        Assert.InRange(lateness.Of(8, contracts: true), 1, 1.1);
        Assert.InRange(lateness.Of(2, contracts: true), 50, 1000); // one of two alone would go elsewhere
        Assert.InRange(new Lateness().Of(8, contracts: true), 2, 100); // nothing is known
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void A_round_takes_what_the_largest_of_its_times_takes(int workers)
    {
        var lateness = new Lateness();
        var random = new Random(1);
        double[] times = new double[256];
        for (int j = 0; j < times.Length; j++)
            lateness.Add(times[j] = Math.Exp(0.5 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5)));
        double[] seconds = new double[workers], shares = new double[workers];
        Array.Fill(seconds, 0.1);
        Array.Fill(shares, 1.0 / workers);
        seconds[0] = 0.2;
        double sum = 0;
        const int draws = 200_000;
        for (int j = 0; j < draws; j++)
        {
            double largest = 0;
            for (int k = 0; k < workers; k++)
                largest = Math.Max(largest, seconds[k] * times[random.Next(times.Length)]);
            sum += largest / draws;
        }

        (double round, _) = lateness.Barrier(seconds, shares, 0.8);
        Assert.Equal(sum, round, 0.02 * sum);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(1.1, true)]
    [InlineData(3, false)]
    public void A_barrier_is_worth_it_while_it_costs_less_than_a_fifth_of_the_passes(double times, bool isWorth)
    {
        var lateness = new Lateness();
        double[] seconds = [0.1 * times, 0.1, 0.1, 0.1], shares = [0.25, 0.25, 0.25, 0.25];
        (double round, bool worth) = lateness.Barrier(seconds, shares, 0.8);
        Assert.Equal(0.1 * times, round, 1e-12);
        Assert.Equal(isWorth, worth);
    }
}
