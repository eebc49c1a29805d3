using System;

namespace HpAsyncPs.Transport;

/// <summary>
/// Whether a thread that spins has its core to itself. The system takes the core away every few milliseconds from who shares it with somebody
/// who computes, and seldom from others. Where it is shared, the thread is to sleep at once for a time, and for twice as long each time
/// that another trial fails. A trial first gives the system the time to find another core for one of two that spin on the same.
/// </summary>
public sealed class Loneliness(TimeProvider time)
{
    private static readonly TimeSpan Trial = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);

    private TimeSpan _pause = ShortestPause;
    private long? _trialSince;
    private long _pausedSince;
    private long _times;
    private long _timesAt;

    /// <summary>It may spin.</summary>
    public bool IsAlone { get; private set; } = true;

    /// <summary>Every few milliseconds.</summary>
    /// <param name="now">The clock's time stamp.</param>
    /// <param name="times">How often the thread was pushed aside so far.</param>
    public void Observe(long now, long times)
    {
        bool disturbed = times > _times + 1 || (times > _times && time.GetElapsedTime(_timesAt, now) < Often);
        if (times > _times)
            (_times, _timesAt) = (times, now);
        if (!IsAlone)
        {
            if (time.GetElapsedTime(_pausedSince, now) >= _pause)
                (IsAlone, _trialSince) = (true, now);
            return;
        }

        TimeSpan spun = time.GetElapsedTime(_trialSince ??= now, now);
        if (spun < Trial)
            return;
        if (disturbed)
        {
            _pause = spun > ShortestPause ? ShortestPause : TimeSpan.FromTicks(Math.Min(2 * _pause.Ticks, LongestPause.Ticks));
            (IsAlone, _pausedSince) = (false, now);
        }
    }
}
