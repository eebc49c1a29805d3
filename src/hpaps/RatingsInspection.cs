using System;
using System.Globalization;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli;

/// <summary>What is in a file of ratings.</summary>
internal sealed record RatingsInspection
{
    public string Data { get; init; } = "";

    /// <summary>Of the file as it is on disk: compressed, if it is gzip.</summary>
    public long Bytes { get; init; }

    public long Ratings { get; init; }

    public int Users { get; init; }

    public int Items { get; init; }

    /// <summary>Ratings over users times items.</summary>
    public double Density { get; init; }

    public double Mean { get; init; }

    public double Deviation { get; init; }

    public float Least { get; init; }

    public float Most { get; init; }

    /// <summary>The most ratings that one user has.</summary>
    public int MostOfAUser { get; init; }

    /// <summary>The most ratings that one item has.</summary>
    public int MostOfAnItem { get; init; }

    public double Seconds { get; init; }

    /// <summary>Bytes of the file as it is on disk, a second.</summary>
    public double MegabytesPerSecond { get; init; }

    /// <exception cref="InputException">The file cannot be read or is malformed.</exception>
    public static RatingsInspection Of(string path)
    {
        long bytes = InputFile.Check("--data", path);
        long start = TimeProvider.System.GetTimestamp();
        Ratings ratings = RatingsReader.Read(path, new IdTable(), new IdTable(), needsRatings: true, CancellationToken.None);
        double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds, sum = 0, squares = 0;
        float least = float.PositiveInfinity, most = float.NegativeInfinity;
        int[] users = new int[ratings.Users.Count], items = new int[ratings.Items.Count];
        for (int r = 0; r < ratings.Count; r++)
        {
            float value = ratings.Values[r];
            (sum, squares) = (sum + value, squares + ((double)value * value));
            (least, most) = (Math.Min(least, value), Math.Max(most, value));
            users[ratings.UserOf[r]]++;
            items[ratings.ItemOf[r]]++;
        }

        Array.Sort(users);
        Array.Sort(items);
        double mean = sum / ratings.Count;
        return new RatingsInspection
        {
            Data = path,
            Bytes = bytes,
            Ratings = ratings.Count,
            Users = users.Length,
            Items = items.Length,
            Density = (double)ratings.Count / users.Length / items.Length,
            Mean = mean,
            Deviation = Math.Sqrt(Math.Max(0, (squares / ratings.Count) - (mean * mean))),
            Least = least,
            Most = most,
            MostOfAUser = users[^1],
            MostOfAnItem = items[^1],
            Seconds = seconds,
            MegabytesPerSecond = bytes / 1e6 / seconds,
        };
    }

    public string Lines()
    {
        var lines = new ResultLines();
        lines.Add("file", Data);
        lines.Add("size", $"{Show.Bytes(Bytes)}, read in {Show.Duration(Seconds)} ({MegabytesPerSecond:0.0} MB/s)");
        lines.Add("ratings", $"{Show.Count(Ratings)} ({100 * Density:0.####} % of all pairs)");
        lines.Add("users", $"{Show.Count(Users)}, with {(double)Ratings / Users:0.0} ratings on average and at most {Show.Count(MostOfAUser)}");
        lines.Add("items", $"{Show.Count(Items)}, with {(double)Ratings / Items:0.0} ratings on average and at most {Show.Count(MostOfAnItem)}");
        lines.Add("values", string.Create(CultureInfo.InvariantCulture, $"{Least:R} to {Most:R}, mean {Mean:0.000}, standard deviation {Deviation:0.000}"));
        return lines.ToString();
    }
}
