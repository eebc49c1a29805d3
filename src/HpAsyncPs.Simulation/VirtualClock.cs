using System;

namespace HpAsyncPs.Simulation;

/// <summary>A clock that stands still until it is set; counts nanoseconds.</summary>
internal sealed class VirtualClock : TimeProvider
{
    public const long NanosecondsPerTick = 100;

    /// <summary>Nanoseconds since the start of the simulation.</summary>
    public long Now { get; set; }

    /// <inheritdoc/>
    public override long TimestampFrequency => 1_000_000_000;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long GetTimestamp() => Now;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(Now / NanosecondsPerTick);

    /// <summary>The time after some more of it; what does not fit into the clock is its end.</summary>
    public long After(TimeSpan time) => time.Ticks > (long.MaxValue - Now) / NanosecondsPerTick ? long.MaxValue : Now + (time.Ticks * NanosecondsPerTick);

    /// <summary>A time and some nanoseconds more; what does not fit into the clock is its end.</summary>
    public static long Sum(long time, long more) => more > long.MaxValue - time ? long.MaxValue : time + more;
}
