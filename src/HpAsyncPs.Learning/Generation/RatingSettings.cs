using System;

namespace HpAsyncPs.Learning.Generation;

/// <summary>What <see cref="RatingGenerator"/> makes.</summary>
public sealed record RatingSettings
{
    /// <summary>Fewest ratings that can be asked for.</summary>
    public const long LeastRatings = 100;

    /// <summary>Most ratings that can be asked for.</summary>
    public const long MostRatings = 10_000_000_000;

    /// <summary>Most users.</summary>
    public const int MostUsers = 50_000_000;

    /// <summary>Fewest items.</summary>
    public const int LeastItems = 10;

    /// <summary>Most items.</summary>
    public const int MostItems = 1_000_000;

    /// <summary>Most factors.</summary>
    public const int MostRank = 256;

    /// <summary>Largest noise.</summary>
    public const double MostNoise = 5;

    /// <summary>Each user has at least so many.</summary>
    public const int LeastOfUser = 5;

    /// <summary>Users that suit a number of ratings: 6,000 for a million.</summary>
    public static int UsersFor(long ratings) => (int)Math.Min(MostUsers, Math.Max(ratings * 6 / 1000, (long)(2 * Math.Sqrt(ratings))));

    /// <summary>Items that suit a number of ratings: 3,700 for a million.</summary>
    public static int ItemsFor(long ratings) => (int)Math.Min(MostItems, 3.7 * Math.Sqrt(ratings));

    /// <summary>Number of ratings.</summary>
    public long Ratings { get; init; } = 1_000_000;

    /// <summary>Number of users.</summary>
    public int Users { get; init; } = 6000;

    /// <summary>Number of items to choose from.</summary>
    public int Items { get; init; } = 3700;

    /// <summary>Number of planted factors.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Standard deviation of the noise, before rounding.</summary>
    public double Noise { get; init; } = 0.7;

    /// <summary>Seed of everything.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Refuses what cannot be made.</summary>
    /// <exception cref="InputException">Names the option to change, and how far.</exception>
    public void Check()
    {
        Within("--ratings", Ratings, LeastRatings, MostRatings);
        Within("--users", Users, 1, MostUsers);
        Within("--items", Items, LeastItems, MostItems);
        Within("--rank", Rank, 1, MostRank);
        Within("--noise", Noise, 0, MostNoise);
        long most = (long)Users * Items / 2;
        if (Ratings > most)
        {
            throw new InputException(
                $"--ratings {Ratings}: {Users} users and {Items} items have room for {most}, half of all pairs; raise --users or --items, or lower --ratings");
        }

        if (Ratings / LeastOfUser < Users)
        {
            throw new InputException(
                $"--users {Users}: each rates at least {LeastOfUser} items, and there are {Ratings} ratings; lower --users to at most {Ratings / LeastOfUser}, or raise --ratings");
        }
    }

    private static void Within(string option, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new InputException($"{option} must be {least:R} to {most:R}; it is {value:R}");
    }
}
