using System;

namespace HpAsyncPs.Server;

/// <summary>What a link took when it last was full: a link that is not full now is no faster one.</summary>
internal struct KnownRate()
{
    /// <summary>A link that was not full in so many looks takes more than it did when it was.</summary>
    internal const int LooksRemembered = 50;

    private const double LeastRate = 1e3; // bytes a second: whoever says less has no link to reckon with

    private double _rate = double.PositiveInfinity;
    private int _looks;

    /// <summary>The rate to reckon with.</summary>
    /// <param name="rate">What the kernel says now: bytes a second, infinite when there was not enough to send.</param>
    public double See(double rate)
    {
        if (double.IsFinite(rate))
            (_rate, _looks) = (Math.Max(LeastRate, rate), 0);
        else if (++_looks > LooksRemembered)
            _rate = double.PositiveInfinity;
        return _rate;
    }
}
