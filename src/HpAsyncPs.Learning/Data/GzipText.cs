using System;
using System.IO;
using System.IO.Compression;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Unpacks gzip, of one or several members, and notices a file that is cut off. <see cref="GZipStream"/> checks the sums of the
/// members it reaches the end of, but takes the end of the input in the middle of one for a good end. So a member of our own,
/// two blank lines of a certain form, is fed behind the file: if it does not come out at the end of the text, the file did not
/// end where a member does.
/// </summary>
internal sealed class GzipText : IDisposable
{
    // Text of the added member. It starts with a line feed, for files whose last line has none.
    private static readonly byte[] EndText = "\n \t\t \t \n"u8.ToArray();

    // The same as a gzip member: header, one stored block, CRC-32, length.
    private static readonly byte[] EndMember =
    [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff,
        1, 8, 0, 0xf7, 0xff, (byte)'\n', (byte)' ', (byte)'\t', (byte)'\t', (byte)' ', (byte)'\t', (byte)' ', (byte)'\n',
        0x89, 0x90, 0xf2, 0xcb, 8, 0, 0, 0,
    ];

    /// <summary>Bytes of the added member's text, which are the last that come out.</summary>
    public static int EndLength => EndText.Length;

    private readonly string _source;
    private readonly Feed _feed;
    private readonly GZipStream _unpacker;
    private readonly byte[] _tail = new byte[EndText.Length];

    /// <summary>Unpacks a stream whose first bytes have been read already.</summary>
    public GzipText(Stream packed, byte[] firstBytes, string source)
    {
        _source = source;
        _feed = new Feed(firstBytes, packed, EndMember);
        _unpacker = new GZipStream(_feed, CompressionMode.Decompress);
    }

    /// <summary>Reads unpacked text; 0 at its end.</summary>
    /// <exception cref="InputException">The file is damaged or cut off.</exception>
    public int Read(Span<byte> text)
    {
        int got;
        try
        {
            got = _unpacker.Read(text);
        }
        catch (InvalidDataException wrong)
        {
            // Past the last byte of the file the unpacker is fed the added member: it choked on that, the data before was good.
            throw Damaged(_feed.Ended ? "is cut off or damaged near its end" : "is damaged", wrong);
        }

        if (got == 0 && !_tail.AsSpan().SequenceEqual(EndText))
            throw Damaged("is cut off, or other data follows it", null);
        KeepTail(text[..got]);
        return got;
    }

    /// <summary>Reads on, up to a limit, only to find out whether the file is damaged.</summary>
    /// <param name="scratch">Overwritten.</param>
    /// <param name="limit">Bytes of text after which the rest is taken for good.</param>
    /// <exception cref="InputException">The file is damaged or cut off.</exception>
    public void Verify(byte[] scratch, long limit)
    {
        int got;
        while (limit > 0 && (got = Read(scratch)) > 0)
            limit -= got;
    }

    public void Dispose()
    {
        _unpacker.Dispose();
        _feed.Dispose();
    }

    private InputException Damaged(string how, Exception? inner) =>
        new($"{_source}: the gzip data {how}; copy or download the file again", inner);

    private void KeepTail(ReadOnlySpan<byte> text)
    {
        int fresh = Math.Min(text.Length, _tail.Length);
        _tail.AsSpan(fresh).CopyTo(_tail);
        text[^fresh..].CopyTo(_tail.AsSpan(_tail.Length - fresh));
    }

    /// <summary>Some bytes, a stream, some bytes. Does not own the stream.</summary>
    private sealed class Feed(byte[] before, Stream packed, byte[] after) : Stream
    {
        private int _before;
        private int _after;

        /// <summary>Whether the last byte of the stream has been read.</summary>
        public bool Ended { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int got = Take(before, ref _before, buffer);
            if (got > 0 || buffer.IsEmpty)
                return got;
            got = Ended ? 0 : packed.Read(buffer);
            if (got > 0)
                return got;
            Ended = true;
            return Take(after, ref _after, buffer);
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private static int Take(byte[] from, ref int taken, Span<byte> buffer)
        {
            int count = Math.Min(from.Length - taken, buffer.Length);
            from.AsSpan(taken, count).CopyTo(buffer);
            taken += count;
            return count;
        }
    }
}
