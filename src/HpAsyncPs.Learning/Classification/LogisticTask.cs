using System;
using System.Collections.Generic;
using System.Numerics.Tensors;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// Regularised logistic regression, F(w) = mean log(1 + exp(-y a.w)) + l2/2 |w|^2 + l1 |w|_1 over the rows of all workers. A worker's
/// vector is x_i = z + theta (v - z) - grad f_i(z) / L, then u_i = grad f_i(z): with z = prox(mean x_i), v the solution of the local
/// problem at z (<see cref="LocalProblem"/>), L an upper bound of all workers' smoothness. Without a local solver it is x_i = z - grad f_i(z) / L
/// alone, the method of Mishchenko, Iutzeler, Malick, Amini, A Delay-tolerant Proximal-Gradient Algorithm for Distributed
/// Learning, ICML 2018. Fixed points are the optimum of all rows together, whatever the delays: docs/algorithms.md.
/// </summary>
public sealed class LogisticTask : ITask
{
    /// <summary>Its name in settings and on the command line.</summary>
    public const string Name = "logreg";

    /// <summary>How many numbers the workers agree on.</summary>
    public const int AgreedNumbers = 3;

    // Vectors of the session, twelve, each of two floats a feature; the doubles of the task and of its solver.
    private const int BytesPerFeature = (12 * 2 * 4) + 92;

    // rho to begin with, times L / rows: about how much the Hessians of random shards differ.
    private const double StartOfRho = 0.5;

    // How much of a local step is taken: what it answers to is one to three rounds old.
    private const double DampingOfTwo = 0.4;
    private const double Damping = 0.35;
    private const double DampingAtBarrier = 0.5;

    // In rounds of two exchanges it answers to everybody's gradient at the same weights. More rounds of less work reach the optimum sooner then.
    private const double EffortTogether = 0.4;

    // Root mean square by which a local step may change the margins of any worker's rows. Beyond it the loss has left the curvature that
    // the step was computed from, and where workers have different features nothing in a worker's own rows holds its step back.
    private const double MostMarginChange = 10;

    // Dense rows have much in common, and their largest eigenvalue with it: what it allows is far too short for the directions in which they differ.
    // So there the bound, if it cut the last step, grows by this whenever the guard becomes bolder, and it shrinks with the guard's doubts.
    private const double LongestGrowth = 2;

    // A worker that is slower than this by its passes does less between two pushes, so that it pushes every fourth time or so that the
    // others do. More often would take less time and more pushes of it: docs/algorithms.md.
    private const double MostLag = 4;

    private readonly SparseRows _data;
    private readonly DenseRows? _dense;
    private readonly LogisticSettings _settings;
    private readonly Penalty _penalty;
    private readonly SecantDamping _together = new();
    private LogisticLoss? _loss;
    private LocalProblem? _problem;
    private ILocalSolver? _solver;
    private Guard? _guard;
    private double[] _gradient = [];
    private double[] _step = [];
    private float[]? _start;
    private bool _hasBegun;
    private float[] _weights = [];
    private int _parameters;
    private double _stepSize;
    private double _share;
    private double _damping;
    private double _longest;
    private double _longestAtFirst;
    private bool _isCut;
    private Lag _lag;
    private double _stepPasses;
    private bool _waits;

    /// <param name="data">This worker's rows.</param>
    /// <param name="settings">The same at every worker.</param>
    /// <exception cref="InputException">There are no rows, or the labels or indices cannot be used.</exception>
    public LogisticTask(SparseRows data, LogisticSettings settings)
    {
        if (data.Rows == 0)
            throw new InputException($"{data.Source}: no row falls to this worker; use fewer workers.");
        // What is wrong with this part alone is told before joining, with file and line; one class only may be the part's luck.
        if (data.DistinctLabels is not [{ Label: -1 or 0 or 1 or 2 }])
            BinaryLabels.Of(data);
        long bytes = (long)data.Features * BytesPerFeature, available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > available || (data.Features + 1L) * settings.Solver.Vectors > Limits.Parameters)
        {
            throw new InputException($"{data.Source}: the largest index is {data.Features}; so many parameters take {bytes / 1e9:0.#} GB at a worker, "
                + $"this machine has {available / 1e9:0.#} GB. Is one index wrong? Else use a larger machine.");
        }

        Agreed = [0, data.MaxLabel, -data.MinLabel];
        if (settings.WarmStart is { Intercept: not null } && !settings.Intercept)
            throw new InputException("The model to begin from has an intercept: train with --intercept, or begin from another.");
        _data = settings.Intercept ? data.WithConstant() : data;
        _dense = DenseRows.Of(_data);
        _settings = settings;
        _penalty = new Penalty(settings.L2, settings.L1, settings.Intercept);
        Agreed[LogisticModel.EigenvaluePlace] = Smoothness.LargestEigenvalueBound(_data);
        Settings = settings.Described();
    }

    /// <inheritdoc/>
    public int Parameters => Math.Max(Math.Max(1, _data.Features), WarmParameters) * _settings.Solver.Vectors;

    /// <inheritdoc/>
    public int RowLength => 1;

    /// <inheritdoc/>
    public Aggregate Aggregate => Aggregate.Mean;

    /// <inheritdoc/>
    public double Weight => _data.Rows;

    /// <inheritdoc/>
    public double[] Agreed { get; }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; }

    /// <inheritdoc/>
    public int Values => 2;

    /// <inheritdoc/>
    public bool IsHalf { get; private set; }

    /// <summary>The weight of |v - z|^2 / 2 in the local problem, as the guard has it now; 0 without a local solver.</summary>
    public double Rho => _settings.Rho > 0 ? _settings.Rho : _guard?.Rho ?? 0;

    /// <inheritdoc/>
    public void Start(StartMessage agreed)
    {
        if (_settings.Parts > 1 && agreed.Workers != _settings.Parts)
        {
            throw new InputException($"the data is in {_settings.Parts} parts, but {agreed.Workers} workers train: start the server with --workers {_settings.Parts}, "
                + $"or the workers with --part 0/{agreed.Workers} and so on");
        }

        _loss = new LogisticLoss(_data, LogisticModel.LabelsOf(_data.Source, agreed.Agreed).Signs(_data), _dense);
        _parameters = agreed.Parameters / _settings.Solver.Vectors;
        _gradient = new double[_parameters];
        _weights = new float[_parameters];
        _start = _settings.WarmStart?.Start(_parameters, _settings.Intercept);
        double smoothness = LogisticModel.SmoothnessOf(agreed.Agreed, _settings.L2);
        _stepSize = smoothness > 0 ? 1 / smoothness : 0; // rows without a feature: nothing can be learned
        _share = agreed.Share;
        if (_settings.Solver.Vectors == 1 || smoothness <= _settings.L2)
            return;
        _step = new double[_parameters];
        _longest = _longestAtFirst = MostMarginChange / Math.Sqrt(agreed.Agreed[LogisticModel.EigenvaluePlace]);
        _problem = new LocalProblem(_data, _penalty, _parameters)
        {
            Smoothness = smoothness,
            Flatness = _settings.L2 + ((smoothness - _settings.L2) * _share / _data.Rows),
        };
        _guard = new Guard(StartOfRho * (smoothness - _settings.L2) / _data.Rows);
        _solver = _settings.Solver.GradientSteps > 0
            ? new GradientSteps(_settings.Solver.GradientSteps)
            : new SvrgSteps(new RowSampler(_data, _settings.Seed), _parameters, _dense);
        _waits = agreed.Waits;
        _damping = agreed.Workers == 1 ? 1 : agreed.Waits ? DampingAtBarrier : agreed.Workers == 2 ? DampingOfTwo : Damping;
    }

    /// <inheritdoc/>
    public double Step(in StepInput input, Span<float> x)
    {
        if (IsHalf)
        {
            IsHalf = false;
            return _stepPasses = SecondHalf(_problem!, input, x);
        }

        if (!_hasBegun && input.Own.ContainsAnyExcept(0f))
            _start = null; // it goes on with a job, or in a lost worker's place: what was reached is better
        _hasBegun = true;
        Span<float> z = _problem is null ? _weights : _problem.Z;
        if (_start is not null && input.Rounds == 0)
            _start.CopyTo(z); // the aggregate lacks somebody's part of the model yet
        else
            _penalty.Shrink(input.Aggregate[.._parameters], _stepSize, z);
        if (!_loss!.Gradient(z, _gradient, _problem is null ? [] : _problem.Curvatures, input.Interrupt))
            return 0;
        for (int j = _penalty.First; j < _parameters; j++)
            _gradient[j] += _settings.L2 * z[j];
        if (_problem is not null && input.IsTogether && input.Rounds > 0)
        {
            FirstHalf(input, x);
            return _stepPasses = 1;
        }

        for (int j = 0; j < _parameters; j++)
            x[j] = (float)(z[j] - (_stepSize * _gradient[j]));
        return _stepPasses = _problem is null ? 1 : 1 + StepLocally(_problem, input, x);
    }

    /// <summary>Objective and training accuracy.</summary>
    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast)
    {
        _penalty.Shrink(z[.._parameters], _stepSize, _weights);
        (double loss, double accuracy) = _loss!.Evaluate(_weights);
        values[0] = loss + _penalty.Of(_weights);
        values[1] = accuracy;
    }

    private int WarmParameters => _settings.WarmStart is { } model ? model.Weights.Length + (_settings.Intercept ? 1 : 0) : 0;

    /// <summary>The gradient alone: what is x_i stays as it is until all gradients at z are known.</summary>
    private void FirstHalf(in StepInput input, Span<float> x)
    {
        input.Own[.._parameters].CopyTo(x);
        for (int j = 0; j < _parameters; j++)
            x[_parameters + j] = (float)_gradient[j];
        IsHalf = true;
    }

    /// <summary>The step from the z of the first half, with everybody's gradient there.</summary>
    private double SecondHalf(LocalProblem problem, in StepInput input, Span<float> x)
    {
        for (int j = 0; j < _parameters; j++)
            x[j] = (float)(problem.Z[j] - (_stepSize * _gradient[j]));
        (problem.Effort, problem.HasGradient, problem.MayRest) = (EffortTogether, false, true);
        SumGradients(problem, input, x);
        problem.Lag = Math.Max(1, input.Lag);
        if (_settings.L1 == 0) // with it the gradient is not what vanishes at the optimum
            _together.Observe(problem.Z.AsSpan(0, _parameters), problem.Gradient.AsSpan(0, _parameters));
        return Add(problem, input, x, _together.Theta);
    }

    private double StepLocally(LocalProblem problem, in StepInput input, Span<float> x)
    {
        SumGradients(problem, input, x);
        double lag = _lag.Observe(input.JobPasses, _stepPasses); // from the first step on: the job's passes until now are no single step's
        if (input.Rounds == 0)
            return 0; // not every worker's gradient is in the mean yet: no direction to follow
        bool isTold = _waits && input.Lag > 0;
        (problem.Effort, problem.HasGradient, problem.MayRest) = (isTold ? EffortTogether : 1, true, isTold);
        problem.Lag = isTold ? input.Lag : lag / MostLag;
        return Add(problem, input, x, _damping);
    }

    /// <summary>The aggregated gradient, with this worker's own part of it made fresh.</summary>
    private void SumGradients(LocalProblem problem, in StepInput input, Span<float> x)
    {
        ReadOnlySpan<float> mean = input.Aggregate[_parameters..], own = input.Own[_parameters..];
        Span<float> u = x[_parameters..];
        double[] aggregated = problem.Gradient;
        for (int j = 0; j < _parameters; j++)
        {
            aggregated[j] = mean[j] + (input.Share * (_gradient[j] - own[j]));
            u[j] = (float)_gradient[j];
        }

        double before = _guard!.Rho;
        _guard.Observe(_penalty.Residual(problem.Z, aggregated, _stepSize), input.Rounds);
        if (_dense is not null && _guard.Rho > before)
            _longest = Math.Max(_longest / LongestGrowth, _longestAtFirst);
        else if (_dense is not null && _guard.Rho < before && _isCut)
            _longest *= LongestGrowth;
    }

    /// <summary>Solves the local problem and adds what it brings.</summary>
    private double Add(LocalProblem problem, in StepInput input, Span<float> x, double damping)
    {
        problem.Rho = Rho;
        double passes = _solver!.Solve(problem, _step, input.Interrupt);
        double length = Math.Sqrt(TensorPrimitives.SumOfSquares<double>(_step));
        _isCut = length > _longest;
        double factor = _isCut ? damping * _longest / length : damping;
        for (int j = 0; j < _parameters; j++)
            x[j] += (float)(factor * _step[j]);
        return passes;
    }
}
