using System;
using System.IO;
using System.IO.Compression;
using System.Threading;
using HpAsyncPs.Learning.Data;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>What the tests of the reader share.</summary>
internal static class LibsvmFiles
{
    public static SparseRows Read(byte[] bytes, RowPart part, int blockBytes)
    {
        using var stream = new MemoryStream(bytes);
        return LibsvmReader.Read(stream, "f", part, blockBytes, CancellationToken.None);
    }

    public static byte[] Gzip(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var packer = new GZipStream(packed, CompressionLevel.SmallestSize))
            packer.Write(bytes);
        return packed.ToArray();
    }

    public static void AssertSame(SparseRows expected, SparseRows actual)
    {
        Assert.Equal(expected.RowStarts, actual.RowStarts);
        Assert.Equal(expected.Columns, actual.Columns);
        Assert.Equal(expected.Values, actual.Values);
        Assert.Equal(expected.Labels, actual.Labels);
        Assert.Equal(expected.Features, actual.Features);
        Assert.Equal(expected.DistinctLabels, actual.DistinctLabels);
    }

    /// <summary>Gives the bytes before an offset in one read, those behind it in another.</summary>
    public sealed class SplitStream(byte[] bytes, int split) : MemoryStream(bytes, writable: false)
    {
        public override int Read(Span<byte> buffer) => base.Read(Shorten(buffer.Length) is var count ? buffer[..count] : default);

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Shorten(count));

        private int Shorten(int count) => Position < split ? (int)Math.Min(count, split - Position) : count;
    }

    /// <summary>Never ends.</summary>
    public sealed class EndlessStream(Func<byte> next) : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            foreach (ref byte one in buffer)
                one = next();
            return buffer.Length;
        }
    }
}
