using System;
using System.Buffers;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;
using Xunit;

namespace HpAsyncPs.Tests.Protocol;

/// <summary>The bytes that docs/protocol.md promises, in both directions.</summary>
public sealed class GoldenTests
{
    private const ulong Session = 0x1122334455667788;

    [Fact]
    public void Pull_is_as_documented() => Same("pull", new FrameHeader(FrameKind.Pull) { Session = Session, ShardVersion = 42 }, []);

    [Fact]
    public void Push_is_as_documented()
    {
        var header = new FrameHeader(FrameKind.Push)
        {
            Codec = CodecId.Fp32,
            Flags = FrameFlags.Last,
            Session = Session,
            Sequence = 7,
            ShardVersion = 41,
            KeyCount = 3,
            PassesQ8 = 512,
        };
        Same("push", header, MemoryMarshal.AsBytes<float>([1f, -2.5f, 0.15625f]).ToArray());
    }

    [Fact]
    public void Join_is_as_documented()
    {
        var output = new ArrayBufferWriter<byte>();
        new JoinMessage(0, 123, 1, Aggregate.Mean, 8139, [1.5], [new("task", "logreg")]).Write(output);
        Same("join", new FrameHeader(FrameKind.Join) { Session = Session }, output.WrittenSpan.ToArray());
    }

    [Fact]
    public void Rows_are_as_documented()
    {
        var header = new FrameHeader(FrameKind.Snapshot)
        {
            Codec = CodecId.Rows,
            Flags = FrameFlags.Last,
            Session = Session,
            Sequence = 6,
            ShardVersion = 41,
            KeyCount = 8,
            Rounds = 3,
            PassesQ8 = 512,
        };
        byte[] payload = new byte[RowsCodec.Bytes([2], 4, 2, ValueCodec.Fp32)];
        MemoryMarshal.AsBytes<float>([1, -2.5f]).CopyTo(RowsCodec.WriteIndex([2], 4, 2, ValueCodec.Fp32, payload));
        Same("rows", header, payload);
    }

    private static void Same(string name, FrameHeader header, byte[] payload)
    {
        byte[] golden = Read(name);
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, header, payload);
        Assert.Equal(Convert.ToHexString(golden), Convert.ToHexString(output.WrittenSpan));
        var buffer = new ReadOnlySequence<byte>(golden);
        Assert.True(FrameReader.TryRead(ref buffer, out FrameHeader read, out ReadOnlySequence<byte> readPayload));
        Assert.Equal((header.Kind, header.Sequence, header.ShardVersion), (read.Kind, read.Sequence, read.ShardVersion));
        Assert.Equal(payload, readPayload.ToArray());
    }

    private static byte[] Read(string name)
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "protocol.md"));
        int begin = page.IndexOf($"```{name}\n", StringComparison.Ordinal);
        Assert.True(begin >= 0, $"docs/protocol.md has no block '{name}'");
        begin += name.Length + 4;
        string[] bytes = page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)].Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return Array.ConvertAll(bytes, value => byte.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
