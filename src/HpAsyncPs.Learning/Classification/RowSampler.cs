using System;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// Draws rows, half evenly and half by their squared norm: a few long rows among many short ones would else dictate the length of every
/// step. The alias method (A. J. Walker, ACM TOMS 3(3), 1977), two numbers a draw.
/// </summary>
public sealed class RowSampler
{
    private readonly double[] _keep;
    private readonly int[] _alias;
    private readonly double[] _scales;
    private ulong _state;

    /// <param name="rows">At least one.</param>
    /// <param name="seed">Of the draws.</param>
    public RowSampler(SparseRows rows, ulong seed)
    {
        int count = rows.Rows;
        _state = Mixing.Mix(seed);
        _keep = new double[count];
        _alias = new int[count];
        _scales = new double[count];
        double sum = 0;
        for (int row = 0; row < count; row++)
        {
            foreach (float value in rows.RowValues(row))
                _keep[row] += (double)value * value;
            sum += _keep[row];
        }

        double mean = sum / count;
        for (int row = 0; row < count; row++)
        {
            double norm = _keep[row], odds = mean > 0 ? 0.5 + (0.5 * norm / mean) : 1; // times the number of rows
            LargestScaled = Math.Max(LargestScaled, norm / odds);
            _scales[row] = 1 / odds;
            _keep[row] = odds;
        }

        Pair();
    }

    /// <summary>The largest squared norm of a row, divided by how much more often than evenly it is drawn: at most twice the mean.</summary>
    public double LargestScaled { get; }

    /// <summary>A row.</summary>
    /// <param name="scale">What its part counts, so that the mean over draws is the mean over rows.</param>
    public int Draw(out double scale)
    {
        _state = unchecked(_state + 0x9E3779B97F4A7C15UL);
        ulong random = Mixing.Mix(_state);
        int row = (int)Math.BigMul(random, (ulong)_keep.Length, out ulong fraction);
        if ((fraction >> 11) * (1.0 / (1UL << 53)) >= _keep[row])
            row = _alias[row];
        scale = _scales[row];
        return row;
    }

    private void Pair()
    {
        int[] below = new int[_keep.Length], above = new int[_keep.Length];
        int fewer = 0, more = 0;
        for (int row = 0; row < _keep.Length; row++)
        {
            if (_keep[row] < 1)
                below[fewer++] = row;
            else
                above[more++] = row;
        }

        while (fewer > 0 && more > 0)
        {
            int low = below[--fewer], high = above[more - 1];
            _alias[low] = high;
            _keep[high] -= 1 - _keep[low];
            if (_keep[high] >= 1)
                continue;
            more--;
            below[fewer++] = high;
        }

        while (more > 0)
            _keep[above[--more]] = 1;
        while (fewer > 0)
            _keep[below[--fewer]] = 1; // what rounding left over
    }
}
