using System;

namespace HpAsyncPs.Learning.Classification;

/// <summary>
/// How far a worker may go from the aggregate on its own: rho, the weight of |v - z|^2 / 2 in its local problem. Local work is worth
/// much where shards are alike and leads astray where they are not, and nobody knows beforehand. So rho is decided by what comes of it.
/// A round is the time in which every worker has been heard; the size of a round is the largest residual of the aggregated gradient
/// that this worker saw in it. A round smaller than all before lowers rho; a round four times the best since the last raise raises it, and so does, at once,
/// a residual eight times that best. A best that stays unbeaten for eight rounds raises rho too, so rho goes to
/// infinity unless the residual goes to 0; and as rho grows the step becomes that of Mishchenko et al. (ICML 2018), which converges
/// whatever the delays. docs/algorithms.md has the argument and the measurements.
/// </summary>
public sealed class Guard
{
    private const double Growth = 4;
    private const double SuddenGrowth = 8;
    private const double Raise = 3;
    private const double Lower = 0.8;
    private const double LeastOfStart = 0.1;
    private const double MostOfStart = 1e30; // keeps it finite
    private const int RoundsBetweenRaises = 3; // what a raise does is seen after that many
    private const int Patience = 8;

    private readonly double _least;
    private double _record = double.PositiveInfinity;
    private double _best = double.PositiveInfinity; // since the last raise
    private double _size;
    private long _round = -1;
    private int _sinceRaise;
    private int _sinceBest;

    /// <param name="rho">To begin with, above 0.</param>
    public Guard(double rho)
    {
        Rho = rho;
        _least = LeastOfStart * rho;
    }

    /// <summary>The weight of |v - z|^2 / 2.</summary>
    public double Rho { get; private set; }

    /// <summary>Tells what a snapshot brought.</summary>
    /// <param name="residual">Size of the aggregated gradient, with l1 of the proximal residual.</param>
    /// <param name="rounds">Pushes of the worker that has made the fewest.</param>
    public void Observe(double residual, long rounds)
    {
        if (rounds == 0)
            return; // gradients of some are not in yet: their sum says nothing
        if (rounds == _round)
        {
            _size = Math.Max(_size, residual);
            if (residual > SuddenGrowth * _best)
                Raised(residual);
            return;
        }

        if (_round >= 0)
            EndRound();
        _round = rounds;
        _size = residual;
    }

    private void EndRound()
    {
        _sinceRaise++;
        _sinceBest++;
        if (_size < _best)
        {
            _best = _size;
            _sinceBest = 0;
            if (_size >= _record)
                return; // on the way back from where it went wrong: no reason to be bold again
            _record = _size;
            Rho = Math.Max(_least, Rho * Lower);
        }
        else if (_size > Growth * _best && _sinceRaise >= RoundsBetweenRaises)
        {
            Raised(_size);
        }
        else if (_sinceBest > Patience)
        {
            Raised(Growth * _best);
        }
    }

    private void Raised(double residual)
    {
        Rho = Math.Min(Rho * Raise, _least * MostOfStart);
        _best = Math.Max(_best, residual / Growth); // from where it went wrong to: less is progress again
        _sinceRaise = 0;
        _sinceBest = 0;
    }
}
