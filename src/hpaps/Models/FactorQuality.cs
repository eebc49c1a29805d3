using System;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Models;

/// <summary>How good a recommender is on some ratings.</summary>
internal sealed record FactorQuality
{
    public string Model { get; init; } = "";

    public string Data { get; init; } = "";

    public long Ratings { get; init; }

    /// <summary>Root of the mean squared error.</summary>
    public double Rmse { get; init; }

    /// <summary>Mean absolute error.</summary>
    public double Mae { get; init; }

    /// <summary>Ratings of users without training ratings: predicted from the item's bias.</summary>
    public long UnknownUsers { get; init; }

    /// <summary>Ratings of items without training ratings: predicted from the user's bias.</summary>
    public long UnknownItems { get; init; }
}

/// <summary>Predictions for the pairs of a file.</summary>
internal sealed class FactorPairs
{
    private readonly FactorModel _model;
    private readonly int[] _users;
    private readonly int[] _items;

    private FactorPairs(FactorModel model, Ratings pairs)
    {
        _model = model;
        Pairs = pairs;
        _users = new int[pairs.Users.Count];
        _items = new int[pairs.Items.Count];
        for (int j = 0; j < _users.Length; j++)
            _users[j] = model.Users.Find(pairs.Users[j]);
        for (int j = 0; j < _items.Length; j++)
            _items[j] = model.Items.Find(pairs.Items[j]);
        for (int r = 0; r < pairs.Count; r++)
        {
            UnknownUsers += model.KnowsUser(UserOf(r)) ? 0 : 1;
            UnknownItems += model.KnowsItem(ItemOf(r)) ? 0 : 1;
        }
    }

    public Ratings Pairs { get; }

    /// <summary>Pairs whose user the model does not know.</summary>
    public long UnknownUsers { get; }

    /// <summary>Pairs whose item the model does not know.</summary>
    public long UnknownItems { get; }

    /// <exception cref="InputException">The model or the file cannot be read.</exception>
    public static FactorPairs Read(string model, string data, bool needsRatings) => new(
        FactorModel.Read(model), RatingsReader.Read(data, new IdTable(), new IdTable(), needsRatings, CancellationToken.None));

    public double Predict(int pair) => _model.Predict(UserOf(pair), ItemOf(pair));

    public FactorQuality Evaluate()
    {
        double squares = 0, absolutes = 0;
        for (int r = 0; r < Pairs.Count; r++)
        {
            double error = Pairs.Values[r] - Predict(r);
            squares += error * error;
            absolutes += Math.Abs(error);
        }

        return new FactorQuality
        {
            Model = _model.Folder,
            Data = Pairs.Source,
            Ratings = Pairs.Count,
            Rmse = Math.Sqrt(squares / Pairs.Count),
            Mae = absolutes / Pairs.Count,
            UnknownUsers = UnknownUsers,
            UnknownItems = UnknownItems,
        };
    }

    private int UserOf(int pair) => _users[Pairs.UserOf[pair]];

    private int ItemOf(int pair) => _items[Pairs.ItemOf[pair]];
}
