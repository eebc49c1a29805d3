using System;
using System.Collections.Generic;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Factorization;

/// <summary>A worker's part of the ratings: all ratings of its users, sorted by user and, for each, by item.</summary>
public sealed record FactorData
{
    /// <summary>Mean of all training ratings of all workers; subtracted from every value here.</summary>
    public required double Mean { get; init; }

    /// <summary>Standard deviation of all training ratings; every value here is divided by it.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Number of this worker's users.</summary>
    public int Users => UserIds.Length;

    /// <summary>Index of each local user among all users.</summary>
    public required int[] UserIds { get; init; }

    /// <summary>Ids of users.</summary>
    public IdTable UserNames { get; init; } = new();

    /// <summary>Place of each local user among those.</summary>
    public int[] UserPlaces { get; init; } = [];

    /// <summary>Where each user's ratings begin; one more than users.</summary>
    public required int[] UserStarts { get; init; }

    /// <summary>Local item of each rating: an index into <see cref="LocalItems"/>; does not fall within a user.</summary>
    public required int[] Items { get; init; }

    /// <summary>Each rating less the mean, in units of the scale.</summary>
    public required float[] Values { get; init; }

    /// <summary>Index among all items of each item that this worker has ratings of; rises.</summary>
    public required int[] LocalItems { get; init; }

    /// <summary>Number of this worker's ratings of each of its items.</summary>
    public required int[] LocalCounts { get; init; }

    /// <summary>Number of training ratings of each item, all workers together.</summary>
    public required int[] ItemCounts { get; init; }

    /// <summary>Local user of each held-out rating.</summary>
    public int[] TestUsers { get; init; } = [];

    /// <summary>Index among all items of each held-out rating.</summary>
    public int[] TestItems { get; init; } = [];

    /// <summary>Each held-out rating less the mean, in units of the scale.</summary>
    public float[] TestValues { get; init; } = [];

    // Below this part of the mean the ratings differ by rounding alone.
    private const double LeastDeviation = 1e-12;

    /// <summary>Takes a worker's part of all ratings. Every worker that reads the same files finds the same parts.</summary>
    /// <param name="ratings">All training ratings, before anything is held out.</param>
    /// <param name="test">Ratings to hold out that are in a file of their own, read into the same tables of ids; or null.</param>
    /// <param name="holdout">Share of <paramref name="ratings"/> to hold out.</param>
    /// <param name="seed">Of the choice of what is held out.</param>
    /// <param name="part">Which part, 0-based.</param>
    /// <param name="parts">How many parts there are.</param>
    /// <exception cref="InputException">Nothing falls to this part.</exception>
    public static FactorData Of(Ratings ratings, Ratings? test, double holdout, ulong seed, int part, int parts)
    {
        bool[] isHeldOut = new bool[holdout > 0 ? ratings.Count : 0];
        int[] userCounts = new int[ratings.Users.Count], itemCounts = new int[ratings.Items.Count];
        double sum = 0;
        int count = 0;
        for (int r = 0; r < ratings.Count; r++)
        {
            if (isHeldOut.Length > 0 && (isHeldOut[r] = ratings.IsHeldOut(r, holdout, seed)))
                continue;
            userCounts[ratings.UserOf[r]]++;
            itemCounts[ratings.ItemOf[r]]++;
            sum += ratings.Values[r];
            count++;
        }

        if (count == 0)
            throw new InputException($"{ratings.Source}: nothing is left to train on; hold out less");
        if (holdout > 0 && count == ratings.Count)
            throw new InputException($"{ratings.Source}: --holdout {holdout} of {ratings.Count} ratings holds nothing out; hold out more");
        int[] owners = Owners(userCounts, parts);
        int[] localUser = Locals(userCounts.Length, user => owners[user] == part, out int[] userIds);
        int[] localCountOf = new int[itemCounts.Length], starts = new int[userIds.Length + 1];
        for (int r = 0; r < ratings.Count; r++)
        {
            if (localUser[ratings.UserOf[r]] >= 0 && !IsTest(r))
                localCountOf[ratings.ItemOf[r]]++;
        }

        for (int local = 0; local < userIds.Length; local++)
            starts[local + 1] = starts[local] + userCounts[userIds[local]];
        if (starts[^1] == 0)
        {
            throw new InputException($"{ratings.Source}: no rating falls to worker {part} of {parts}: there are {userIds.Length} users for it, "
                + $"{userCounts.Length} in all; use fewer workers");
        }

        int[] localItem = Locals(itemCounts.Length, item => localCountOf[item] > 0, out int[] itemIds);
        double mean = sum / count, squares = 0;
        for (int r = 0; r < ratings.Count; r++)
            squares += IsTest(r) ? 0 : (ratings.Values[r] - mean) * (ratings.Values[r] - mean);
        double deviation = Math.Sqrt(squares / count), scale = deviation > LeastDeviation * Math.Max(Math.Abs(mean), float.Epsilon) ? deviation : 1;
        int[] items = new int[starts[^1]], at = starts[..^1];
        float[] values = new float[items.Length];
        var held = new HeldOut(mean, scale);
        foreach (int r in ByItem(ratings))
        {
            int user = localUser[ratings.UserOf[r]];
            if (user < 0)
                continue;
            if (IsTest(r))
            {
                held.Add(user, ratings.ItemOf[r], ratings.Values[r]);
                continue;
            }

            int to = at[user]++;
            items[to] = localItem[ratings.ItemOf[r]];
            values[to] = (float)((ratings.Values[r] - mean) / scale);
        }

        for (int r = 0; r < (test?.Count ?? 0); r++)
        {
            if (localUser[test!.UserOf[r]] is var user and >= 0)
                held.Add(user, test.ItemOf[r], test.Values[r]);
        }

        return new FactorData
        {
            Mean = mean,
            Scale = scale,
            UserIds = userIds,
            UserNames = ratings.Users,
            UserPlaces = userIds,
            UserStarts = starts,
            Items = items,
            Values = values,
            LocalItems = itemIds,
            LocalCounts = Array.ConvertAll(itemIds, item => localCountOf[item]),
            ItemCounts = itemCounts,
            TestUsers = [.. held.Users],
            TestItems = [.. held.Items],
            TestValues = [.. held.Values],
        };

        bool IsTest(int r) => isHeldOut.Length > 0 && isHeldOut[r];
    }

    // Numbers of the ratings, sorted by item; of one item in the order of the file.
    private static int[] ByItem(Ratings ratings)
    {
        int[] at = new int[ratings.Items.Count + 1], order = new int[ratings.Count];
        foreach (int item in ratings.ItemOf)
            at[item + 1]++;
        for (int item = 1; item < at.Length; item++)
            at[item] += at[item - 1];
        for (int r = 0; r < order.Length; r++)
            order[at[ratings.ItemOf[r]]++] = r;
        return order;
    }

    // Whoever has the fewest ratings so far gets the user with the most of those left: parts that differ by little.
    internal static int[] Owners(int[] userCounts, int parts)
    {
        int[] owners = new int[userCounts.Length];
        if (parts == 1)
            return owners;
        int[] order = new int[userCounts.Length];
        for (int user = 0; user < order.Length; user++)
            order[user] = user;
        Array.Sort(order, (a, b) => userCounts[a] != userCounts[b] ? userCounts[b].CompareTo(userCounts[a]) : a.CompareTo(b));
        var loads = new PriorityQueue<int, (long Load, int Part)>();
        for (int j = 0; j < parts; j++)
            loads.Enqueue(j, (0, j));
        foreach (int user in order)
        {
            loads.TryDequeue(out int owner, out (long Load, int Part) load);
            owners[user] = owner;
            loads.Enqueue(owner, (load.Load + userCounts[user] + 1, owner));
        }

        return owners;
    }

    // The number of each that is local among those, or -1; and which they are.
    internal static int[] Locals(int count, Predicate<int> isLocal, out int[] ids)
    {
        int[] locals = new int[count];
        var found = new List<int>();
        for (int j = 0; j < count; j++)
        {
            locals[j] = isLocal(j) ? found.Count : -1;
            if (locals[j] >= 0)
                found.Add(j);
        }

        ids = [.. found];
        return locals;
    }

    private readonly struct HeldOut(double mean, double scale)
    {
        public List<int> Users { get; } = [];

        public List<int> Items { get; } = [];

        public List<float> Values { get; } = [];

        public void Add(int user, int item, float value)
        {
            Users.Add(user);
            Items.Add(item);
            Values.Add((float)((value - mean) / scale));
        }
    }
}
