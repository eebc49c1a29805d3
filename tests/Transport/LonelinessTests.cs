using System;
using HpAsyncPs.Transport;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace HpAsyncPs.Tests.Transport;

/// <summary>When a thread that spins stops because it shares its core, and when it tries again.</summary>
public sealed class LonelinessTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);
    private readonly FakeTimeProvider _time = new();
    private readonly Loneliness _loneliness;
    private long _times = 1000; // before it began

    public LonelinessTests()
    {
        _loneliness = new Loneliness(_time);
        Pass(1);
    }

    [Fact]
    public void Who_is_pushed_aside_seldom_spins_on()
    {
        for (int j = 0; j < 100; j++)
        {
            _times++;
            Pass(6);
            Assert.True(_loneliness.IsAlone);
        }
    }

    [Fact]
    public void Who_is_pushed_aside_again_and_again_pauses_twice_as_long_each_time_and_no_longer_than_eight_seconds()
    {
        int last = 0;
        foreach (int milliseconds in (int[])[500, 1000, 2000, 4000, 8000, 8000])
        {
            Disturb(7); // a trial, and a little more
            Assert.False(_loneliness.IsAlone);
            last = 0;
            while (!_loneliness.IsAlone)
            {
                _times++;
                Pass(1);
                last += 5;
            }

            Assert.InRange(last, milliseconds - 5, milliseconds + 5);
        }
    }

    [Fact]
    public void Disturbance_within_a_trial_is_forgiven()
    {
        Disturb(5);
        Assert.True(_loneliness.IsAlone);
        Pass(100);
        Assert.True(_loneliness.IsAlone);
    }

    [Fact]
    public void After_a_long_time_alone_the_first_pause_is_short_again()
    {
        Disturb(7);
        while (!_loneliness.IsAlone)
            Pass(1);
        Pass(1000);
        Disturb(2);
        Assert.False(_loneliness.IsAlone);
        Pass(50);
        Assert.True(_loneliness.IsAlone);
    }

    private void Disturb(int ticks)
    {
        for (int tick = 0; tick < ticks; tick++)
        {
            _times++;
            Pass(1);
        }
    }

    private void Pass(int ticks)
    {
        for (int tick = 0; tick < ticks; tick++)
        {
            _time.Advance(Tick);
            _loneliness.Observe(_time.GetTimestamp(), _times);
        }
    }
}
