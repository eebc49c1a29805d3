namespace HpAsyncPs.Kernels;

/// <summary>
/// How a quotient is rounded to a whole number or a power of two: to the nearest (<see langword="default"/>), or at random, up with the
/// probability that makes the mean right. The random number of an element depends on the key and the element's position alone, so the width of
/// a vector changes nothing.
/// </summary>
/// <param name="IsStochastic">At random?</param>
/// <param name="Key">Made of a seed and the number of the call; see <see cref="Of"/>.</param>
public readonly record struct Dither(bool IsStochastic, uint Key)
{
    /// <summary>The dither of one call.</summary>
    /// <param name="seed">Of the encoder.</param>
    /// <param name="call">Number of the call.</param>
    public static Dither Of(ulong seed, ulong call)
    {
        // SplitMix64's output function: G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
        ulong z = seed + (call * 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return new Dither(true, (uint)((z ^ (z >> 31)) >> 32));
    }

    /// <summary>The same, for elements that begin that many further on.</summary>
    public Dither From(int elements) => this with { Key = Key + (uint)elements };
}
