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
    /// <param name="stands">Where this worker stood when the server came back, or told it its vector anew, as the log says, in order.</param>
    public void AddTo(Span<float> sum, List<Stand> stands) =>
        AddUpTo(new Stand(Newest.Generation, Newest.Begin + (ulong)Newest.Rows.Count, 0), sum, stands);

    /// <summary>What was applied up to a stand: in its life, and before that life began.</summary>
    private void AddUpTo(Stand stand, Span<float> sum, List<Stand> stands)
    {
        ulong begin = 0;
        if (_lives.Find(one => one.Generation == stand.Generation) is { } life) // else the worker has never heard of that life
        {
            begin = life.Begin;
            Assert.InRange(stand.Sequence, begin, begin + (ulong)life.Rows.Count - (stand.NextKey > 0 ? 1UL : 0));
            for (int push = 0; push < (int)(stand.Sequence - begin); push++)
                Add(life.Rows[push], sum);
            if (stand.NextKey > 0)
                Add(life.Rows[(int)(stand.Sequence - begin)], sum[..stand.NextKey]);
        }
        else
        {
            Assert.Equal(0, stand.NextKey);
            begin = stand.Sequence;
        }

        Stand? before = stands.FindLast(one => one.Generation < stand.Generation);
        Assert.Equal(before?.Sequence ?? 0, begin);
        if (before is not null)
            AddUpTo(before, sum, stands);
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
