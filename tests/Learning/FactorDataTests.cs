using System;
using System.IO;
using System.Linq;
using System.Text;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class FactorDataTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 0.2)]
    [InlineData(4, 0.2)]
    [InlineData(7, 0.5)]
    public void Parts_hold_every_rating_once_and_each_user_whole(int parts, double holdout)
    {
        Ratings ratings = HeavyTailed();
        var seen = new System.Collections.Generic.List<(int User, int Item, float Value, bool Test)>();
        var owner = new System.Collections.Generic.Dictionary<int, int>();
        FactorData first = FactorData.Of(ratings, null, holdout, 5, 0, parts);
        long[] loads = new long[parts];
        for (int part = 0; part < parts; part++)
        {
            FactorData data = FactorData.Of(ratings, null, holdout, 5, part, parts);
            Assert.Equal(first.Mean, data.Mean);
            Assert.Equal(first.Scale, data.Scale);
            Assert.Equal(first.ItemCounts, data.ItemCounts);
            loads[part] = data.Values.Length;
            for (int user = 0; user < data.Users; user++)
            {
                Assert.True(owner.TryAdd(data.UserIds[user], part));
                for (int r = data.UserStarts[user]; r < data.UserStarts[user + 1]; r++)
                    seen.Add((data.UserIds[user], data.LocalItems[data.Items[r]], (float)((data.Values[r] * data.Scale) + data.Mean), false));
            }

            for (int t = 0; t < data.TestValues.Length; t++)
                seen.Add((data.UserIds[data.TestUsers[t]], data.TestItems[t], (float)((data.TestValues[t] * data.Scale) + data.Mean), true));
            for (int local = 0; local < data.LocalItems.Length; local++)
                Assert.Equal(data.LocalCounts[local], data.Items.Count(item => item == local));
        }

        Assert.Equal(ratings.Count, seen.Count);
        var expected = Enumerable.Range(0, ratings.Count).Select(r => (ratings.UserOf[r], ratings.ItemOf[r], ratings.Values[r], holdout > 0 && ratings.IsHeldOut(r, holdout, 5)));
        Assert.Equal(expected.OrderBy(x => x.Item1).ThenBy(x => x.Item2).Select(x => (x.Item1, x.Item2, x.Item4)),
            seen.OrderBy(x => x.User).ThenBy(x => x.Item).Select(x => (x.User, x.Item, x.Test)));
        Assert.True(seen.All(x => Math.Abs(x.Value - (1 + ((x.User + x.Item) % 5))) < 1e-5));
        Assert.True(loads.Max() - loads.Min() <= Math.Max(2, loads.Sum() / (10 * parts)), $"unbalanced: {string.Join(' ', loads)}");
        Assert.Equal(loads.Sum(), first.ItemCounts.Sum());
    }

    [Fact]
    public void Mean_and_deviation_are_those_of_the_training_ratings()
    {
        Ratings ratings = HeavyTailed();
        double[] kept = [.. Enumerable.Range(0, ratings.Count).Where(r => !ratings.IsHeldOut(r, 0.3, 2)).Select(r => (double)ratings.Values[r])];
        FactorData data = FactorData.Of(ratings, null, 0.3, 2, 1, 3);
        Assert.Equal(kept.Average(), data.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(kept.Select(v => Math.Pow(v - kept.Average(), 2)).Average()), data.Scale, 1e-9);
    }

    [Fact]
    public void Test_file_is_held_out_whole_with_its_own_users_and_items()
    {
        var users = new IdTable();
        var items = new IdTable();
        Ratings train = Read("a,x,1\nb,y,2\na,y,3\n", users, items), test = Read("a,x,2\nc,z,5\n", users, items);
        FactorData data = FactorData.Of(train, test, 0, 1, 0, 1);
        Assert.Equal(3, data.Users);
        Assert.Equal([0, 2], data.TestUsers);
        Assert.Equal([0, 2], data.TestItems);
        Assert.Equal([1, 2, 0], data.ItemCounts);
        Assert.Equal(2, data.Mean);
    }

    [Fact]
    public void Equal_ratings_do_not_divide_by_zero()
    {
        FactorData data = FactorData.Of(Read("a,x,3\nb,y,3\n", new IdTable(), new IdTable()), null, 0, 1, 0, 1);
        Assert.Equal(1, data.Scale);
        Assert.All(data.Values, v => Assert.Equal(0, v));
    }

    [Fact]
    public void More_workers_than_users_are_refused()
    {
        Ratings two = Read("a,x,3\nb,y,4\n", new IdTable(), new IdTable());
        Assert.Contains("use fewer workers", Assert.Throws<InputException>(() => FactorData.Of(two, null, 0, 1, 2, 3)).Message, StringComparison.Ordinal);
        Assert.Contains("hold out less", Assert.Throws<InputException>(() => FactorData.Of(two, null, 0.9999999, 1, 0, 1)).Message, StringComparison.Ordinal);
    }

    private static Ratings HeavyTailed()
    {
        var text = new StringBuilder();
        for (int user = 0; user < 60; user++)
        {
            for (int item = 0; item < 1 + (200 / (user + 3)); item++)
                text.Append(user).Append(',').Append(item).Append(',').Append(1 + ((user + item) % 5)).Append('\n');
        }

        return Read(text.ToString(), new IdTable(), new IdTable());
    }

    private static Ratings Read(string text, IdTable users, IdTable items)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return RatingsReader.Read(stream, "f", users, items, needsRatings: true, 1 << 16);
    }
}
