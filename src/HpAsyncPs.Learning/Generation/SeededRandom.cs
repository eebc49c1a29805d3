using System;

namespace HpAsyncPs.Learning.Generation;

/// <summary>
/// Random numbers that are the same for a seed on every machine and in every version of the runtime: SplitMix64 (G. Steele,
/// D. Lea, C. Flood, 2014) on integers, and what is made of it by exactly rounded operations only.
/// </summary>
public struct SeededRandom
{
    private const double Unit = 1.0 / (1UL << 53);

    private ulong _state;
    private double _spare;
    private bool _hasSpare;

    /// <summary>A stream of its own for each triple; what one stream is asked for does not change another.</summary>
    /// <param name="seed">Of everything.</param>
    /// <param name="purpose">What the numbers are for.</param>
    /// <param name="index">Which of those.</param>
    public SeededRandom(ulong seed, ulong purpose, long index)
    {
        unchecked
        {
            _state = Mix(Mix(Mix(seed) + purpose) + (ulong)index);
        }
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        ulong value = Mix(_state);
        _state = unchecked(_state + 0x9E3779B97F4A7C15UL);
        return value;
    }

    /// <summary>From 0 up to, without, a bound; its bias is below bound / 2^64.</summary>
    public ulong Below(ulong bound) => Math.BigMul(Next(), bound, out _);

    /// <summary>Evenly spread over 0 to 1, never 0 or 1.</summary>
    public double Uniform() => ((Next() >> 11) + 0.5) * Unit;

    /// <summary>Standard normal (polar method of G. Marsaglia).</summary>
    public double Normal()
    {
        if (_hasSpare)
        {
            _hasSpare = false;
            return _spare;
        }

        double x, y, square;
        do
        {
            x = (2 * Uniform()) - 1;
            y = (2 * Uniform()) - 1;
            square = (x * x) + (y * y);
        }
        while (square >= 1);
        double factor = Math.Sqrt(-2 * PortableMath.Log(square) / square);
        _spare = y * factor;
        _hasSpare = true;
        return x * factor;
    }

    // The finaliser of SplitMix64: each bit of the input reaches each bit of the output.
    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value += 0x9E3779B97F4A7C15UL;
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
            return value ^ (value >> 31);
        }
    }
}
