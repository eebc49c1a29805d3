using System.Numerics;

namespace HpAsyncPs.Server;

/// <summary>Ranks as bits: whoever goes through it passes 64 that are not in it at once.</summary>
/// <param name="ranks">How many there are.</param>
internal sealed class RankSet(int ranks)
{
    private const int Bits = 64;

    private readonly ulong[] _words = new ulong[(ranks + Bits - 1) / Bits];

    public void Add(int rank) => _words[rank / Bits] |= 1UL << (rank % Bits);

    public void Remove(int rank) => _words[rank / Bits] &= ~(1UL << (rank % Bits));

    /// <summary>The first one that is not below this rank, or -1.</summary>
    public int From(int rank)
    {
        for (int word = rank / Bits; word < _words.Length; rank = ++word * Bits)
        {
            ulong rest = _words[word] & (ulong.MaxValue << (rank % Bits));
            if (rest != 0)
                return (word * Bits) + BitOperations.TrailingZeroCount(rest);
        }

        return -1;
    }
}
