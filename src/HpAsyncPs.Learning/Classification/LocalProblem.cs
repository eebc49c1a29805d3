using System;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// What a worker solves between two pushes, in d = v - z: minimise g.d + d.(H + rho) d / 2 + l1 |z + d|_1, with g the aggregated gradient
/// at the aggregate z and H the Hessian of this worker's own objective at z, H = A^T diag(curvatures) A / n + l2: a proximal
/// Newton step on what is known of all, with the curvature that is here. Its solution is d = 0 where z is optimal.
/// </summary>
/// <param name="rows">This worker's rows.</param>
/// <param name="penalty">l2 and l1.</param>
/// <param name="parameters">Number of weights.</param>
public sealed class LocalProblem(SparseRows rows, Penalty penalty, int parameters)
{
    // Below it a step costs what its gradient costs, and brings nothing.
    private const double LeastPasses = 0.25;

    /// <summary>This worker's rows.</summary>
    public SparseRows Rows => rows;

    /// <summary>l2, which H contains, and l1.</summary>
    public Penalty Penalty => penalty;

    /// <summary>The aggregate, after the proximal operator.</summary>
    public float[] Z { get; } = new float[parameters];

    /// <summary>The aggregated gradient at z.</summary>
    public double[] Gradient { get; } = new double[parameters];

    /// <summary>Second derivative of each row's loss at z, from 0 to 1/4.</summary>
    public float[] Curvatures { get; } = new float[rows.Rows];

    /// <summary>An upper bound on the eigenvalues of H.</summary>
    public double Smoothness { get; init; }

    /// <summary>A curvature that is felt on all data together: how exact a solution pays.</summary>
    public double Flatness { get; init; }

    /// <summary>Weight of |d|^2 / 2.</summary>
    public double Rho { get; set; }

    /// <summary>Share of the passes that solve the problem which are to be made: 1, or less where solutions are exchanged more often.</summary>
    public double Effort { get; set; } = 1;

    /// <summary>How many times slower this worker is than it may be; 1, if it is not: it makes so many times fewer passes.</summary>
    public double Lag { get; set; } = 1;

    /// <summary>A pass for the gradient at z belongs to the same step, and counts.</summary>
    public bool HasGradient { get; set; } = true;

    /// <summary>A step may be the gradient's alone.</summary>
    public bool MayRest { get; set; }

    /// <summary>How many passes a solver is to make.</summary>
    /// <param name="usual">Passes that solve the problem.</param>
    public double PassesFor(double usual)
    {
        int gradient = HasGradient ? 1 : 0;
        double passes = Lag > 1 ? ((gradient + (Effort * usual)) / Lag) - gradient : Effort * usual;
        return passes >= LeastPasses ? passes : MayRest ? 0 : LeastPasses;
    }
}
