using System;
using BenchmarkDotNet.Attributes;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Bench;

/// <summary>The sweeps of push and pull, in cache and out of it.</summary>
public class KernelBenchmarks
{
    private float[] _c = [];
    private float[] _h = [];
    private float[] _x = [];
    private double[] _sum = [];

    [Params(64 * 1024, 16 * 1024 * 1024)]
    public int Parameters { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _c = new float[Parameters];
        _h = new float[Parameters];
        _x = new float[Parameters];
        _sum = new double[Parameters];
        Array.Fill(_x, 1f);
    }

    [Benchmark]
    public void Encode() => DeltaKernel.Encode(_x, _h, _c);

    [Benchmark]
    public bool StaysWithin() => DeltaKernel.StaysWithin(_c, _h, float.MaxValue);

    [Benchmark]
    public void Apply() => DeltaKernel.Apply(_c, 3, _h, _sum);

    [Benchmark]
    public void Publish() => DeltaKernel.Publish(_sum, 0.5, _x);
}
