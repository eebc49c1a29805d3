namespace HpAsyncPs.Learning.Factorization;

/// <summary>
/// What a factorisation begins from that goes on from a model. Rows are as long as those that are exchanged, in units of the new ratings;
/// a row of zeros is one that the model does not know.
/// </summary>
/// <param name="Items">A row for each item, by its number.</param>
/// <param name="Users">A row for each of this worker's users.</param>
public sealed record FactorStart(float[] Items, float[] Users);
