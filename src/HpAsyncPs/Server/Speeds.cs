using System;

namespace HpAsyncPs.Server;

/// <summary>
/// How long workers take, from a snapshot that is sent to them to their next push, which is applied: computing and the way both ways. It is measured here alone: policy auto and the lag that
/// workers are told go by it, and the monitor records it. No clock.
/// </summary>
internal sealed class Speeds
{
    // What a push counts for after the next one.
    private const double Memory = 0.6;

    // Told only where it matters: no two machines are equal.
    private const double LeastLag = 1.1;

    // With two workers the faster one sets the pace, and with many of one speed one of them.
    private const double PaceOf = 1.0 / 3;

    private readonly double[] _sentAt;
    private readonly double[] _seconds;
    private readonly double[] _passes;
    private readonly double[] _ofPass;
    private readonly int[] _order;
    private readonly Comparison<int> _faster; // made once: each would be allocated
    private readonly double[] _weights;
    private double _pace;
    private int _news;

    /// <param name="weights">Of the workers.</param>
    public Speeds(double[] weights)
    {
        int workers = weights.Length;
        (_weights, _news) = (weights, workers);
        (_sentAt, _seconds, _passes, _ofPass, _order) = (new double[workers], new double[workers], new double[workers], new double[workers], new int[workers]);
        _faster = (a, b) => _ofPass[a].CompareTo(_ofPass[b]);
    }

    /// <summary>A snapshot goes out to it.</summary>
    public void Sent(int rank, double now) => _sentAt[rank] = now;

    /// <summary>When the snapshot went out, or the push came, after which its time counts.</summary>
    public double SentAt(int rank) => _sentAt[rank];

    /// <summary>A push of it is applied.</summary>
    /// <returns>Seconds since its snapshot was sent.</returns>
    public double Pushed(int rank, double passes, double now)
    {
        double took = Math.Max(1e-9, now - _sentAt[rank]);
        if (passes > 0)
        {
            (_seconds[rank], _passes[rank]) = ((Memory * _seconds[rank]) + took, (Memory * _passes[rank]) + passes);
            _ofPass[rank] = _seconds[rank] / _passes[rank];
            _news++;
        }

        _sentAt[rank] = now; // of a worker that does not wait for a snapshot
        return took;
    }

    /// <summary>Seconds of a pass of a worker over its data; 0: not known.</summary>
    public double OfPass(int rank) => _ofPass[rank];

    /// <summary>Seconds of a pass of the worker that sets the pace: a third of the data, of those that are known, is at workers as fast as it; 0: none is.</summary>
    public double Pace()
    {
        if (_news < _weights.Length)
            return _pace; // sorted anew when about everybody has pushed again
        _news = 0;
        double all = 0, below = 0;
        int known = 0;
        for (int rank = 0; rank < _weights.Length; rank++)
        {
            if (_ofPass[rank] > 0 && _weights[rank] > 0)
            {
                _order[known++] = rank;
                all += _weights[rank];
            }
        }

        _order.AsSpan(0, known).Sort(_faster);
        _pace = 0;
        for (int j = 0; j < known && below < all * PaceOf; j++)
            (below, _pace) = (below + _weights[_order[j]], _ofPass[_order[j]]);
        return _pace;
    }

    /// <summary>How many times slower it is than the worker that sets the pace; 1 if it is not.</summary>
    public double Lag(int rank)
    {
        double pace = Pace(), lag = pace > 0 && _ofPass[rank] > 0 ? _ofPass[rank] / pace : 1;
        return lag < LeastLag ? 1 : lag;
    }
}
