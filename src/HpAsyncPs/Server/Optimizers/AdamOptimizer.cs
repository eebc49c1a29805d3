using System;
using System.Buffers;
using HpAsyncPs.Codecs;

namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// Running means of the gradients (0.9) and of their squares (0.999), both freed of the bias of their start:
/// x -= rate m / (sqrt(v) + 1e-8). Each chunk counts its own gradients, because those of several workers arrive interleaved.
/// Source: Kingma, Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, algorithm 1.
/// </summary>
public sealed class AdamOptimizer : IServerOptimizer
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    private double _rate;
    private int _chunkKeys;
    private double[] _means = [];
    private double[] _squares = [];
    private int[] _applied = [];

    /// <inheritdoc/>
    public string Name => "adam";

    /// <inheritdoc/>
    public int StatePerParameter => 2;

    /// <summary>0.001, as in the paper: about the length of each step of each parameter.</summary>
    public double DefaultRate(double smoothness, int workers) => 0.001;

    /// <inheritdoc/>
    public void Start(int parameters, int chunkKeys, double rate)
    {
        _rate = rate;
        _means = new double[parameters];
        _squares = new double[parameters];
        _chunkKeys = chunkKeys;
        _applied = new int[(parameters / chunkKeys) + 1];
    }

    /// <inheritdoc/>
    public Span<double> State(int which) => which == 0 ? _means : _squares;

    /// <inheritdoc/>
    public Span<int> Counts => _applied;

    /// <inheritdoc/>
    public void Restored(int key, ReadOnlySpan<double> x)
    {
        // it keeps nothing of the parameters
    }

    /// <summary>A parameter moves by at most a few times the rate, which is far below what would take it out of range.</summary>
    public bool TryApply(in ReadOnlySequence<byte> gradient, int key, Span<double> x, float limit)
    {
        if (!(Fp32Codec.LargestMagnitude(gradient) <= limit)) // NaN is not, either
            return false;
        ref int applied = ref _applied[key / _chunkKeys];
        applied = Math.Min(applied, int.MaxValue - 1) + 1; // both biases are long 0 there
        double bias1 = 1 - Math.Pow(Beta1, applied), bias2 = 1 - Math.Pow(Beta2, applied);
        ReadOnlySequence<byte> rest = gradient;
        Span<float> straddling = stackalloc float[1];
        for (int at = 0; !rest.IsEmpty;)
        {
            ReadOnlySpan<float> run = Fp32Codec.NextRun(ref rest, straddling);
            Apply(run, bias1, bias2, _means.AsSpan(key + at, run.Length), _squares.AsSpan(key + at, run.Length), x.Slice(at, run.Length));
            at += run.Length;
        }

        return true;
    }

    private void Apply(ReadOnlySpan<float> gradient, double bias1, double bias2, Span<double> means, Span<double> squares, Span<double> x)
    {
        for (int j = 0; j < gradient.Length; j++)
        {
            double g = gradient[j];
            means[j] = (Beta1 * means[j]) + ((1 - Beta1) * g);
            squares[j] = (Beta2 * squares[j]) + ((1 - Beta2) * g * g);
            x[j] -= _rate * (means[j] / bias1) / (Math.Sqrt(squares[j] / bias2) + Epsilon);
        }
    }
}
