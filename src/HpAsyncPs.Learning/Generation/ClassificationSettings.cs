namespace HpAsyncPs.Learning.Generation;

/// <summary>What <see cref="ClassificationGenerator"/> makes.</summary>
public sealed record ClassificationSettings
{
    /// <summary>Most rows.</summary>
    public const int MostRows = 1_000_000_000;

    /// <summary>Most features.</summary>
    public const int MostFeatures = 10_000_000;

    /// <summary>Smallest density.</summary>
    public const double LeastDensity = 1e-7;

    /// <summary>Largest condition number: single precision and text hold no more.</summary>
    public const double MostCondition = 1e12;

    /// <summary>Largest share of labels that are wrong.</summary>
    public const double MostNoise = 0.5;

    /// <summary>Least share of either label.</summary>
    public const double LeastShare = 1e-6;

    /// <summary>Number of rows to train on.</summary>
    public int Rows { get; init; } = 10_000;

    /// <summary>Number of features.</summary>
    public int Features { get; init; } = 200;

    /// <summary>Share of entries that are not 0.</summary>
    public double Density { get; init; } = 0.1;

    /// <summary>Largest eigenvalue of E[x x^T] over the smallest.</summary>
    public double Condition { get; init; } = 100;

    /// <summary>Probability that a label is not that of the planted separator's side.</summary>
    public double Noise { get; init; } = 0.05;

    /// <summary>Share of positive labels.</summary>
    public double LabelSkew { get; init; } = 0.5;

    /// <summary>All negative rows first.</summary>
    public bool SortedByLabel { get; init; }

    /// <summary>Seed of everything.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Refuses what cannot be made.</summary>
    /// <exception cref="InputException">Names the option to change, and how far.</exception>
    public void Check()
    {
        Within("--rows", Rows, 2, MostRows);
        Within("--features", Features, 1, MostFeatures);
        Within("--density", Density, LeastDensity, 1);
        Within("--condition", Condition, 1, MostCondition);
        Within("--noise", Noise, 0, MostNoise);
        Within("--label-skew", LabelSkew, LeastShare, 1 - LeastShare);
        if (Density * Features < 1)
        {
            throw new InputException(
                $"--density {Density:R}: of {Features} features a row would have less than one on average; raise --density to at least {1.0 / Features:0.#######}, or raise --features");
        }

        if (Features == 1 && Condition > 1)
            throw new InputException("--features 1: one feature has the condition number 1; give --condition 1, or more --features");
    }

    private static void Within(string option, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new InputException($"{option} must be {least:R} to {most:R}; it is {value:R}");
    }
}
