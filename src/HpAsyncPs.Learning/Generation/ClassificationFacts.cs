namespace HpAsyncPs.Learning.Generation;

/// <summary>What is in a generated set for classification.</summary>
public sealed record ClassificationFacts
{
    /// <summary>Number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Number of rows labelled +1.</summary>
    public required int Positives { get; init; }

    /// <summary>Number of rows whose label is not that of the planted separator's side.</summary>
    public required int Flipped { get; init; }

    /// <summary>Number of entries that are not 0.</summary>
    public required long Nonzeros { get; init; }
}
