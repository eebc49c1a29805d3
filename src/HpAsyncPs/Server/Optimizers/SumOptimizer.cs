using System;
using System.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Server.Optimizers;

/// <summary>
/// x += rate * push: a plain sum, without state. What a parameter server costs when it does no more than it must: for hpaps stress, and
/// for whoever only adds.
/// </summary>
public sealed class SumOptimizer : IServerOptimizer
{
    private double _rate;

    // For each chunk: no |x| in it is larger. As long as that says enough, the parameters need not be looked at before they are added to.
    private double[] _most = [];

    /// <inheritdoc/>
    public string Name => "sum";

    /// <inheritdoc/>
    public int StatePerParameter => 0;

    /// <summary>1.</summary>
    public double DefaultRate(double smoothness, int workers) => 1;

    /// <inheritdoc/>
    public void Start(int parameters, double rate) => (_rate, _most) = (rate, new double[(parameters / Limits.ChunkParameters) + 1]);

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<float> gradient, int key, Span<double> x)
    {
        _most[key / Limits.ChunkParameters] = double.PositiveInfinity;
        Kernels.DeltaKernel.AddWeighted(gradient, _rate, x);
    }

    /// <summary>
    /// Validates one chunk whole, where it was received, then adds it: two vectorised sweeps, of which the first reads the payload alone.
    /// </summary>
    /// <param name="payload">4 bytes for each of x.</param>
    /// <param name="key">The chunk's first parameter.</param>
    /// <param name="x">The parameters of the chunk.</param>
    /// <returns>False, and nothing is added: a value is not finite, or a sum would leave the range of a float.</returns>
    public bool TryAdd(in ReadOnlySequence<byte> payload, int key, Span<double> x)
    {
        ref double most = ref _most[key / Limits.ChunkParameters];
        double after = most + (_rate * Fp32Codec.LargestMagnitude(payload));
        if (!(after <= float.MaxValue)) // NaN is not, either
        {
            after = Fp32Codec.LargestSum(payload, _rate, x);
            if (!(after <= float.MaxValue))
                return false;
        }

        most = after;
        Fp32Codec.AddWeighted(payload, _rate, x);
        return true;
    }
}
