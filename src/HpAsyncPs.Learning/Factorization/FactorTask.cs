using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;
using HpAsyncPs.Kernels;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Learning.Factorization;

/// <summary>
/// Biased matrix factorisation, r ~ mean + b_u + b_i + p_u.q_i, squared error and weight decay. A worker keeps its own
/// users' factors to itself; item rows [q, b] are exchanged. Worker i counts in row j with the weight w_ij = n_ij / n_j, its
/// share of the ratings of item j, and steps that row by 1 / w_ij times the usual (capped), so that the average over the
/// workers moves as one machine would: the derivation is in docs/algorithms.md. What travels is w_ij (row - start), so that
/// the server's plain sum is the average's distance from the start that all share.
/// </summary>
public sealed class FactorTask : ITask
{
    /// <summary>Its name in settings and on the command line.</summary>
    public const string Name = "mf";

    private readonly FactorData _data;
    private readonly FactorSettings _settings;
    private readonly int _width;
    private readonly int[] _order;
    private readonly float[] _itemScales;
    private readonly float[] _shares;
    private readonly float[] _q;
    private readonly float[] _itemBiases;
    private ulong _passes;

    /// <param name="data">This worker's ratings.</param>
    /// <param name="settings">The same at every worker.</param>
    public FactorTask(FactorData data, FactorSettings settings)
    {
        _data = data;
        _settings = settings;
        _width = (settings.Rank + FactorKernel.Lanes - 1) / FactorKernel.Lanes * FactorKernel.Lanes;
        UserFactors = new float[data.Users * _width];
        UserBiases = new float[data.Users];
        _q = new float[data.LocalItems.Length * _width];
        _itemBiases = new float[data.LocalItems.Length];
        _shares = new float[data.LocalItems.Length];
        _itemScales = new float[data.LocalItems.Length];
        for (int local = 0; local < _shares.Length; local++)
        {
            double share = (double)data.LocalCounts[local] / data.ItemCounts[data.LocalItems[local]];
            _shares[local] = (float)share;
            _itemScales[local] = (float)Math.Min(settings.LargestScale, 1 / share);
        }

        for (int user = 0; user < data.Users; user++)
        {
            for (int k = 0; k < settings.Rank; k++)
                UserFactors[(user * _width) + k] = StartOf(~data.UserIds[user], k);
        }

        _order = new int[data.Users];
        for (int user = 0; user < _order.Length; user++)
            _order[user] = user;
        Settings =
        [
            new("task", Name),
            new("rank", Text(settings.Rank)), new("decay", Text(settings.Decay)), new("step", Text(settings.Step)),
            new("step_decay", Text(settings.StepDecay)), new("seed", settings.Seed.ToString(CultureInfo.InvariantCulture)),
            new("mean", Text(data.Mean)),
        ];
    }

    /// <inheritdoc/>
    public int Parameters => _data.ItemCounts.Length * RowLength;

    /// <inheritdoc/>
    public int RowLength => _settings.Rank + 1;

    /// <inheritdoc/>
    public Aggregate Aggregate => Aggregate.Sum;

    /// <inheritdoc/>
    public double Weight => _data.Values.Length;

    /// <inheritdoc/>
    public double[] Agreed => [];

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; }

    /// <summary>Objective; squared error and number of the held-out ratings, each over this worker's training ratings.</summary>
    public int Values => 3;

    /// <summary>Factors of this worker's users, a row of the padded rank each.</summary>
    public float[] UserFactors { get; }

    /// <summary>Biases of this worker's users.</summary>
    public float[] UserBiases { get; }

    /// <inheritdoc/>
    public void Start(StartMessage agreed)
    {
    }

    /// <inheritdoc/>
    public double Step(ReadOnlySpan<float> z, Span<float> x, double jobPasses, CancellationToken interrupt)
    {
        TakeItems(z);
        var random = new Random((int)((_settings.Seed * 1_000_003) + _passes++));
        random.Shuffle(_order);
        float step = (float)(_settings.Step * Math.Pow(_settings.StepDecay, jobPasses)), decay = (float)_settings.Decay;
        foreach (int user in _order)
        {
            if (interrupt.IsCancellationRequested)
                return 0;
            int begin = _data.UserStarts[user], count = _data.UserStarts[user + 1] - begin;
            FactorKernel.UserSteps(UserFactors.AsSpan(user * _width, _width), ref UserBiases[user], _data.Items.AsSpan(begin, count),
                _data.Values.AsSpan(begin, count), _q, _itemBiases, _itemScales, step, decay);
        }

        GiveItems(x);
        return 1;
    }

    /// <inheritdoc/>
    public void Evaluate(ReadOnlySpan<float> z, Span<double> values)
    {
        TakeItems(z);
        double error = 0, norm = 0;
        for (int user = 0; user < _data.Users; user++)
        {
            ReadOnlySpan<float> p = UserFactors.AsSpan(user * _width, _width);
            double userNorm = SquaredNorm(p) + (UserBiases[user] * (double)UserBiases[user]);
            for (int r = _data.UserStarts[user]; r < _data.UserStarts[user + 1]; r++)
            {
                int item = _data.Items[r];
                ReadOnlySpan<float> q = _q.AsSpan(item * _width, _width);
                double e = _data.Values[r] - UserBiases[user] - _itemBiases[item] - FactorKernel.Dot(p, q);
                error += e * e;
                norm += userNorm + SquaredNorm(q) + (_itemBiases[item] * (double)_itemBiases[item]);
            }
        }

        values[0] = (0.5 * error / Weight) + (0.5 * _settings.Decay * norm / Weight);
        values[1] = TestError(z) / Weight;
        values[2] = _data.TestValues.Length / Weight;
    }

    /// <summary>Sum of squared errors over the held-out ratings; an item without training ratings has its zero bias and no factors.</summary>
    private double TestError(ReadOnlySpan<float> z)
    {
        double sum = 0;
        float[] row = new float[_width];
        for (int t = 0; t < _data.TestValues.Length; t++)
        {
            int user = _data.TestUsers[t], item = _data.TestItems[t];
            double e = _data.TestValues[t] - UserBiases[user];
            if (_data.ItemCounts[item] > 0)
            {
                ReadOnlySpan<float> from = z.Slice(item * RowLength, RowLength);
                for (int k = 0; k < _settings.Rank; k++)
                    row[k] = StartOf(item, k) + from[k];
                e -= from[^1] + FactorKernel.Dot(UserFactors.AsSpan(user * _width, _width), row);
            }

            sum += e * e;
        }

        return sum;
    }

    /// <summary>Item rows of the aggregate become local rows.</summary>
    private void TakeItems(ReadOnlySpan<float> z)
    {
        for (int local = 0; local < _shares.Length; local++)
        {
            int item = _data.LocalItems[local];
            ReadOnlySpan<float> from = z.Slice(item * RowLength, RowLength);
            Span<float> to = _q.AsSpan(local * _width, _width);
            for (int k = 0; k < _settings.Rank; k++)
                to[k] = StartOf(item, k) + from[k];
            _itemBiases[local] = from[^1];
        }
    }

    /// <summary>Local rows, weighted, become this worker's vector; rows of items it has no rating of stay zero.</summary>
    private void GiveItems(Span<float> x)
    {
        for (int local = 0; local < _shares.Length; local++)
        {
            int item = _data.LocalItems[local];
            Span<float> to = x.Slice(item * RowLength, RowLength);
            ReadOnlySpan<float> from = _q.AsSpan(local * _width, _width);
            float share = _shares[local];
            for (int k = 0; k < _settings.Rank; k++)
                to[k] = share * (from[k] - StartOf(item, k));
            to[^1] = share * _itemBiases[local];
        }
    }

    /// <summary>A factor's start: a hash of its place, the same at every worker.</summary>
    private float StartOf(long row, int k)
    {
        ulong h = ((ulong)row * 0x9E3779B97F4A7C15) ^ (((ulong)k + 1) * 0xC2B2AE3D27D4EB4F) ^ (_settings.Seed * 0x165667B19E3779F9);
        h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCD;
        h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53;
        h ^= h >> 33;
        return (float)((((h >> 40) * (1.0 / (1 << 24))) - 0.5) * 2 * _settings.Start);
    }

    private static double SquaredNorm(ReadOnlySpan<float> row)
    {
        double sum = 0;
        foreach (float v in row)
            sum += (double)v * v;
        return sum;
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
