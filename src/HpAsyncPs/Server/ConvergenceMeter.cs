using System;
using System.Collections.Generic;

namespace HpAsyncPs.Server;

/// <summary>
/// How fast a job gets nearer to its optimum, from evaluations since some moment: how much the logarithm of the gap falls a round. Where the optimum is not
/// known, what the objective fell by in the first half of the rounds is compared with the second: both shrink as the gap does.
/// </summary>
internal sealed class ConvergenceMeter
{
    private const int Least = 3; // samples of a slope
    private const int Most = 256; // samples; beyond that every second one is kept

    private readonly List<(double Round, double Value)> _samples = [];
    private double _from;
    private bool _isGap;

    /// <summary>There are enough evaluations for a slope.</summary>
    public bool HasSlope => _samples.Count >= Least;

    /// <summary>Rounds that a slope takes, as often as evaluations have come; infinite if there were too few.</summary>
    public double RoundsOfSlope => HasSlope ? 1 + (Least * (_samples[^1].Round - _samples[0].Round) / (_samples.Count - 1)) : double.PositiveInfinity;

    /// <summary>From now on something else is measured. What comes of the old in the first round is not counted.</summary>
    public void Begin(double rounds)
    {
        _samples.Clear();
        _from = rounds + 1;
    }

    /// <summary>An evaluation.</summary>
    public void Add(double rounds, double value, bool isGap)
    {
        if (rounds < _from || (_samples.Count > 0 && rounds <= _samples[^1].Round))
            return;
        _isGap = isGap;
        _samples.Add((rounds, value));
        if (_samples.Count < Most)
            return;
        for (int j = 0; j < Most / 2; j++)
            _samples[j] = _samples[2 * j];
        _samples.RemoveRange(Most / 2, Most - (Most / 2));
    }

    /// <summary>The slope over the evaluations from a round on, but at least the last three; null: too little is known, or it gets no nearer.</summary>
    public double? Slope(double from)
    {
        if (!HasSlope)
            return null;
        int begin = 0;
        while (begin < _samples.Count - Least && _samples[begin].Round < from)
            begin++;
        (double Round, double Value) first = _samples[begin], last = _samples[^1];
        double rounds = last.Round - first.Round;
        if (_isGap)
            return first.Value > 0 && last.Value > 0 ? Math.Log(first.Value / last.Value) / rounds : null;
        int middle = begin + 1;
        while (middle < _samples.Count - 2 && _samples[middle].Round < first.Round + (rounds / 2))
            middle++;
        (double Round, double Value) half = _samples[middle];
        double before = (first.Value - half.Value) / (half.Round - first.Round), after = (half.Value - last.Value) / (last.Round - half.Round);
        return before > 0 && after > 0 ? Math.Log(before / after) / (rounds / 2) : null;
    }
}
