using System;
using System.Buffers.Text;
using System.IO;
using System.Threading;

namespace HpAsyncPs.Learning.Generation;

/// <summary>
/// Ratings with a planted structure: mean + b_u + b_i + p_u.q_i + noise, all normal, rounded to halves and clamped to 0.5 to 5.
/// Users' activity and items' popularity are log-normal. Users come one after the other, so memory is that of the items' factors
/// and some bytes a user, whatever the number of ratings. The same settings give the same bytes on every machine: see
/// <see cref="SeededRandom"/> and <see cref="PortableMath"/>; sums are scalar, in a fixed order.
/// </summary>
public sealed class RatingGenerator
{
    // On a scale of 0.5 to 5 a signal of this spread (together 0.92) is cut off at the ends for few ratings only.
    private const double Mean = 3.25;
    private const double UserBias = 0.3;
    private const double ItemBias = 0.35;
    private const double FactorPart = 0.8;

    // The top tenth of the items gets about half of all ratings, that of the users about 40 %.
    private const double PopularitySpread = 1.3;
    private const double ActivitySpread = 1.0;
    private const double PopularityUnit = 1 << 20;

    // A user has at least an eighth of the average number of ratings, or so many if that is more.
    private const int AmpleOfUser = 20;
    private const int LeastShare = 8;
    private const int Bisections = 64;

    // Identifiers have gaps: this many numbers for one user, item.
    private const int UserGap = 4;
    private const int ItemGap = 16;

    private const int BufferBytes = 1 << 18;
    private const int LongestLine = 40;

    private readonly RatingSettings _settings;
    private readonly double[] _itemFactors;
    private readonly double[] _itemBiases;
    private readonly int[] _itemIds;
    private readonly int[] _userIds;
    private readonly int[] _counts;
    private readonly WeightedDraws _draws;
    private readonly double[] _factorScales;
    private readonly int _mostOfUser;

    /// <summary>What a stream of random numbers is for.</summary>
    private enum Purpose : ulong
    {
        Items,
        Activity,
        UserIds,
        Users,
        Ratings,
    }

    /// <exception cref="InputException">The settings cannot be met.</exception>
    public RatingGenerator(RatingSettings settings)
    {
        settings.Check();
        _settings = settings;
        _factorScales = FactorScales(settings.Rank);
        _mostOfUser = settings.Items * 3 / 4; // room enough: at most half of all pairs are asked for
        _itemFactors = new double[settings.Items * settings.Rank];
        _itemBiases = new double[settings.Items];
        _itemIds = new int[settings.Items];
        var weights = new ulong[settings.Items];
        SeededRandom random = Stream(Purpose.Items, 0);
        for (int item = 0; item < settings.Items; item++)
        {
            weights[item] = 1 + (ulong)(PopularityUnit * PortableMath.Exp(PopularitySpread * random.Normal()));
            _itemIds[item] = (item * ItemGap) + 1 + (int)random.Below(ItemGap);
            _itemBiases[item] = ItemBias * random.Normal();
            Factors(ref random, _itemFactors.AsSpan(item * settings.Rank, settings.Rank));
        }

        _draws = new WeightedDraws(weights);
        _counts = Counts();
        _userIds = UserIds();
    }

    /// <summary>Identifier of a user in the file; users are numbered as they stand there.</summary>
    public int UserId(int user) => _userIds[user];

    /// <summary>Identifier of an item in the file; these increase.</summary>
    public int ItemId(int item) => _itemIds[item];

    /// <summary>What a user would give an item, without noise, rounding and clamping.</summary>
    public double Planted(int user, int item)
    {
        var factors = new double[_settings.Rank];
        double bias = PlantUser(user, factors);
        return bias + _itemBiases[item] + Dot(factors, item);
    }

    /// <summary>Writes a CSV file with a header, all ratings of a user together.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="progress">Told now and then which part, 0 to 1, is done.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    public RatingFacts Write(Stream output, Action<double>? progress, CancellationToken cancel)
    {
        var buffer = new byte[BufferBytes];
        int used = Put(buffer, 0, "userId,itemId,rating\n"u8);
        var expectation = new RatingScale(_settings.Noise);
        var factors = new double[_settings.Rank];
        var drawn = new int[_mostOfUser];
        var ofItem = new int[_settings.Items];
        int mostOfUser = 0;
        long done = 0, halves = 0;
        double squares = 0, squaresWithoutFactors = 0;
        for (int user = 0; user < _settings.Users; user++)
        {
            cancel.ThrowIfCancellationRequested();
            double bias = PlantUser(user, factors);
            SeededRandom random = Stream(Purpose.Ratings, user);
            Span<int> items = drawn.AsSpan(0, _counts[user]);
            _draws.Draw(ref random, items);
            mostOfUser = Math.Max(mostOfUser, items.Length);
            foreach (int item in items)
            {
                double biases = bias + _itemBiases[item];
                double planted = biases + Dot(factors, item);
                int rating = RatingScale.Halves(planted + (_settings.Noise * random.Normal()));
                double error = (0.5 * rating) - expectation.Mean(planted);
                double errorWithoutFactors = (0.5 * rating) - biases;
                squares += error * error;
                squaresWithoutFactors += errorWithoutFactors * errorWithoutFactors;
                halves += rating;
                ofItem[item]++;
                if (buffer.Length - used < LongestLine)
                {
                    output.Write(buffer, 0, used);
                    used = 0;
                }

                used = Put(buffer, used, _userIds[user], (byte)',');
                used = Put(buffer, used, _itemIds[item], (byte)',');
                used = Put(buffer, used, RatingScale.Text(rating));
            }

            done += items.Length;
            progress?.Invoke((double)done / _settings.Ratings);
        }

        output.Write(buffer, 0, used);
        int rated = 0, mostOfItem = 0;
        foreach (int count in ofItem)
        {
            rated += count > 0 ? 1 : 0;
            mostOfItem = Math.Max(mostOfItem, count);
        }

        return new RatingFacts
        {
            Users = _settings.Users,
            RatedItems = rated,
            Ratings = done,
            MostOfUser = mostOfUser,
            MostOfItem = mostOfItem,
            Mean = 0.5 * halves / done,
            Floor = Math.Sqrt(squares / done),
            WithoutFactors = Math.Sqrt(squaresWithoutFactors / done),
        };
    }

    /// <summary>
    /// Of p_u and q_i both. Factor k's part in the ratings falls like 1 / k, as in real ratings: the first can be learned from
    /// few, the last only from many. Together they have the spread asked for, whatever the rank.
    /// </summary>
    private static double[] FactorScales(int rank)
    {
        double squares = 0;
        for (int k = 1; k <= rank; k++)
            squares += 1.0 / k / k;
        var scales = new double[rank];
        for (int k = 1; k <= rank; k++)
            scales[k - 1] = Math.Sqrt(FactorPart / k / Math.Sqrt(squares));
        return scales;
    }

    private static int Put(byte[] buffer, int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(buffer.AsSpan(at));
        return at + text.Length;
    }

    private static int Put(byte[] buffer, int at, int number, byte after)
    {
        Utf8Formatter.TryFormat(number, buffer.AsSpan(at), out int length);
        buffer[at + length] = after;
        return at + length + 1;
    }

    private SeededRandom Stream(Purpose purpose, int index) => new(_settings.Seed, (ulong)purpose, index);

    /// <summary>Mean and bias of a user; fills in the factors.</summary>
    private double PlantUser(int user, Span<double> factors)
    {
        SeededRandom random = Stream(Purpose.Users, user);
        double bias = Mean + (UserBias * random.Normal());
        Factors(ref random, factors);
        return bias;
    }

    private void Factors(ref SeededRandom random, Span<double> factors)
    {
        for (int k = 0; k < factors.Length; k++)
            factors[k] = _factorScales[k] * random.Normal();
    }

    private double Dot(ReadOnlySpan<double> factors, int item)
    {
        ReadOnlySpan<double> others = _itemFactors.AsSpan(item * factors.Length, factors.Length);
        double sum = 0;
        for (int k = 0; k < factors.Length; k++)
            sum += factors[k] * others[k];
        return sum;
    }

    /// <summary>Log-normal numbers of ratings of each user, above a least one, at most three quarters of the items, with the sum asked for.</summary>
    private int[] Counts()
    {
        int users = _settings.Users;
        long average = _settings.Ratings / users;
        long least = Math.Min(average, Math.Clamp(average / LeastShare, RatingSettings.LeastOfUser, AmpleOfUser));
        var activity = new double[users];
        SeededRandom random = Stream(Purpose.Activity, 0);
        for (int user = 0; user < users; user++)
            activity[user] = PortableMath.Exp(ActivitySpread * random.Normal());

        // Each has floor(least + factor * activity), within bounds; the factor is the largest whose sum is not too large.
        double low = 0, high = 1;
        while (Sum(activity, least, high) <= _settings.Ratings)
            high *= 2;
        for (int j = 0; j < Bisections; j++)
        {
            double middle = (low + high) / 2;
            if (Sum(activity, least, middle) <= _settings.Ratings)
                low = middle;
            else
                high = middle;
        }

        var counts = new int[users];
        long left = _settings.Ratings;
        for (int user = 0; user < users; user++)
        {
            counts[user] = Count(activity[user], least, low);
            left -= counts[user];
        }

        for (int user = 0; left > 0; user = (user + 1) % users)
        {
            if (counts[user] == _mostOfUser)
                continue;
            counts[user]++;
            left--;
        }

        return counts;
    }

    private long Sum(double[] activity, long least, double factor)
    {
        long sum = 0;
        foreach (double one in activity)
            sum += Count(one, least, factor);
        return sum;
    }

    private int Count(double activity, long least, double factor) => (int)Math.Min(_mostOfUser, least + (factor * activity));

    /// <summary>Distinct identifiers with gaps, in random order.</summary>
    private int[] UserIds()
    {
        var ids = new int[_settings.Users];
        SeededRandom random = Stream(Purpose.UserIds, 0);
        for (int user = 0; user < ids.Length; user++)
        {
            int other = (int)random.Below((ulong)user + 1);
            ids[user] = ids[other];
            ids[other] = (user * UserGap) + 1 + (int)random.Below(UserGap);
        }

        return ids;
    }
}
