using System;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Which rows of a file a worker owns: those whose seeded hash falls on <paramref name="Index"/> of <paramref name="Count"/>.
/// The parts of one count and seed are random, about equal in size, and hold every row exactly once.
/// </summary>
/// <param name="Index">This part, 0-based.</param>
/// <param name="Count">How many parts there are, 1 or more.</param>
/// <param name="Seed">Must be the same for every worker of a run.</param>
public readonly record struct RowPart(int Index, int Count, ulong Seed)
{
    /// <summary>Every row.</summary>
    public static RowPart All => new(0, 1, 0);

    /// <summary>Whether a row belongs to this part.</summary>
    /// <param name="row">0-based number of the row, counting rows of data only (no blank lines, no comments).</param>
    public bool Owns(long row)
    {
        if (Count == 1)
            return true;
        return Mixing.Mix(unchecked((ulong)row + Mixing.Mix(Seed))) % (ulong)Count == (ulong)Index;
    }

    /// <summary>Where this part begins and ends, if parts are as long as each other, up to one, and one behind the other.</summary>
    /// <param name="all">How long all parts are together.</param>
    internal (long Begin, long End) RangeOf(long all) => (Begin(all, Index), Begin(all, Index + 1));

    /// <summary>Refuses an index outside of 0..Count-1 and a count below 1 (the default value has count 0).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part cannot exist.</exception>
    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Count, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(Index, Count);
    }

    private long Begin(long all, long index) => (all / Count * index) + (all % Count * index / Count); // all * index might be too large
}
