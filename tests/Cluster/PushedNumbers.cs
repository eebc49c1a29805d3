using System;
using System.Collections.Generic;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>
/// What one worker has pushed, in small whole numbers: a push is a row of <see cref="Period"/> of them, drawn from a seed and repeated over the model, so that
/// each chunk has other numbers at its beginning. A life begins where the server did not know what the worker had been told it had: what was lost counts no more.
/// </summary>
internal sealed class PushedNumbers
{
    public const int Period = 31; // no divisor of a chunk's length

    private readonly List<Life> _lives = [new Life(0, 0)];

    /// <summary>How often pushes were lost, or may have been.</summary>
    public int Losses => _lives.Count - 1;

    private Life Newest => _lives[^1];

    /// <summary>The numbers of a seed, from -1 to 2.</summary>
    public static float[] Row(ulong seed)
    {
        float[] row = new float[Period];
        for (int j = 0; j < Period; j++)
            row[j] = (int)((seed >> (2 * j)) & 3) - 1;
        return row;
    }

    public static void Fill(Span<float> vector, float[] row)
    {
        for (int begin = 0; begin < vector.Length; begin += Period)
            row.AsSpan(0, Math.Min(Period, vector.Length - begin)).CopyTo(vector[begin..]);
    }

    /// <summary>The worker is in this life now, and has made so many pushes in it.</summary>
    public void Follow(ulong generation, ulong pushed)
    {
        if (generation != Newest.Generation)
            _lives.Add(new Life(generation, pushed));
    }

    public void Add(ulong sequence, float[] row)
    {
        Assert.Equal(Newest.Begin + (ulong)Newest.Rows.Count + 1, sequence);
        Newest.Rows.Add(row);
    }

    /// <summary>Adds up what the server must have of it, when all is acknowledged.</summary>
    /// <param name="sum">The model, to be added to.</param>
    /// <param name="stands">Where this worker stood when the server came back, as its log says, in order.</param>
    public void AddTo(Span<float> sum, List<Stand> stands)
    {
        // A server that was killed before the beginning of a life was on disk knows nothing of it: what was pushed in it is lost as a whole.
        List<Life> known = _lives.FindAll(life => life == Newest || life.Begin == 0 || stands.Exists(stand => stand.Generation == life.Generation));
        for (int j = 0; j < known.Count; j++)
        {
            Life life = known[j];
            ulong end = life.Begin + (ulong)life.Rows.Count;
            int nextKey = 0;
            if (j + 1 < known.Count)
            {
                Stand? last = stands.FindLast(stand => stand.Generation == life.Generation);
                Assert.True(last is not null || known[j + 1].Begin == 0, $"generation {life.Generation} ended, and the server has never come back in it");
                (end, nextKey) = (last?.Sequence ?? 0, last?.NextKey ?? 0);
                Assert.Equal(end, known[j + 1].Begin);
            }

            Assert.InRange(end, life.Begin, life.Begin + (ulong)life.Rows.Count - (nextKey > 0 ? 1UL : 0));
            for (int push = 0; push < (int)(end - life.Begin); push++)
                Add(life.Rows[push], sum);
            if (nextKey > 0)
                Add(life.Rows[(int)(end - life.Begin)], sum[..nextKey]);
        }
    }

    private static void Add(float[] row, Span<float> sum)
    {
        for (int begin = 0; begin < sum.Length; begin += Period)
        {
            for (int j = 0; j < Period && begin + j < sum.Length; j++)
                sum[begin + j] += row[j];
        }
    }

    /// <param name="Generation">Of the life.</param>
    /// <param name="Sequence">Pushes that were applied whole.</param>
    /// <param name="NextKey">How far the next one was.</param>
    internal sealed record Stand(ulong Generation, ulong Sequence, int NextKey);

    private sealed record Life(ulong Generation, ulong Begin)
    {
        public List<float[]> Rows { get; } = [];
    }
}
