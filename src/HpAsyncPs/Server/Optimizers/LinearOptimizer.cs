using System;
using System.Buffers;
using System.Numerics.Tensors;
using HpAsyncPs.Codecs;

namespace HpAsyncPs.Server.Optimizers;

/// <summary>x += factor * push, without state: what <see cref="SumOptimizer"/> and <see cref="SgdOptimizer"/> have in common.</summary>
public abstract class LinearOptimizer : IServerOptimizer
{
    private double _factor;
    private int _chunkKeys;

    // For each chunk: no |x| in it is larger. As long as that says enough, the parameters need not be looked at before they are added to.
    private double[] _most = [];

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public int StatePerParameter => 0;

    /// <inheritdoc/>
    public abstract double DefaultRate(double smoothness, int workers);

    /// <inheritdoc/>
    public void Start(int parameters, int chunkKeys, double rate) => (_factor, _chunkKeys, _most) = (FactorOf(rate), chunkKeys, new double[(parameters / chunkKeys) + 1]);

    /// <inheritdoc/>
    public Span<double> State(int which) => [];

    /// <inheritdoc/>
    public Span<int> Counts => [];

    /// <inheritdoc/>
    public void Restored(int key, ReadOnlySpan<double> x) => _most[key / _chunkKeys] = Math.Abs(TensorPrimitives.MaxMagnitude(x));

    /// <summary>Two vectorised sweeps, of which the first reads the payload alone.</summary>
    public bool TryApply(in ReadOnlySequence<byte> gradient, int key, Span<double> x, float limit)
    {
        ref double most = ref _most[key / _chunkKeys];
        double after = most + Math.Abs(_factor * Fp32Codec.LargestMagnitude(gradient));
        if (!(after <= limit)) // NaN is not, either
        {
            after = Fp32Codec.LargestSum(gradient, _factor, x);
            if (!(after <= limit))
                return false;
        }

        most = after;
        Fp32Codec.AddWeighted(gradient, _factor, x);
        return true;
    }

    /// <summary>What a push is multiplied with.</summary>
    protected abstract double FactorOf(double rate);
}
