using System.Buffers;
using BenchmarkDotNet.Attributes;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Bench;

/// <summary>Writing and reading a frame, payload copied once.</summary>
public class FrameBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(2 * Limits.ChunkBytes);
    private byte[] _payload = [];

    [Params(4 * 1024, Limits.ChunkBytes)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void SetUp() => _payload = new byte[Bytes];

    [Benchmark]
    public bool WriteAndRead()
    {
        _output.ResetWrittenCount();
        FrameWriter.Write(_output, new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, KeyCount = (uint)Bytes / 4 }, _payload);
        var buffer = new ReadOnlySequence<byte>(_output.WrittenMemory);
        return FrameReader.TryRead(ref buffer, out _, out _);
    }
}
