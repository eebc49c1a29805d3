using System;

namespace HpAsyncPs.Bench.Loops;

/// <summary>Sweeps for some seconds; the clock is read between them.</summary>
internal struct Meter(double seconds)
{
    private readonly long _start = TimeProvider.System.GetTimestamp();

    public long Sweeps { get; private set; }

    public double Seconds { get; private set; }

    /// <summary>Counts a sweep, and says whether another one is wanted.</summary>
    public bool Next()
    {
        Sweeps++;
        Seconds = TimeProvider.System.GetElapsedTime(_start).TotalSeconds;
        return Seconds < seconds;
    }
}
