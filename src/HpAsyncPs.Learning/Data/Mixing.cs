namespace HpAsyncPs.Learning.Data;

/// <summary>Hashes of numbers.</summary>
internal static class Mixing
{
    /// <summary>The finaliser of SplitMix64: each bit of the input reaches each bit of the output.</summary>
    public static ulong Mix(ulong value)
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
