using System;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Threading;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Learning.Factorization;

/// <summary>Objective and held-out error.</summary>
public sealed partial class FactorTask
{
    /// <inheritdoc/>
    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
    {
        TakeItems(z);
        UserRows users = Evaluated = Evaluated with { Checksum = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(z)) };
        _userFactors.CopyTo(users.Factors, 0);
        _userBiases.CopyTo(users.Biases, 0);
        double error = 0, norm = 0;
        for (int user = 0; user < _data.Users; user++)
        {
            (int begin, int count) = RatingsOf(user);
            ReadOnlySpan<int> items = _data.Items.AsSpan(begin, count);
            ReadOnlySpan<float> ratings = _data.Values.AsSpan(begin, count);
            Span<float> p = users.Factors.AsSpan(user * _width, _width);
            if (isLast)
                users.Biases[user] = RidgeKernel.Solve(p, items, ratings, _q, _itemBiases, (float)_settings.Decay, _scratch);
            float bias = users.Biases[user];
            error += FactorKernel.SquaredError(p, bias, items, ratings, _q, _itemBiases);

            // The decay counts with each rating: a row's norm as often as it has ratings.
            norm += count * (SquaredNorm(p) + ((double)bias * bias));
        }

        for (int local = 0; local < _shares.Length; local++)
        {
            norm += _data.LocalCounts[local]
                * (SquaredNorm(_q.AsSpan(local * _width, _width)) + ((double)_itemBiases[local] * _itemBiases[local]));
        }

        double unit = _data.Scale * _data.Scale / Weight;
        values[0] = 0.5 * unit * (error + (_settings.Decay * norm));
        values[1] = unit * TestError(z);
        values[2] = _data.TestValues.Length / Weight;
    }

    /// <summary>
    /// Gives each user the best factors and bias for the item rows as they are: those that the lost worker had are gone, and by now steps may be too short to get there from the start.
    /// </summary>
    /// <returns>False if it was interrupted.</returns>
    private bool SolveUsers(CancellationToken interrupt)
    {
        for (int user = 0; user < _data.Users; user++)
        {
            if (interrupt.IsCancellationRequested)
                return false;
            (int begin, int count) = RatingsOf(user);
            _userBiases[user] = RidgeKernel.Solve(_userFactors.AsSpan(user * _width, _width), _data.Items.AsSpan(begin, count), _data.Values.AsSpan(begin, count),
                _q, _itemBiases, (float)_settings.Decay, _scratch);
        }

        return true;
    }

    /// <summary>Sum of squared errors over the held-out ratings; an item without training ratings has its zero bias and no factors.</summary>
    private double TestError(ReadOnlySpan<float> z)
    {
        double sum = 0;
        Span<float> row = stackalloc float[_width];
        for (int t = 0; t < _data.TestValues.Length; t++)
        {
            int user = _data.TestUsers[t], item = _data.TestItems[t], local = _testLocals[t];
            double e = _data.TestValues[t] - Evaluated.Biases[user];
            ReadOnlySpan<float> p = Evaluated.Factors.AsSpan(user * _width, _width);
            if (local >= 0)
            {
                e -= _itemBiases[local] + FactorKernel.Dot(p, _q.AsSpan(local * _width, _width));
            }
            else if (_data.ItemCounts[item] > 0)
            {
                ReadOnlySpan<float> from = z.Slice(item * RowLength, RowLength);
                for (int k = 0; k < _settings.Rank; k++)
                    row[k] = _settings.StartOf(item, k) + from[k];
                e -= from[^1] + FactorKernel.Dot(p, row);
            }

            sum += e * e;
        }

        return sum;
    }

    private static double SquaredNorm(ReadOnlySpan<float> row)
    {
        double sum = 0;
        foreach (float v in row)
            sum += (double)v * v;
        return sum;
    }
}
