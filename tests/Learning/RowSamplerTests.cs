using System;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class RowSamplerTests
{
    private const int Draws = 1_000_000;

    /// <summary>Rows of one entry each: their squared norms.</summary>
    [Theory]
    [InlineData(1.0)]
    [InlineData(1.0, 1.0, 1.0, 1.0)]
    [InlineData(0.0, 0.0, 0.0)]
    [InlineData(0.0, 1.0, 4.0, 9.0, 100.0)]
    [InlineData(1000.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.01)]
    [InlineData(3.0, 2.0, 1.0, 0.5, 8.0, 0.25, 0.125)]
    public void Draw_takes_rows_half_evenly_and_half_by_their_squared_norm(params double[] squares)
    {
        SparseRows rows = Rows(squares);
        double sum = 0, squared = 0, total = 0, largest = 0;
        foreach (double square in squares)
            total += square;
        double[] odds = Array.ConvertAll(squares, square => total > 0 ? (0.5 / squares.Length) + (0.5 * square / total) : 1.0 / squares.Length);
        int[] seen = new int[squares.Length];
        var sampler = new RowSampler(rows, 7);
        for (int draw = 0; draw < Draws; draw++)
        {
            int row = sampler.Draw(out double scale);
            seen[row]++;
            Assert.Equal(1 / (odds[row] * squares.Length), scale, 1e-6);
            sum += scale;
            squared += scale * scale;
        }

        for (int row = 0; row < squares.Length; row++)
        {
            double deviation = Math.Sqrt(Draws * odds[row] * (1 - odds[row]));
            Assert.InRange(seen[row] - (Draws * odds[row]), (-5 * deviation) - 1e-6, (5 * deviation) + 1e-6);
            largest = Math.Max(largest, squares[row] / (odds[row] * squares.Length));
        }

        double mean = sum / Draws, error = Math.Sqrt(Math.Max(0, (squared / Draws) - (mean * mean)) / Draws);
        Assert.InRange(mean - 1, (-5 * error) - 1e-6, (5 * error) + 1e-6); // the mean over draws is the mean over rows
        Assert.Equal(largest, sampler.LargestScaled, 1e-4 * largest);
        Assert.True(sampler.LargestScaled <= 2 * total / squares.Length * (1 + 1e-6));
    }

    [Fact]
    public void Draw_is_the_same_for_a_seed_and_another_for_another()
    {
        SparseRows rows = Rows([.. new double[100]]);
        RowSampler one = new(rows, 1), same = new(rows, 1), other = new(rows, 2);
        int equal = 0;
        for (int draw = 0; draw < 1000; draw++)
        {
            int row = one.Draw(out _);
            Assert.Equal(row, same.Draw(out _));
            equal += row == other.Draw(out _) ? 1 : 0;
        }

        Assert.InRange(equal, 0, 50);
    }

    private static SparseRows Rows(double[] squares)
    {
        long[] starts = new long[squares.Length + 1];
        for (int row = 0; row < squares.Length; row++)
            starts[row + 1] = row + 1;
        return new SparseRows("squares", starts, new int[squares.Length], Array.ConvertAll(squares, square => (float)Math.Sqrt(square)), new float[squares.Length], 1);
    }
}
