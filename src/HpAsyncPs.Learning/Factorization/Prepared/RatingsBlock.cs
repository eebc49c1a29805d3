using System;
using System.IO.Hashing;
using HpAsyncPs.Learning.Data.Prepared;

namespace HpAsyncPs.Learning.Factorization.Prepared;

/// <summary>
/// Users of a file of prepared ratings: for each its number among all users, and where its id, its ratings and its held-out ratings end; then for each rating its item, and its value; the same for
/// those that are held out; 4 bytes each, one kind after the other; then the ids. Values are less the mean of all, in units of the deviation of all.
/// </summary>
internal readonly ref struct RatingsBlock
{
    public ReadOnlySpan<int> Numbers { get; init; }

    public ReadOnlySpan<int> IdEnds { get; init; }

    public ReadOnlySpan<int> Ends { get; init; }

    public ReadOnlySpan<int> TestEnds { get; init; }

    public ReadOnlySpan<int> Items { get; init; }

    public ReadOnlySpan<float> Values { get; init; }

    public ReadOnlySpan<int> TestItems { get; init; }

    public ReadOnlySpan<float> TestValues { get; init; }

    public ReadOnlySpan<byte> Ids { get; init; }

    /// <summary>Length in bytes.</summary>
    public static long BytesOf(int users, int ratings, int tests, int idBytes) => (16L * users) + (8L * ratings) + (8L * tests) + idBytes;

    /// <summary>Writes it.</summary>
    /// <param name="to">Receives it, as long as it is.</param>
    /// <returns>Its checksum.</returns>
    public ulong Write(Span<byte> to)
    {
        Span<byte> rest = PreparedBytes.Put(to, Numbers);
        rest = PreparedBytes.Put(rest, IdEnds);
        rest = PreparedBytes.Put(rest, Ends);
        rest = PreparedBytes.Put(rest, TestEnds);
        rest = PreparedBytes.Put(rest, Items);
        rest = PreparedBytes.Put(rest, Values);
        rest = PreparedBytes.Put(rest, TestItems);
        rest = PreparedBytes.Put(rest, TestValues);
        Ids.CopyTo(rest);
        return XxHash3.HashToUInt64(to);
    }

    /// <summary>Takes one apart whose checksum is right.</summary>
    public static RatingsBlock Read(ReadOnlySpan<byte> from, int users, int ratings, int tests)
    {
        ReadOnlySpan<byte> rest = from;
        return new RatingsBlock
        {
            Numbers = PreparedBytes.Take<int>(ref rest, users),
            IdEnds = PreparedBytes.Take<int>(ref rest, users),
            Ends = PreparedBytes.Take<int>(ref rest, users),
            TestEnds = PreparedBytes.Take<int>(ref rest, users),
            Items = PreparedBytes.Take<int>(ref rest, ratings),
            Values = PreparedBytes.Take<float>(ref rest, ratings),
            TestItems = PreparedBytes.Take<int>(ref rest, tests),
            TestValues = PreparedBytes.Take<float>(ref rest, tests),
            Ids = rest,
        };
    }

    /// <summary>Checks what the checksum does not.</summary>
    /// <param name="users">All users.</param>
    /// <param name="items">All items.</param>
    /// <returns>What is wrong, or null.</returns>
    public string? Wrong(int users, int items)
    {
        if (!Rise(IdEnds, Ids.Length) || !Rise(Ends, Items.Length) || !Rise(TestEnds, TestItems.Length))
            return "its users do not have its ratings";
        foreach (int number in Numbers)
        {
            if (number < 0 || number >= users)
                return "it has a user beyond those of the file";
        }

        for (int user = 0, start = 0; user < Ends.Length; start = Ends[user++])
        {
            for (int r = start + 1; r < Ends[user]; r++)
            {
                if (Items[r] < Items[r - 1])
                    return "ratings of a user are out of order";
            }
        }

        return IsGood(Items, Values, items) && IsGood(TestItems, TestValues, items) ? null : "it has an item beyond those of the file, or a rating that is not finite";
    }

    private static bool Rise(ReadOnlySpan<int> ends, int last)
    {
        int before = 0;
        foreach (int end in ends)
        {
            if (end < before)
                return false;
            before = end;
        }

        return before == last;
    }

    private static bool IsGood(ReadOnlySpan<int> of, ReadOnlySpan<float> values, int items)
    {
        for (int r = 0; r < of.Length; r++)
        {
            if ((uint)of[r] >= (uint)items || !float.IsFinite(values[r]))
                return false;
        }

        return true;
    }
}
