namespace HpAsyncPs.Learning.Generation;

/// <summary>What is in a generated set of ratings.</summary>
public sealed record RatingFacts
{
    /// <summary>Number of users; each has ratings.</summary>
    public required int Users { get; init; }

    /// <summary>Number of items that have a rating.</summary>
    public required int RatedItems { get; init; }

    /// <summary>Number of ratings.</summary>
    public required long Ratings { get; init; }

    /// <summary>Ratings of the user who has most.</summary>
    public required int MostOfUser { get; init; }

    /// <summary>Ratings of the item that has most.</summary>
    public required int MostOfItem { get; init; }

    /// <summary>Mean of all ratings.</summary>
    public required double Mean { get; init; }

    /// <summary>
    /// RMSE of the best prediction from the planted value: its mean rating after noise, rounding and clamping. No model can do
    /// better on ratings that it has not seen, except by luck.
    /// </summary>
    public required double Floor { get; init; }

    /// <summary>RMSE of mean and biases as planted, without the factors.</summary>
    public required double WithoutFactors { get; init; }
}
