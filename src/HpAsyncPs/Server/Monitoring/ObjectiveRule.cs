using System;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>
/// Says when the objective does not fall though it should: docs/monitoring.md has the rule, and when it is wrong. What is measured may be the error on held-out examples as well.
/// </summary>
public sealed class ObjectiveRule
{
    /// <summary>Evaluations without a new best that are looked at.</summary>
    public const int Window = 20;

    /// <summary>Better by less than this share of the best is not better: float parameters do not get nearer.</summary>
    public const double LeastGain = 1e-6;

    /// <summary>Worse than the best by more than this share of all that was gained is getting worse.</summary>
    public const double WorseShare = 0.1;

    /// <summary>The window takes at least so long.</summary>
    public static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(30);

    private readonly double? _target;
    private readonly double[] _last = new double[Window];
    private double _first = double.NaN;
    private double _best = double.NaN;
    private double _bestAt;
    private int _since;
    private bool _isSaid;

    /// <param name="target">The value to get to; null: nobody has said.</param>
    public ObjectiveRule(double? target) => _target = target;

    /// <summary>What was told last is still so.</summary>
    public bool Holds => _isSaid;

    /// <summary>Another evaluation.</summary>
    /// <param name="value">What was measured.</param>
    /// <param name="seconds">Since training began.</param>
    /// <returns>What to tell, or null. Once, until there is a new best.</returns>
    public string? Evaluated(double value, double seconds)
    {
        if (double.IsNaN(_first))
        {
            (_first, _best, _bestAt) = (value, value, seconds);
            return null;
        }

        if (value < _best - (LeastGain * Math.Abs(_best)))
        {
            (_best, _bestAt, _since, _isSaid) = (value, seconds, 0, false);
            return null;
        }

        _last[_since++ % Window] = value;
        if (_isSaid || _since < Window || seconds - _bestAt < LeastTime.TotalSeconds || _best <= _target)
            return null;
        double[] sorted = [.. _last];
        Array.Sort(sorted); // what is not a number is the least, and counts as worse below
        double middle = sorted[Window / 2], gained = Math.Max(0, _first - _best), above = middle - _best;
        bool isWorse = !double.IsFinite(middle) || above > Math.Max(WorseShare * gained, LeastGain * Math.Abs(_best));
        if (!isWorse && _target is null)
            return null; // it stays where it is: it has converged, for all that can be known
        _isSaid = true;
        string what = $"no new best for {_since} evaluations and {seconds - _bestAt:0} s: the best is {_best:g8}, lately it is {middle:g8}";
        return isWorse ? $"{what}, which is worse: look for workers that were lost or started again, and for data that is not as it should be; else another policy or codec, or under asp a lower --rate"
            : $"{what}, and the target {_target:g8} is not reached: it may be out of reach; see what --plateau would do";
    }
}
