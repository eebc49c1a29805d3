using System;
using HpAsyncPs.Kernels;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// The steps of <see cref="SvrgSteps"/> on rows in full, without l1. The part of a step that is not the row's, d &lt;- a d + c, is the same every time: so d is kept as
/// p e + q c, in which it changes two numbers, and the row's part is the only one that goes through a vector. (A lazy step cannot gain anything where
/// every row touches most weights.)
/// </summary>
/// <param name="rows">The rows.</param>
/// <param name="parameters">Number of weights; those behind the rows' are zero in all of them.</param>
internal sealed class DenseSteps(DenseRows rows, int parameters)
{
    // e grows as p shrinks: when it is so small, d is written down anew.
    private const double LeastKept = 0.5;

    private readonly float[] _e = new float[rows.Width];
    private readonly float[] _c = new float[rows.Width];
    private LazySteps _map = new();
    private LocalProblem? _problem;
    private double _p;
    private double _q;
    private double _constant; // d of the intercept, which is contracted less
    private int _steps;

    /// <summary>Begins at d = 0.</summary>
    public void Begin(LazySteps map, LocalProblem problem)
    {
        (_map, _problem, _p, _q, _constant, _steps) = (map, problem, 1, 0, 0, 0);
        Array.Clear(_e);
        int used = Math.Min(parameters, rows.Width);
        for (int j = problem.Penalty.First; j < used; j++)
            _c[j] = (float)(-map.Step * problem.Gradient[j]);
    }

    /// <summary>One step: subtracts a row times its margin's change times this, and applies the map.</summary>
    /// <param name="row">Which.</param>
    /// <param name="factor">Step, curvature and scale of the row.</param>
    public void Step(int row, double factor)
    {
        ReadOnlySpan<float> x = rows.Row(row);
        (float alongE, float alongC) = RowKernel.Dots(x, _e, _c);
        bool hasConstant = _problem!.Penalty.HasIntercept;
        double along = factor * ((_p * alongE) + (_q * alongC) + (hasConstant ? x[0] * _constant : 0));
        _p *= _map.Contraction;
        _q = (_q * _map.Contraction) + 1;
        if (_p < LeastKept)
            WriteDown();
        RowKernel.Add(x, (float)(-along / _p), _e);
        if (hasConstant)
        {
            _constant = (_map.FreeContraction * _constant) - (_map.Step * _problem.Gradient[0]) - (along * x[0]);
            _e[0] = 0;
        }

        _steps++;
    }

    /// <summary>Gives what has come of it.</summary>
    /// <param name="d">Receives it.</param>
    public void End(double[] d)
    {
        LocalProblem problem = _problem!;
        for (int j = 0; j < d.Length; j++)
            d[j] = j < rows.Width ? (_p * _e[j]) + (_q * _c[j]) : _map.Advance(problem.Z[j], _steps, problem.Z[j], problem.Gradient[j], j) - problem.Z[j];
        if (problem.Penalty.HasIntercept)
            d[0] = _constant;
    }

    private void WriteDown()
    {
        for (int j = 0; j < _e.Length; j++)
            _e[j] = (float)((_p * _e[j]) + (_q * _c[j]));
        (_p, _q) = (1, 0);
    }
}
