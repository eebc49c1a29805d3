using System;
using System.Buffers;
using HpAsyncPs.Codecs;

namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// x -= rate g / (sqrt(sum of all g^2) + 1e-10), for each parameter by itself: steps shrink as 1 / sqrt(time), and parameters that are
/// seldom touched keep long ones. Source: Duchi, Hazan, Singer, Adaptive Subgradient Methods for Online Learning and Stochastic
/// Optimization, JMLR 12, 2011, the diagonal form.
/// </summary>
public sealed class AdagradOptimizer : IServerOptimizer
{
    private const double Epsilon = 1e-10;

    private double _rate;
    private double[] _squares = [];

    /// <inheritdoc/>
    public string Name => "adagrad";

    /// <inheritdoc/>
    public int StatePerParameter => 1;

    /// <summary>0.1: the length of the first step of each parameter.</summary>
    public double DefaultRate(double smoothness, int workers) => 0.1;

    /// <inheritdoc/>
    public void Start(int parameters, int chunkKeys, double rate) => (_rate, _squares) = (rate, new double[parameters]);

    /// <inheritdoc/>
    public Span<double> State(int which) => _squares;

    /// <inheritdoc/>
    public Span<int> Counts => [];

    /// <inheritdoc/>
    public void Restored(int key, ReadOnlySpan<double> x)
    {
        // it keeps nothing of the parameters
    }

    /// <summary>A parameter moves by at most the rate, which is far below what would take it out of range.</summary>
    public bool TryApply(in ReadOnlySequence<byte> gradient, int key, Span<double> x, float limit)
    {
        if (!(Fp32Codec.LargestMagnitude(gradient) <= limit)) // NaN is not, either
            return false;
        ReadOnlySequence<byte> rest = gradient;
        Span<float> straddling = stackalloc float[1];
        for (int at = 0; !rest.IsEmpty;)
        {
            ReadOnlySpan<float> run = Fp32Codec.NextRun(ref rest, straddling);
            Apply(run, _squares.AsSpan(key + at, run.Length), x.Slice(at, run.Length));
            at += run.Length;
        }

        return true;
    }

    private void Apply(ReadOnlySpan<float> gradient, Span<double> squares, Span<double> x)
    {
        for (int j = 0; j < gradient.Length; j++)
        {
            double g = gradient[j];
            squares[j] += g * g;
            x[j] -= _rate * g / (Math.Sqrt(squares[j]) + Epsilon);
        }
    }
}
