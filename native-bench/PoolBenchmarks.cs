using System.Buffers;
using BenchmarkDotNet.Attributes;
using HpAsyncPs.Buffers;

namespace HpAsyncPs.Bench;

/// <summary>Taking memory and giving it back, after the pools have it: nothing is allocated.</summary>
public class PoolBenchmarks
{
    private const int Users = 8;
    private const int Floats = 1024;

    private readonly SlabPool _slabs = new(Users);
    private readonly FloatPool _floats = new(Floats, Users, "the benchmark");

    [Benchmark]
    public int SlabRentReturn()
    {
        using IMemoryOwner<byte> block = _slabs.Rent();
        return block.Memory.Length;
    }

    [Benchmark]
    public int FloatLeaseDispose()
    {
        using FloatBuffer buffer = _floats.Lease();
        return buffer.Length;
    }
}
