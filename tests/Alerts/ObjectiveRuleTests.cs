using System;
using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Alerts;

/// <summary>When an objective does not fall, and when it only looks so.</summary>
public sealed class ObjectiveRuleTests
{
    [Fact]
    public void Descent_to_where_floats_get_no_nearer_is_no_trouble()
    {
        var rule = new ObjectiveRule(null);
        var noise = new Random(1);
        for (int j = 0; j < 2000; j++)
            Assert.Null(rule.Evaluated(0.3333 + (0.36 * Math.Exp(-j / 50.0)) + (1e-8 * noise.NextDouble()), 5 * j));
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.03)]
    public void Noise_of_gradients_around_a_floor_is_no_trouble(double sigma)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var rule = new ObjectiveRule(null);
            var noise = new Random(seed);
            for (int j = 0; j < 2000; j++)
                Assert.Null(rule.Evaluated(0.33 + (0.36 * Math.Exp(-j / 20.0)) + (0.36 * sigma * (noise.NextDouble() + noise.NextDouble() - 1)), 5 * j));
        }
    }

    [Fact]
    public void Getting_worse_is_told_once_until_there_is_a_new_best()
    {
        var rule = new ObjectiveRule(null);
        double seconds = 0;
        for (int j = 0; j < 50; j++, seconds += 3)
            Assert.Null(rule.Evaluated(1 - (0.01 * j), seconds));
        int told = 0;
        for (int j = 0; j < 100; j++, seconds += 3)
        {
            if (rule.Evaluated(0.6 + (0.001 * j), seconds) is { } reason)
            {
                told++;
                Assert.Equal(ObjectiveRule.Window - 1, j);
                Assert.Contains("which is worse", reason, StringComparison.Ordinal);
            }
        }

        Assert.Equal(1, told);
        Assert.Null(rule.Evaluated(0.4, seconds));
        for (int j = 0; j < 30; j++, seconds += 3)
            told += rule.Evaluated(0.9, seconds) is null ? 0 : 1;
        Assert.Equal(2, told);
    }

    [Fact]
    public void Nothing_is_told_within_half_a_minute()
    {
        var rule = new ObjectiveRule(null);
        rule.Evaluated(1, 0);
        for (int j = 1; j < 200; j++)
            Assert.Null(rule.Evaluated(2, 0.1 * j));
        Assert.NotNull(rule.Evaluated(2, 30));
    }

    [Fact]
    public void What_stays_where_it_is_is_told_only_where_a_target_is_not_reached()
    {
        foreach ((double? target, bool isTold) in new (double?, bool)[] { (null, false), (0.6, false), (0.5, false), (0.4, true) })
        {
            var rule = new ObjectiveRule(target);
            string? told = rule.Evaluated(1, 0);
            for (int j = 0; j < 100; j++)
                told ??= rule.Evaluated(0.5, 3 * j);
            Assert.Equal(isTold, told is not null);
            Assert.True(told is null || told.Contains("the target 0.4 is not reached", StringComparison.Ordinal), told);
        }
    }

    [Fact]
    public void What_is_no_number_is_worse()
    {
        var rule = new ObjectiveRule(null);
        rule.Evaluated(1, 0);
        string? told = null;
        for (int j = 1; j < 40; j++)
            told ??= rule.Evaluated(double.NaN, 3 * j);
        Assert.NotNull(told);
        var other = new ObjectiveRule(null);
        other.Evaluated(1, 0);
        told = null;
        for (int j = 1; j < 40; j++)
            told ??= other.Evaluated(double.PositiveInfinity, 3 * j);
        Assert.NotNull(told);
    }
}
