using System;
using System.Collections.Generic;
using System.Numerics.Tensors;
using HpAsyncPs.Learning.Data;

namespace HpAsyncPs.Tests.Learning;

/// <summary>
/// Minimises mean log(1 + exp(-y (w.x + b))) + l1 |w|_1 + l2/2 |w|^2 in double precision, b being 0 or a free intercept without
/// penalty; dense, to judge the solvers by. Proximal Newton steps whose quadratic models are minimised by coordinate descent
/// (J. Lee, Y. Sun, M. Saunders, Proximal Newton-type Methods for Minimizing Composite Functions, SIAM J. Optim. 24(3), 2014) find the
/// support; Newton's method on the support alone makes it exact. What is returned is certified: no subgradient of the objective
/// has an element beyond <see cref="Tolerance"/>.
/// </summary>
public static class L1Reference
{
    /// <summary>Largest element of the smallest subgradient at a solution.</summary>
    public const double Tolerance = 1e-12;

    private const int MostSteps = 100;
    private const int MostSweeps = 1000;
    private const int MostPolishes = 20;

    // Relative to the diagonal: without l2, columns may depend on each other.
    private const double Damping = 1e-9;

    /// <summary>What was found.</summary>
    /// <param name="Weights">One per feature, and the intercept behind them if there is one.</param>
    /// <param name="Objective">F* at the weights.</param>
    /// <param name="Support">Features whose weight is not zero; rises. The intercept is none. Where columns are equal it is one of several.</param>
    /// <param name="Residual">Largest element of the smallest subgradient at the weights, at most <see cref="Tolerance"/>.</param>
    public sealed record Solution(double[] Weights, double Objective, int[] Support, double Residual);

    /// <summary>Minimises to the precision of double.</summary>
    /// <param name="rows">The data; a few hundred features at most.</param>
    /// <param name="signs">-1 or +1 per row.</param>
    /// <param name="l1">Weight of |w|_1, at least 0.</param>
    /// <param name="l2">Weight of |w|^2 / 2, at least 0.</param>
    /// <param name="intercept">Whether there is one.</param>
    /// <exception cref="InvalidOperationException">The tolerance was not reached.</exception>
    public static Solution Solve(SparseRows rows, float[] signs, double l1, double l2, bool intercept = false)
    {
        var point = new Point(rows, signs, l1, l2, new double[rows.Features + (intercept ? 1 : 0)]);
        for (int step = 0; step < MostSteps && point.Residual > Tolerance; step++)
        {
            point = Advance(point);
            point = Polish(point);
        }

        if (point.Residual > Tolerance)
            throw new InvalidOperationException($"no optimum after {MostSteps} steps: the subgradient is {point.Residual}");
        return new Solution(point.Weights, point.Objective, [.. point.Support(false)], point.Residual);
    }

    /// <summary>The objective at some weights.</summary>
    /// <param name="rows">The data.</param>
    /// <param name="signs">-1 or +1 per row.</param>
    /// <param name="l1">Weight of |w|_1.</param>
    /// <param name="l2">Weight of |w|^2 / 2.</param>
    /// <param name="weights">One per feature, and the intercept behind them if there is one.</param>
    public static double Objective(SparseRows rows, float[] signs, double l1, double l2, double[] weights) =>
        NewtonReference.Objective(rows, signs, l2, weights) + (l1 * TensorPrimitives.SumOfMagnitudes<double>(weights.AsSpan(0, rows.Features)));

    /// <summary>A step to the minimum of the quadratic model, shortened until the objective falls enough.</summary>
    private static Point Advance(Point from)
    {
        double[] to = ModelMinimum(from);
        double[] direction = new double[to.Length];
        TensorPrimitives.Subtract(to, from.Weights, direction);
        double expected = TensorPrimitives.Dot<double>(from.Gradient, direction) + from.L1Norm(to) - from.L1Norm(from.Weights);
        for (double length = 1; length > 1e-9; length /= 2)
        {
            double[] weights = new double[to.Length];
            for (int j = 0; j < weights.Length; j++)
                weights[j] = length == 1 ? to[j] : from.Weights[j] + (length * direction[j]);
            Point next = from.At(weights);
            if (next.Objective <= from.Objective + (1e-4 * length * expected))
                return next;
        }

        return from; // at the limit of double: the polish does the rest
    }

    /// <summary>Minimum of g.d + d.H d / 2 + l1 |w + d|_1 by coordinate descent, as weights.</summary>
    private static double[] ModelMinimum(Point at)
    {
        double[] weights = (double[])at.Weights.Clone();
        double[] slope = (double[])at.Gradient.Clone();
        double first = 0;
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            double moved = 0;
            for (int j = 0; j < weights.Length; j++)
            {
                double curvature = at.Hessian[j, j], penalty = j < at.Penalised ? at.L1 : 0;
                if (curvature == 0)
                    continue; // a column without entries
                double wanted = (curvature * weights[j]) - slope[j];
                double better = Math.Sign(wanted) * Math.Max(0, Math.Abs(wanted) - penalty) / curvature;
                double change = better - weights[j];
                if (change == 0)
                    continue;
                weights[j] = better;
                for (int k = 0; k < slope.Length; k++)
                    slope[k] += change * (k < j ? at.Hessian[j, k] : at.Hessian[k, j]);
                moved = Math.Max(moved, Math.Abs(change) * curvature);
            }

            first = sweep == 0 ? moved : first;
            if (moved <= 1e-10 * first)
                break;
        }

        return weights;
    }

    /// <summary>Newton's method on the support, signs held; the point itself where that leads nowhere.</summary>
    private static Point Polish(Point from)
    {
        Point best = from;
        for (int round = 0; round < MostPolishes && best.Residual > Tolerance; round++)
        {
            List<int> free = best.Support(true);
            double[,] hessian = new double[free.Count, free.Count];
            double[] gradient = new double[free.Count];
            for (int a = 0; a < free.Count; a++)
            {
                gradient[a] = best.Subgradient(free[a]);
                for (int b = 0; b <= a; b++)
                    hessian[a, b] = best.Hessian[free[a], free[b]] * (a == b ? 1 + Damping : 1);
            }

            double[] step = LogisticDerivatives.SolveSpd(hessian, gradient);
            Point next = best.At(Moved(best, free, step, out bool crosses));
            if (!crosses && !(next.Residual < best.Residual))
                return best;
            best = next;
        }

        return best;
    }

    /// <summary>The weights after a step, or after the part of it at which the first weight changes its sign: that one is zero then.</summary>
    private static double[] Moved(Point from, List<int> free, double[] step, out bool crosses)
    {
        double part = 1;
        int first = -1;
        for (int a = 0; a < free.Count; a++)
        {
            double weight = from.Weights[free[a]];
            if (free[a] < from.Penalised && step[a] / weight >= 1 && weight / step[a] <= part)
                (part, first) = (weight / step[a], free[a]);
        }

        double[] weights = (double[])from.Weights.Clone();
        for (int a = 0; a < free.Count; a++)
            weights[free[a]] = free[a] == first ? 0 : weights[free[a]] - (part * step[a]);
        crosses = first >= 0;
        return weights;
    }

    /// <summary>Weights with all that is known there.</summary>
    private sealed class Point
    {
        private readonly SparseRows _rows;
        private readonly float[] _signs;
        private readonly double _l2;

        public Point(SparseRows rows, float[] signs, double l1, double l2, double[] weights)
        {
            (_rows, _signs, _l2, L1, Weights) = (rows, signs, l2, l1, weights);
            Gradient = new double[weights.Length];
            Hessian = new double[weights.Length, weights.Length];
            LogisticDerivatives.Of(rows, signs, l2, weights, Gradient, Hessian);
            Objective = L1Reference.Objective(rows, signs, l1, l2, weights);
            for (int j = 0; j < weights.Length; j++)
                Residual = Math.Max(Residual, Math.Abs(Subgradient(j)));
        }

        public double[] Weights { get; }

        public double L1 { get; }

        public int Penalised => _rows.Features;

        public double[] Gradient { get; }

        public double[,] Hessian { get; }

        public double Objective { get; }

        public double Residual { get; }

        public Point At(double[] weights) => new(_rows, _signs, L1, _l2, weights);

        public double L1Norm(double[] weights) => L1 * TensorPrimitives.SumOfMagnitudes<double>(weights.AsSpan(0, Penalised));

        /// <summary>The element of the smallest subgradient.</summary>
        public double Subgradient(int j) => j >= Penalised ? Gradient[j]
            : Weights[j] != 0 ? Gradient[j] + (L1 * Math.Sign(Weights[j]))
            : Math.Sign(Gradient[j]) * Math.Max(0, Math.Abs(Gradient[j]) - L1);

        /// <summary>Features whose weight is not zero, and the intercept if it is asked for and there is one.</summary>
        public List<int> Support(bool withIntercept)
        {
            var support = new List<int>();
            for (int j = 0; j < Weights.Length; j++)
            {
                if (j < Penalised ? Weights[j] != 0 : withIntercept)
                    support.Add(j);
            }

            return support;
        }
    }
}
