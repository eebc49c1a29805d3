using System;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Worker;

/// <summary>How slow, and when.</summary>
public sealed class SlownessTests
{
    [Theory]
    [InlineData("8", 0, 8)]
    [InlineData("8", 1e6, 8)]
    [InlineData("8@10s-20s", 9.9, 1)]
    [InlineData("8@10s-20s", 10, 8)]
    [InlineData("8@10s-20s", 20, 1)]
    [InlineData("2,8@10s-20s,3@15s-1min", 5, 2)]
    [InlineData("2,8@10s-20s,3@15s-1min", 16, 8)]
    [InlineData("2,8@10s-20s,3@15s-1min", 30, 3)]
    public void Factor_is_the_largest_that_holds(string text, double seconds, double factor)
    {
        Assert.True(Slowness.TryParse(text, out Slowness slowness, out string error), error);
        Assert.Equal(factor, slowness.FactorAt(TimeSpan.FromSeconds(seconds)));
    }

    [Theory]
    [InlineData("", "FACTOR must be 1 to")]
    [InlineData("0.5", "FACTOR must be 1 to")]
    [InlineData("nan", "FACTOR must be 1 to")]
    [InlineData("8@", "FROM-TO")]
    [InlineData("8@10s", "FROM-TO")]
    [InlineData("8@10-20", "us, ms, s, min or h")]
    [InlineData("8@20s-10s", "FROM before TO")]
    [InlineData("8@-5s-10s", "FROM-TO")]
    [InlineData("8,4", "two factors for all the time")]
    public void What_cannot_be_read_is_said(string text, string message)
    {
        Assert.False(Slowness.TryParse(text, out _, out string error));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8", 3, 2, 16)]
    [InlineData("4@2s-10s", 1, 2, 5)] // a second at full speed, the other four times slower
    [InlineData("4@2s-10s", 8, 2, 3.5)] // 2 s make half a second of work
    [InlineData("4@2s-10s", 0, 10, 16)] // through it
    public void Work_is_stretched_where_it_is_slow(string text, double begin, double work, double took)
    {
        Assert.True(Slowness.TryParse(text, out Slowness slowness, out _));
        Assert.Equal(TimeSpan.FromSeconds(took), slowness.Stretch(TimeSpan.FromSeconds(begin), TimeSpan.FromSeconds(1), work));
    }

    [Theory]
    [InlineData("100us", 1000)]
    [InlineData("1.5s", 15_000_000)]
    [InlineData("0s", 0)]
    [InlineData("2min", 1_200_000_000)]
    public void Durations_have_units(string text, long ticks)
    {
        Assert.True(Durations.TryParse(text, out TimeSpan duration));
        Assert.Equal(ticks, duration.Ticks);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1 s")]
    [InlineData("1e3s")]
    [InlineData("9999999999h")]
    public void Other_texts_are_no_durations(string text) => Assert.False(Durations.TryParse(text, out _));
}
