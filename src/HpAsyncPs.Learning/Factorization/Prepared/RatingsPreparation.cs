using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.IO.Hashing;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Data.Prepared;

namespace HpAsyncPs.Learning.Factorization.Prepared;

/// <summary>What a file of prepared ratings has.</summary>
/// <param name="Users">Users.</param>
/// <param name="Items">Items.</param>
/// <param name="Ratings">Ratings to train on.</param>
/// <param name="HeldOut">Ratings that are held out.</param>
/// <param name="Blocks">Blocks.</param>
public sealed record PreparedRatingsFacts(int Users, int Items, long Ratings, long HeldOut, int Blocks);

/// <summary>Makes the prepared form of ratings.</summary>
public static class RatingsPreparation
{
    /// <summary>Blocks unless somebody says otherwise: enough that parts of a hundred workers differ by a tenth.</summary>
    public const int DefaultBlocks = 1024;

    /// <summary>Writes it.</summary>
    /// <param name="path">Of the ratings, plain or gzip.</param>
    /// <param name="holdout">Share to hold out.</param>
    /// <param name="seed">Of what is held out.</param>
    /// <param name="blocks">How many blocks, at most; not more than users.</param>
    /// <param name="output">Empty, and can be written anywhere.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancellation">Looked at now and then.</param>
    /// <exception cref="InputException">The ratings cannot be read, or are malformed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static PreparedRatingsFacts Write(string path, double holdout, ulong seed, int blocks, Stream output, Action<double> progress, CancellationToken cancellation)
    {
        Ratings ratings = RatingsReader.Read(path, new IdTable(), new IdTable(), needsRatings: true, cancellation);
        FactorData all = FactorData.Of(ratings, null, holdout, seed, 0, 1);
        int[] counts = new int[all.Users], tests = TestsByUser(all, out int[] testStarts);
        int rated = 0;
        for (int user = 0; user < counts.Length; user++)
            rated += (counts[user] = all.UserStarts[user + 1] - all.UserStarts[user]) > 0 ? 1 : 0;
        blocks = Math.Clamp(blocks, 1, Math.Min(rated, RatingsHead.MostBlocks)); // each has a rating
        List<int>[] usersOf = UsersOf(FactorData.Owners(counts, blocks), blocks);
        byte[] common = Common(ratings.Items, all.ItemCounts, blocks, out int idBytes);
        output.Write(new byte[RatingsHead.Bytes + common.Length]);
        long length = RatingsHead.Bytes + common.Length;
        for (int block = 0; block < blocks; block++)
        {
            cancellation.ThrowIfCancellationRequested();
            byte[] bytes = Block(all, usersOf[block], tests, testStarts, common.AsSpan(^(RatingsHead.TableEntryBytes * (blocks - block))..));
            output.Write(bytes);
            length += bytes.Length;
            progress((block + 1.0) / blocks);
        }

        var head = new RatingsHead
        {
            Blocks = blocks,
            Users = all.Users,
            Items = ratings.Items.Count,
            IdBytes = idBytes,
            Ratings = ratings.Count,
            Holdout = holdout,
            Seed = seed,
            Mean = all.Mean,
            Scale = all.Scale,
            Length = length,
            CommonChecksum = XxHash3.HashToUInt64(common),
        };
        byte[] first = new byte[RatingsHead.Bytes];
        head.Write(first);
        output.Position = 0;
        output.Write(first);
        output.Write(common);
        return new PreparedRatingsFacts(all.Users, ratings.Items.Count, all.Values.Length, all.TestValues.Length, blocks);
    }

    /// <summary>Numbers of the held-out ratings, user after user.</summary>
    private static int[] TestsByUser(FactorData all, out int[] starts)
    {
        starts = new int[all.Users + 1];
        foreach (int user in all.TestUsers)
            starts[user + 1]++;
        for (int user = 0; user < all.Users; user++)
            starts[user + 1] += starts[user];
        int[] order = new int[all.TestUsers.Length], at = starts[..^1];
        for (int t = 0; t < order.Length; t++)
            order[at[all.TestUsers[t]]++] = t;
        return order;
    }

    private static List<int>[] UsersOf(int[] owners, int blocks)
    {
        var all = new List<int>[blocks];
        for (int block = 0; block < blocks; block++)
            all[block] = [];
        for (int user = 0; user < owners.Length; user++)
            all[owners[user]].Add(user);
        return all;
    }

    // What all workers need, with room for the table of the blocks at its end.
    private static byte[] Common(IdTable items, int[] counts, int blocks, out int idBytes)
    {
        int[] ends = new int[items.Count];
        idBytes = 0;
        for (int item = 0; item < ends.Length; item++)
            ends[item] = idBytes += items[item].Length;
        byte[] common = new byte[(8 * ends.Length) + idBytes + (RatingsHead.TableEntryBytes * blocks)];
        Span<byte> rest = PreparedBytes.Put(common, ends);
        rest = PreparedBytes.Put(rest, counts);
        for (int item = 0; item < ends.Length; item++)
        {
            items[item].CopyTo(rest);
            rest = rest[items[item].Length..];
        }

        return common;
    }

    private static byte[] Block(FactorData all, List<int> users, int[] tests, int[] testStarts, Span<byte> entry)
    {
        var ids = new List<byte>();
        List<int> items = [], testItems = [];
        List<float> values = [], testValues = [];
        int[] idEnds = new int[users.Count], ends = new int[users.Count], testEnds = new int[users.Count];
        for (int j = 0; j < users.Count; j++)
        {
            int user = users[j];
            ids.AddRange(all.UserNames[all.UserPlaces[user]]);
            for (int r = all.UserStarts[user]; r < all.UserStarts[user + 1]; r++)
            {
                items.Add(all.LocalItems[all.Items[r]]);
                values.Add(all.Values[r]);
            }

            foreach (int t in tests.AsSpan(testStarts[user]..testStarts[user + 1]))
            {
                testItems.Add(all.TestItems[t]);
                testValues.Add(all.TestValues[t]);
            }

            (idEnds[j], ends[j], testEnds[j]) = (ids.Count, items.Count, testItems.Count);
        }

        byte[] bytes = new byte[RatingsBlock.BytesOf(users.Count, items.Count, testItems.Count, ids.Count)];
        ulong checksum = new RatingsBlock
        {
            Numbers = users.ToArray(),
            IdEnds = idEnds,
            Ends = ends,
            TestEnds = testEnds,
            Items = items.ToArray(),
            Values = values.ToArray(),
            TestItems = testItems.ToArray(),
            TestValues = testValues.ToArray(),
            Ids = ids.ToArray(),
        }.Write(bytes);
        PreparedBytes.Put(entry, [users.Count, items.Count, testItems.Count, ids.Count]);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], checksum);
        return bytes;
    }
}
