using System;
using System.Buffers;
using BenchmarkDotNet.Attributes;
using HpAsyncPs.Buffers;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Bench;

/// <summary>Frames with a payload: written, which copies it once, and read, whole or cut into blocks as a pipe has it. Nothing is allocated.</summary>
public class FrameBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(2 * Limits.ChunkBytes);
    private byte[] _payload = [];
    private ReadOnlySequence<byte> _split;

    [Params(4 * 1024, Limits.ChunkBytes)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _payload = new byte[Bytes];
        Write();
        _split = Blocks.Of(_output.WrittenMemory, FrameHeader.Bytes / 2, SlabPool.BlockBytes);
    }

    [Benchmark]
    public bool WriteAndRead()
    {
        _output.ResetWrittenCount();
        Write();
        var buffer = new ReadOnlySequence<byte>(_output.WrittenMemory);
        return FrameReader.TryRead(ref buffer, out _, out _);
    }

    /// <summary>The header lies across two blocks.</summary>
    [Benchmark]
    public bool ReadSplit()
    {
        ReadOnlySequence<byte> buffer = _split;
        return FrameReader.TryRead(ref buffer, out _, out _);
    }

    private void Write() => FrameWriter.Write(_output, new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, KeyCount = (uint)Bytes / 4 }, _payload);

    private sealed class Blocks : ReadOnlySequenceSegment<byte>
    {
        public static ReadOnlySequence<byte> Of(ReadOnlyMemory<byte> whole, int first, int others)
        {
            var begin = new Blocks { Memory = whole[..first] };
            Blocks end = begin;
            for (int at = first; at < whole.Length; at += others)
            {
                var next = new Blocks { Memory = whole.Slice(at, Math.Min(others, whole.Length - at)), RunningIndex = at };
                end.Next = next;
                end = next;
            }

            return new ReadOnlySequence<byte>(begin, 0, end, end.Memory.Length);
        }
    }
}

/// <summary>Frames that are a header alone: acknowledgements, pulls, heartbeats. Nothing is allocated.</summary>
public class HeaderFrameBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(FrameHeader.Bytes);

    [GlobalSetup]
    public void SetUp() => WriteHeaderOnly();

    [Benchmark]
    public void WriteHeaderOnly()
    {
        _output.ResetWrittenCount();
        FrameWriter.Write(_output, new FrameHeader(FrameKind.Acknowledged) { Sequence = 1 }, default);
    }

    [Benchmark]
    public bool ReadHeaderOnly()
    {
        var buffer = new ReadOnlySequence<byte>(_output.WrittenMemory);
        return FrameReader.TryRead(ref buffer, out _, out _);
    }
}
