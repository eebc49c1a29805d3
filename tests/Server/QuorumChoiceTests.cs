using System;
using HpAsyncPs.Server;
using Xunit;

namespace HpAsyncPs.Tests.Server;

public sealed class QuorumChoiceTests
{
    private static double[] Shares(int workers)
    {
        double[] shares = new double[workers];
        Array.Fill(shares, 1.0 / workers);
        return shares;
    }

    private static double[] OneSlow(int workers, double times)
    {
        double[] seconds = new double[workers];
        Array.Fill(seconds, 0.01);
        seconds[0] *= times;
        return seconds;
    }

    [Theory]
    [InlineData(8, 1, 8)]
    [InlineData(8, 8, 7)]
    [InlineData(8, 30, 7)]
    [InlineData(4, 8, 3)]
    [InlineData(2, 8, 2)] // one of two alone has half of the data: the model is not of that
    [InlineData(2, 1000, 2)]
    public void One_slow_worker_is_waited_for_where_that_is_worth_it(int workers, double times, int expected)
    {
        double[] seconds = OneSlow(workers, times);
        QuorumChoice.Quorum best = new QuorumChoice(workers).Best(seconds, Shares(workers), 0.04);
        int quorum = 0;
        foreach (double one in seconds)
            quorum += one <= best.Slowest ? 1 : 0;
        Assert.Equal(expected, quorum);
    }

    /// <summary>The rate that is computed by a root is that at which the recursion falls.</summary>
    [Theory]
    [InlineData(8, 2.0)]
    [InlineData(4, 3.0)]
    [InlineData(16, 5.0)]
    public void Rate_is_that_of_the_recursion(int workers, double lateRounds)
    {
        const double second = 0.04, fast = 0.01;
        double[] seconds = OneSlow(workers, 1), shares = Shares(workers);
        // s = 1.5 t / round - 0.5, whole rounds here
        seconds[0] = (lateRounds + 0.5) / 1.5 * (fast + second);
        QuorumChoice.Quorum quorum = QuorumChoice.Weigh(seconds, shares, fast, second);
        double[] e = new double[400];
        int s = (int)lateRounds;
        for (int t = 0; t < e.Length; t++)
            e[t] = t <= s ? 1 : QuorumChoice.Contraction * (((1 - shares[0]) * e[t - 1]) + (shares[0] * e[t - 1 - s]));
        double fall = -Math.Log(e[300] / e[200]) / 100 / (fast + second);
        Assert.Equal(fall, quorum.Rate, 1e-3 * fall);
    }

    [Fact]
    public void Times_that_are_not_known_are_waited_for()
    {
        QuorumChoice.Quorum best = new QuorumChoice(4).Best(new double[4], Shares(4), 0.04);
        Assert.True(best.Slowest >= 0 && double.IsFinite(best.Rate));
    }
}
