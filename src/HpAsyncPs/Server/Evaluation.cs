using System;

namespace HpAsyncPs.Server;

/// <summary>
/// One vector that every worker evaluates on its own data: the weighted mean of their values is exact for that vector, whatever the delays. It is a publication,
/// held until all have answered, or what a stream has made of one.
/// </summary>
internal sealed class Evaluation
{
    private readonly EvaluationStream? _stream;
    private double[] _sums = [];
    private double _weight;

    public Evaluation(ulong number, Publication publication, TraceRow before) => (Number, Publication, Version, Before) = (number, publication, publication.Version, before);

    public Evaluation(ulong number, ulong version, EvaluationStream stream, TraceRow before) => (Number, Version, _stream, Before) = (number, version, stream, before);

    public ulong Number { get; }

    /// <summary>Null: it is the stream's.</summary>
    public Publication? Publication { get; }

    public ulong Version { get; }

    /// <summary>What is evaluated.</summary>
    public ReadOnlySpan<float> Values => Publication is { } publication ? publication.Values : _stream!.Values;

    /// <summary>Every worker had been heard when the snapshot was frozen: it is a model, and may end the run.</summary>
    public required bool IsWhole { get; init; }

    /// <summary>The counters when the snapshot was frozen; the objective is not known yet.</summary>
    public TraceRow Before { get; }

    /// <summary>The longest that a worker took, from the moment it was sent.</summary>
    public TimeSpan Longest { get; set; }

    /// <summary>Workers that have not answered.</summary>
    public int Open { get; set; }

    /// <summary>The weighted mean of the first value.</summary>
    public double Objective => _sums.Length == 0 || _weight == 0 ? double.NaN : _sums[0] / _weight;

    /// <summary>The weighted mean of each value.</summary>
    public double[] Means() => Array.ConvertAll(_sums, sum => sum / _weight);

    /// <summary>Are these values as many as those of the others?</summary>
    public bool Fits(double[] values) => values.Length > 0 && (_sums.Length == 0 || _sums.Length == values.Length);

    public void Add(double weight, double[] values)
    {
        if (_sums.Length == 0)
            _sums = new double[values.Length];
        for (int j = 0; j < values.Length; j++)
            _sums[j] += weight * values[j];
        _weight += weight;
    }
}
