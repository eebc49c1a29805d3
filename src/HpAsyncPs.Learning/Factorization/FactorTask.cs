using System;
using System.Collections.Generic;
using System.Globalization;
using System.Numerics.Tensors;
using System.Threading;
using HpAsyncPs.Kernels;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Learning.Factorization;

/// <summary>
/// Biased matrix factorisation, r ~ mean + b_u + b_i + p_u.q_i, squared error and weight decay. A worker keeps its own
/// users' factors to itself; item rows [q, b] are exchanged. Worker i counts in row j with the weight w_ij = n_ij / n_j, its
/// share of the ratings of item j, and steps that row by 1 / w_ij times the usual (capped), so that the average over the
/// workers moves as one machine would: the derivation is in docs/algorithms.md. What travels is w_ij (row - start), so that
/// the server's plain sum is the average's distance from the start that all share. At the end each user gets the factors and
/// bias that are best for the item rows.
/// </summary>
public sealed partial class FactorTask : ITask
{
    /// <summary>Its name in settings and on the command line.</summary>
    public const string Name = "mf";

    // Each takes an int a user.
    private const int MostBlocks = 64;

    private readonly FactorData _data;
    private readonly FactorSettings _settings;
    private readonly int _width;
    private readonly int[] _order;
    private readonly float[] _itemScales;
    private readonly float[] _shares;
    private readonly float[] _start;
    private readonly float[] _q;
    private readonly float[] _itemBiases;
    private readonly float[] _userFactors;
    private readonly float[] _userBiases;
    private readonly float[] _scratch;

    // Local item of each held-out rating, or below zero.
    private readonly int[] _testLocals;

    // For each block of items and each user, where the user's ratings of the block end.
    private readonly int[][] _blocks;

    // Item rows of a model to begin from, as they are exchanged.
    private float[]? _warmItems;

    private readonly Pace _pace = new();
    private readonly int _parts;
    private double _stepPasses;

    // Orders drawn, and the place in the order of the next user.
    private ulong _orders;
    private int _next;

    /// <param name="data">This worker's ratings.</param>
    /// <param name="settings">The same at every worker.</param>
    /// <param name="parts">Parts of the data, one for each worker.</param>
    /// <param name="more">More that must be the same at every worker.</param>
    /// <exception cref="InputException">The model is too large.</exception>
    public FactorTask(FactorData data, FactorSettings settings, int parts, params IReadOnlyList<KeyValuePair<string, string>> more)
    {
        _data = data;
        _settings = settings;
        _parts = parts;
        _width = (settings.Rank + FactorKernel.Lanes - 1) / FactorKernel.Lanes * FactorKernel.Lanes;
        CheckSize();
        _userFactors = new float[data.Users * _width];
        _userBiases = new float[data.Users];
        Evaluated = new UserRows(new float[_userFactors.Length], new float[data.Users], _width, 0);
        _q = new float[data.LocalItems.Length * _width];
        _start = new float[_q.Length];
        _itemBiases = new float[data.LocalItems.Length];
        _shares = new float[data.LocalItems.Length];
        _itemScales = new float[data.LocalItems.Length];
        for (int local = 0; local < _shares.Length; local++)
        {
            double share = (double)data.LocalCounts[local] / data.ItemCounts[data.LocalItems[local]];
            _shares[local] = (float)share;
            _itemScales[local] = (float)Math.Min(settings.LargestScale, 1 / share);
            for (int k = 0; k < settings.Rank; k++)
                _start[(local * _width) + k] = settings.StartOf(data.LocalItems[local], k);
        }

        for (int user = 0; user < data.Users; user++)
        {
            // Users without training ratings keep zeros: what is predicted for them comes from the items' biases.
            for (int k = 0; k < settings.Rank && data.UserStarts[user + 1] > data.UserStarts[user]; k++)
                _userFactors[(user * _width) + k] = settings.StartOf(~data.UserIds[user], k);
        }

        _blocks = Blocks(Math.Max(settings.BlockBytes / (_width * sizeof(float)), 1 + (data.LocalItems.Length / MostBlocks)));
        _scratch = new float[RidgeKernel.Scratch(_width)];
        _testLocals = Array.ConvertAll(data.TestItems, item => Array.BinarySearch(data.LocalItems, item));
        _order = new int[data.Users];
        for (int user = 0; user < _order.Length; user++)
            _order[user] = user;
        Settings =
        [
            new("task", Name),
            new("rank", Text(settings.Rank)), new("decay", Text(settings.Decay)), new("step", Text(settings.Step)),
            new("step_decay", Text(settings.StepDecay)), new("start", Text(settings.Start)),
            new("seed", settings.Seed.ToString(CultureInfo.InvariantCulture)),
            new("mean", Text(data.Mean)), new("scale", Text(data.Scale)),
            new("parts", Text(parts)),
            .. more,
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

    /// <summary>A push has each item of which this worker has ratings, however many.</summary>
    public double[] Loads
    {
        get
        {
            double[] loads = new double[Math.Min(Limits.LoadSlices, _data.ItemCounts.Length)];
            foreach (int item in _data.LocalItems)
                loads[(long)item * loads.Length / _data.ItemCounts.Length]++;
            return loads;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; }

    /// <summary>Objective; squared error and number of the held-out ratings, each over this worker's training ratings.</summary>
    public int Values => 3;

    /// <summary>This worker's users as of the last evaluation, which fit the item rows that were evaluated.</summary>
    public UserRows Evaluated { get; private set; }

    /// <summary>Begins from a model. Before training.</summary>
    public void StartFrom(FactorStart start)
    {
        _warmItems = new float[Parameters];
        for (int item = 0; item < _data.ItemCounts.Length; item++)
        {
            ReadOnlySpan<float> from = start.Items.AsSpan(item * RowLength, RowLength);
            for (int k = 0; k < RowLength && from.ContainsAnyExcept(0f); k++)
                _warmItems[(item * RowLength) + k] = from[k] - (k < _settings.Rank ? _settings.StartOf(item, k) : 0);
        }

        for (int user = 0; user < _data.Users; user++)
        {
            ReadOnlySpan<float> from = start.Users.AsSpan(user * RowLength, RowLength);
            if (!from.ContainsAnyExcept(0f))
                continue;
            from[..^1].CopyTo(_userFactors.AsSpan(user * _width));
            _userBiases[user] = from[^1];
        }
    }

    /// <inheritdoc/>
    public void Start(StartMessage agreed)
    {
        if (agreed.Evicts)
            throw new InputException("--on-worker-loss evict would leave each item's row short of the lost worker's share: factorisation takes wait or keep");

        // Shares of items' ratings add up to one only over all parts.
        if (agreed.Workers != _parts)
        {
            throw new InputException($"the ratings are in {_parts} parts, but {agreed.Workers} workers train: start the server with --workers {_parts}, "
                + $"or the workers with --part 0/{agreed.Workers} and so on");
        }
    }

    /// <inheritdoc/>
    public double Step(in StepInput input, Span<float> x)
    {
        bool goesOn = _orders == 0 && (input.Rounds > 0 || input.Own.ContainsAnyExcept(0f)); // its rank has pushed, and not by it: it takes a lost worker's place, or the job was one of other workers
        if (goesOn)
            _warmItems = null; // what the job has reached is better
        TakeItems(_warmItems is not null && input.Rounds == 0 ? _warmItems : input.Aggregate); // the aggregate lacks somebody's part of the model yet
        if (goesOn && !SolveUsers(input.Interrupt))
            return 0;
        (double share, double longer) = _pace.Next(input.JobPasses, _stepPasses);
        int wanted = (int)Math.Ceiling(share * _data.Values.Length);
        double scheduled = _settings.Step * Math.Pow(_settings.StepDecay, input.JobPasses);
        float step = (float)(scheduled * longer), largest = (float)(scheduled * _settings.LargestScale), decay = (float)_settings.Decay;
        if (_next == 0)
            Shuffle();
        int first = _next, done = 0;
        do
            done += RatingsOf(_order[_next++]).Count;
        while (done < wanted && _next < _order.Length); // no step goes beyond a pass: it would take some users twice

        for (int block = 0; block < _blocks.Length; block++)
        {
            for (int j = first; j < _next; j++)
            {
                if (input.Interrupt.IsCancellationRequested)
                    return 0;
                int user = _order[j], begin = block == 0 ? _data.UserStarts[user] : _blocks[block - 1][user], count = _blocks[block][user] - begin;
                FactorKernel.UserSteps(_userFactors.AsSpan(user * _width, _width), ref _userBiases[user], _data.Items.AsSpan(begin, count),
                    _data.Values.AsSpan(begin, count), _q, _itemBiases, _itemScales, step, largest, decay);
            }
        }

        _next = _next < _order.Length ? _next : 0;
        GiveItems(x);
        return _stepPasses = (double)done / _data.Values.Length;
    }

    private (int Begin, int Count) RatingsOf(int user) => (_data.UserStarts[user], _data.UserStarts[user + 1] - _data.UserStarts[user]);

    /// <summary>
    /// Items in blocks whose rows fit a core's cache: a step goes through the ratings of one block, user after user, before the next.
    /// Each row takes its steps in the same order as without blocks, so the result is the same bit for bit.
    /// Source: W.-S. Chin, Y. Zhuang, Y.-C. Juan, C.-J. Lin, A Fast Parallel Stochastic Gradient Method for Matrix Factorization in
    /// Shared Memory Systems, ACM TIST 6(1), 2015.
    /// </summary>
    private int[][] Blocks(int itemsOfABlock)
    {
        int[][] ends = new int[(_data.LocalItems.Length + itemsOfABlock - 1) / itemsOfABlock][];
        for (int block = 0; block < ends.Length; block++)
        {
            ends[block] = new int[_data.Users];
            for (int user = 0; user < _data.Users; user++)
            {
                int at = block == 0 ? _data.UserStarts[user] : ends[block - 1][user];
                while (at < _data.UserStarts[user + 1] && _data.Items[at] < (block + 1L) * itemsOfABlock)
                    at++;
                ends[block][user] = at;
            }
        }

        return ends;
    }

    private void CheckSize()
    {
        long parameters = (long)_data.ItemCounts.Length * RowLength, users = (long)_data.Users * Math.Max(_width, RowLength);
        if (parameters > Limits.Parameters || users > Array.MaxLength || (long)_data.LocalItems.Length * _width > Array.MaxLength)
        {
            throw new InputException($"{_data.ItemCounts.Length} items and {_data.Users} users of a worker with rank {_settings.Rank} are more than "
                + $"{Limits.Parameters} parameters; use a smaller --rank, and for many users more workers");
        }
    }

    /// <summary>Item rows of the aggregate become local rows.</summary>
    private void TakeItems(ReadOnlySpan<float> z)
    {
        for (int local = 0; local < _shares.Length; local++)
        {
            ReadOnlySpan<float> from = z.Slice(_data.LocalItems[local] * RowLength, RowLength);
            TensorPrimitives.Add(from[..^1], _start.AsSpan(local * _width, _settings.Rank), _q.AsSpan(local * _width));
            _itemBiases[local] = from[^1];
        }
    }

    /// <summary>Local rows, weighted, become this worker's vector; rows of items it has no rating of stay zero.</summary>
    private void GiveItems(Span<float> x)
    {
        for (int local = 0; local < _shares.Length; local++)
        {
            Span<float> to = x.Slice(_data.LocalItems[local] * RowLength, RowLength);
            float share = _shares[local];
            TensorPrimitives.Subtract(_q.AsSpan(local * _width, _settings.Rank), _start.AsSpan(local * _width, _settings.Rank), to);
            TensorPrimitives.Multiply(to[..^1], share, to);
            to[^1] = share * _itemBiases[local];
        }
    }

    // Another order of users each pass (R. Durstenfeld, Algorithm 235, CACM 7(7), 1964).
    private void Shuffle()
    {
        ulong state = Mixing.Mix(_settings.Seed + Mixing.Mix(_orders++));
        for (int j = _order.Length - 1; j > 0; j--)
        {
            state = Mixing.Mix(state);
            int other = (int)Math.BigMul(state, (ulong)j + 1, out _);
            (_order[j], _order[other]) = (_order[other], _order[j]);
        }
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>Rows of a worker's users.</summary>
/// <param name="Factors">A row each, padded.</param>
/// <param name="Biases">One each.</param>
/// <param name="Width">Length of a padded row.</param>
/// <param name="Checksum">XxHash3 of the item parameters, as they were exchanged, that these belong to; 0 before there are any.</param>
public sealed record UserRows(float[] Factors, float[] Biases, int Width, ulong Checksum);
