using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Generation;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class GenerateRatingsTests
{
    private const int Rank = 32;

    private readonly record struct Rating(int User, int Item, double Value);

    [Theory]
    [InlineData(100, 20, 37)] // as few as can be: 5 for each user
    [InlineData(5000, 100, 100)] // half of all pairs
    [InlineData(100, 1, 200)]
    [InlineData(60_000, 400, 700)]
    public void Counts_are_exact_pairs_distinct_and_users_together(int ratings, int users, int items)
    {
        (List<Rating> all, RatingFacts facts, _) = Make(new RatingSettings { Ratings = ratings, Users = users, Items = items });
        Assert.Equal(ratings, all.Count);
        var pairs = new HashSet<(int, int)>();
        var ofUser = new Dictionary<int, int>();
        var ofItem = new Dictionary<int, int>();
        int previous = 0;
        foreach (Rating one in all)
        {
            Assert.True(pairs.Add((one.User, one.Item)), $"user {one.User} has item {one.Item} twice");
            Assert.True(one.Value is >= 0.5 and <= 5 && (2 * one.Value) % 1 == 0, $"{one.Value} is not on the scale");
            Assert.True(one.User == previous || !ofUser.ContainsKey(one.User), $"user {one.User} comes twice");
            previous = one.User;
            ofUser[one.User] = ofUser.GetValueOrDefault(one.User) + 1;
            ofItem[one.Item] = ofItem.GetValueOrDefault(one.Item) + 1;
        }

        Assert.Equal(users, ofUser.Count);
        Assert.Equal(ofItem.Count, facts.RatedItems);
        Assert.Equal(Sorted(ofUser.Values)[0], facts.MostOfUser);
        Assert.Equal(Sorted(ofItem.Values)[0], facts.MostOfItem);
        Assert.True(Sorted(ofUser.Values)[^1] >= RatingSettings.LeastOfUser);
        Assert.True(items < 200 || MaxKey(ofItem) > 2 * items, "identifiers of items have no gaps");
    }

    [Fact]
    public void Seed_gives_the_same_bytes_everywhere_and_another_gives_others()
    {
        var settings = new RatingSettings { Ratings = 1000, Users = 60, Items = 117 };
        byte[] text = Make(settings).Text;
        Assert.Equal(text, Make(settings).Text);
        Assert.NotEqual(text, Make(settings with { Seed = 2 }).Text);
        Assert.StartsWith("userId,itemId,rating\n", Encoding.ASCII.GetString(text), StringComparison.Ordinal);
        Assert.Equal("0641B035F3DE8E568F88F73BCE38736EA205102F505F7EA10A07B0C6FEF7612D", Convert.ToHexString(SHA256.HashData(text)));
    }

    [Fact]
    public void Activity_and_popularity_are_heavy_tailed()
    {
        (List<Rating> all, _, _) = Make(For(200_000));
        var ofUser = new Dictionary<int, int>();
        var ofItem = new Dictionary<int, int>();
        foreach (Rating one in all)
        {
            ofUser[one.User] = ofUser.GetValueOrDefault(one.User) + 1;
            ofItem[one.Item] = ofItem.GetValueOrDefault(one.Item) + 1;
        }

        Assert.InRange(TopTenth(ofItem), 0.35, 0.6);
        Assert.InRange(TopTenth(ofUser), 0.3, 0.5);
    }

    [Theory]
    [InlineData(0.7)]
    [InlineData(0.2)]
    [InlineData(0)]
    public void Floor_is_the_error_of_the_best_prediction(double noise)
    {
        RatingSettings settings = For(20_000) with { Noise = noise };
        (List<Rating> all, RatingFacts facts, _) = Make(settings);
        var generator = new RatingGenerator(settings);
        Dictionary<int, int> users = [], items = [];
        for (int user = 0; user < settings.Users; user++)
            users.Add(generator.UserId(user), user);
        for (int item = 0; item < settings.Items; item++)
            items.Add(generator.ItemId(item), item);
        double squares = 0, inTheMiddle = 0;
        int middle = 0;
        foreach (Rating one in all)
        {
            double planted = generator.Planted(users[one.User], items[one.Item]);
            squares += Square(one.Value - MeanRating(planted, noise));
            if (planted is < 2.5 or > 3.5)
                continue;
            inTheMiddle += Square(one.Value - planted);
            middle++;
        }

        Assert.Equal(Math.Sqrt(squares / all.Count), facts.Floor, 1e-4);

        // Far from the ends, rounding adds what it is said to add.
        double expected = Math.Sqrt(Square(noise) + (0.25 / 12));
        Assert.Equal(expected, Math.Sqrt(inTheMiddle / middle), 4 * expected / Math.Sqrt(2.0 * middle));
    }

    /// <summary>What the data is for: plain SGD, with the settings of hpaps, on nine tenths of it.</summary>
    [Fact]
    public void Factorisation_is_near_the_floor_and_biases_are_not()
    {
        (List<Rating> all, RatingFacts facts, _) = Make(For(100_000));
        var random = new Random(5);
        var training = new List<Rating>();
        var heldOut = new List<Rating>();
        foreach (Rating one in all)
            (random.Next(10) == 0 ? heldOut : training).Add(one);
        double biased = BiasModel(training, heldOut), factorised = Factorised(training, heldOut, random);
        string report = $"floor {facts.Floor:0.0000}, factorisation {factorised:0.0000}, biases {biased:0.0000}";
        TestContext.Current.TestOutputHelper?.WriteLine(report);
        Assert.True(facts.Floor is > 0.66 and < 0.72, report);
        Assert.True(facts.WithoutFactors > 0.93 && biased > 0.93, report);
        Assert.True(factorised > facts.Floor - 0.02 && factorised < facts.Floor + 0.1, report);
    }

    [Theory]
    [InlineData(99, 10, 100, "--ratings")]
    [InlineData(5001, 100, 100, "lower --ratings")]
    [InlineData(499, 100, 100, "lower --users to at most 99")]
    [InlineData(100, 10, 9, "--items")]
    public void Impossible_settings_are_refused_with_a_remedy(int ratings, int users, int items, string part)
    {
        var settings = new RatingSettings { Ratings = ratings, Users = users, Items = items };
        Assert.Contains(part, Assert.Throws<InputException>(() => new RatingGenerator(settings)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_that_follow_the_number_of_ratings_can_be_made()
    {
        for (double ratings = RatingSettings.LeastRatings; ratings <= RatingSettings.MostRatings; ratings *= 1.07)
            For((long)ratings).Check();
        Assert.Equal(new RatingSettings(), For(1_000_000));
    }

    [Fact]
    public void Portable_functions_agree_with_the_usual_ones()
    {
        var random = new SeededRandom(1, 2, 3);
        for (int j = 0; j < 100_000; j++)
        {
            double x = (200 * random.Uniform()) - 100;
            Assert.Equal(1, PortableMath.Exp(x) / Math.Exp(x), 1e-13);
            double y = j % 2 == 0 ? Math.Exp(x) : random.Uniform();
            Assert.Equal(0, PortableMath.Log(y) - Math.Log(y), 1e-15 * (1 + Math.Abs(Math.Log(y))));
        }
    }

    [Fact]
    public void Cancelling_ends_it()
    {
        using var cancel = new CancellationTokenSource();
        var generator = new RatingGenerator(For(10_000));
        Assert.Throws<OperationCanceledException>(() => generator.Write(Stream.Null, _ => cancel.Cancel(), cancel.Token));
    }

    private static RatingSettings For(long ratings) =>
        new() { Ratings = ratings, Users = RatingSettings.UsersFor(ratings), Items = RatingSettings.ItemsFor(ratings) };

    private static (List<Rating> All, RatingFacts Facts, byte[] Text) Make(RatingSettings settings)
    {
        var output = new MemoryStream();
        RatingFacts facts = new RatingGenerator(settings).Write(output, null, CancellationToken.None);
        byte[] text = output.ToArray();
        var all = new List<Rating>();
        foreach (string line in Encoding.ASCII.GetString(text).TrimEnd('\n').Split('\n')[1..])
        {
            string[] fields = line.Split(',');
            all.Add(new Rating(int.Parse(fields[0]), int.Parse(fields[1]), double.Parse(fields[2], CultureInfo.InvariantCulture)));
        }

        return (all, facts, text);
    }

    /// <summary>Mean rating of a planted value, by summing over the noise.</summary>
    private static double MeanRating(double planted, double noise)
    {
        const int Cells = 400;
        double sum = 0, weights = 0;
        for (int cell = -Cells; cell <= Cells; cell++)
        {
            double z = 6.0 * cell / Cells, weight = Math.Exp(-z * z / 2);
            sum += weight * Math.Clamp(Math.Round(2 * (planted + (noise * z))) / 2, 0.5, 5);
            weights += weight;
        }

        return sum / weights;
    }

    private static double BiasModel(List<Rating> training, List<Rating> heldOut)
    {
        const double Damping = 5;
        double mean = Mean(training);
        Dictionary<int, double> items = [], users = [];
        Dictionary<int, int> itemCounts = [], userCounts = [];
        foreach (Rating one in training)
        {
            items[one.Item] = items.GetValueOrDefault(one.Item) + one.Value - mean;
            itemCounts[one.Item] = itemCounts.GetValueOrDefault(one.Item) + 1;
        }

        foreach ((int item, int count) in itemCounts)
            items[item] /= Damping + count;
        foreach (Rating one in training)
        {
            users[one.User] = users.GetValueOrDefault(one.User) + one.Value - mean - items[one.Item];
            userCounts[one.User] = userCounts.GetValueOrDefault(one.User) + 1;
        }

        foreach ((int user, int count) in userCounts)
            users[user] /= Damping + count;
        double squares = 0;
        foreach (Rating one in heldOut)
            squares += Square(one.Value - mean - items.GetValueOrDefault(one.Item) - users.GetValueOrDefault(one.User));
        return Math.Sqrt(squares / heldOut.Count);
    }

    private static double Factorised(List<Rating> training, List<Rating> heldOut, Random random)
    {
        const float Decay = 0.05f;
        double mean = Mean(training);
        Dictionary<int, float[]> users = [], items = []; // the factors, then the bias
        foreach (List<Rating> part in new[] { training, heldOut })
        {
            foreach (Rating one in part)
            {
                users.TryAdd(one.User, Start(random));
                items.TryAdd(one.Item, Start(random));
            }
        }

        Rating[] order = training.ToArray();
        float step = 0.02f;
        for (int pass = 0; pass < 20; pass++, step *= 0.95f)
        {
            random.Shuffle(order);
            foreach (Rating one in order)
            {
                float[] p = users[one.User], q = items[one.Item];
                float error = (float)(one.Value - mean) - Predict(p, q);
                for (int k = 0; k < Rank; k++)
                    (p[k], q[k]) = (p[k] + (step * ((error * q[k]) - (Decay * p[k]))), q[k] + (step * ((error * p[k]) - (Decay * q[k]))));
                p[Rank] += step * (error - (Decay * p[Rank]));
                q[Rank] += step * (error - (Decay * q[Rank]));
            }
        }

        double squares = 0;
        foreach (Rating one in heldOut)
            squares += Square(one.Value - mean - Predict(users[one.User], items[one.Item]));
        return Math.Sqrt(squares / heldOut.Count);
    }

    private static float[] Start(Random random)
    {
        var row = new float[Rank + 1];
        for (int k = 0; k < Rank; k++)
            row[k] = 0.1f * (random.NextSingle() - 0.5f);
        return row;
    }

    private static float Predict(float[] p, float[] q)
    {
        float sum = p[Rank] + q[Rank];
        for (int k = 0; k < Rank; k++)
            sum += p[k] * q[k];
        return sum;
    }

    private static double Mean(List<Rating> ratings)
    {
        double sum = 0;
        foreach (Rating one in ratings)
            sum += one.Value;
        return sum / ratings.Count;
    }

    private static double Square(double x) => x * x;

    private static List<int> Sorted(IEnumerable<int> counts)
    {
        var sorted = new List<int>(counts);
        sorted.Sort((a, b) => b.CompareTo(a));
        return sorted;
    }

    private static int MaxKey(Dictionary<int, int> counts) => Sorted(counts.Keys)[0];

    private static double TopTenth(Dictionary<int, int> counts)
    {
        List<int> sorted = Sorted(counts.Values);
        double top = 0, all = 0;
        for (int j = 0; j < sorted.Count; j++)
        {
            all += sorted[j];
            top += j < sorted.Count / 10 ? sorted[j] : 0;
        }

        return top / all;
    }
}
