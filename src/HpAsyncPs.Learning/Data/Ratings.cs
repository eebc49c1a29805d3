using System;

namespace HpAsyncPs.Learning.Data;

/// <summary>The ratings of a file, in its order.</summary>
public sealed class Ratings
{
    internal Ratings(string source, IdTable users, IdTable items, int[] userOf, int[] itemOf, float[] values)
    {
        Source = source;
        Users = users;
        Items = items;
        UserOf = userOf;
        ItemOf = itemOf;
        Values = values;
    }

    /// <summary>Path of the file.</summary>
    public string Source { get; }

    /// <summary>All users, those of files read before into the same table included.</summary>
    public IdTable Users { get; }

    /// <summary>All items, likewise.</summary>
    public IdTable Items { get; }

    /// <summary>How many ratings there are.</summary>
    public int Count => Values.Length;

    /// <summary>User of each rating.</summary>
    public int[] UserOf { get; }

    /// <summary>Item of each rating.</summary>
    public int[] ItemOf { get; }

    /// <summary>The ratings; NaN where the file has none and may.</summary>
    public float[] Values { get; }

    /// <summary>Whether a rating is held out: decided by a seeded hash of its user and item, whatever the order of the file.</summary>
    /// <param name="rating">Its number.</param>
    /// <param name="fraction">Share that is held out, about.</param>
    /// <param name="seed">Another seed gives another choice.</param>
    public bool IsHeldOut(int rating, double fraction, ulong seed)
    {
        ulong hash = Mixing.Mix(unchecked(Users.Hash(UserOf[rating]) + Mixing.Mix(unchecked(Items.Hash(ItemOf[rating]) + Mixing.Mix(seed)))));
        return (hash >> 11) * (1.0 / (1UL << 53)) < fraction;
    }
}
