using System;
using System.Buffers;
using System.Runtime.CompilerServices;
using HpAsyncPs.Protocol;
using Xunit;

namespace HpAsyncPs.Tests.Protocol;

public sealed class FrameReaderTests
{
    [Fact]
    public void Header_is_64_bytes() => Assert.Equal(64, Unsafe.SizeOf<FrameHeader>());

    [Fact]
    public void TryRead_split_anywhere_gives_the_same_frame()
    {
        byte[] bytes = Frame(new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, KeyCount = 3, KeyBegin = 7, Sequence = 9 }, 12);
        for (int first = 0; first <= bytes.Length; first++)
        {
            for (int second = first; second <= bytes.Length; second += 5)
            {
                ReadOnlySequence<byte> buffer = Pieces.Of(bytes[..first], bytes[first..second], bytes[second..]);
                Assert.True(FrameReader.TryRead(ref buffer, out FrameHeader header, out ReadOnlySequence<byte> payload));
                Assert.Equal((7UL, 9UL, 3U), (header.KeyBegin, header.Sequence, header.KeyCount));
                Assert.Equal(bytes[64..], payload.ToArray());
                Assert.True(buffer.IsEmpty);
            }
        }
    }

    [Fact]
    public void TryRead_truncated_anywhere_waits_and_takes_nothing()
    {
        byte[] bytes = Frame(new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, KeyCount = 3 }, 12);
        for (int length = 0; length < bytes.Length; length++)
        {
            var buffer = new ReadOnlySequence<byte>(bytes, 0, length);
            Assert.False(FrameReader.TryRead(ref buffer, out _, out _));
            Assert.Equal(length, buffer.Length);
        }
    }

    [Fact]
    public void TryRead_two_frames_in_one_buffer_come_in_order()
    {
        byte[] bytes = [.. Frame(new FrameHeader(FrameKind.Pull) { ShardVersion = 1 }, 0), .. Frame(new FrameHeader(FrameKind.Pull) { ShardVersion = 2 }, 0)];
        var buffer = new ReadOnlySequence<byte>(bytes);
        Assert.True(FrameReader.TryRead(ref buffer, out FrameHeader a, out _));
        Assert.True(FrameReader.TryRead(ref buffer, out FrameHeader b, out _));
        Assert.Equal((1UL, 2UL), (a.ShardVersion, b.ShardVersion));
    }

    [Theory]
    [InlineData(0, "is this a port of hpaps-server")] // magic
    [InlineData(4, "speaks protocol")] // version
    [InlineData(5, "checksum")] // kind
    [InlineData(20, "checksum")] // session
    [InlineData(63, "checksum")] // the checksum itself
    public void TryRead_one_byte_changed_is_refused(int at, string says)
    {
        byte[] bytes = Frame(new FrameHeader(FrameKind.Pull), 0);
        bytes[at] ^= 0x40;
        ProtocolException error = Refused(bytes);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryRead_any_bit_of_a_header_changed_is_refused()
    {
        byte[] bytes = Frame(new FrameHeader(FrameKind.Push) { Codec = CodecId.Fp32, KeyCount = 3 }, 12);
        for (int bit = 0; bit < 64 * 8; bit++)
        {
            byte[] changed = [.. bytes];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Refused(changed);
        }
    }

    [Fact]
    public void TryRead_any_bit_of_a_payload_changed_is_refused_where_there_is_a_checksum_and_however_it_is_cut()
    {
        byte[] payload = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
        byte[] bytes = Frame(Chunk(0, 5, 20) with { PayloadChecksum = Crc32C.Of(payload) }, 20);
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            ReadOnlySequence<byte> whole = Pieces.Of(bytes[..cut], bytes[cut..]);
            Assert.True(FrameReader.TryRead(ref whole, out _, out _));
        }

        for (int bit = 64 * 8; bit < bytes.Length * 8; bit++)
        {
            byte[] changed = [.. bytes];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Contains("checksum of the payload of a Push frame", Refused(changed).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Crc32C_is_that_of_the_standard()
    {
        Assert.Equal(0xE3069283, Crc32C.Of("123456789"u8)); // the check value of the CRC catalogue
        Assert.Equal(0x8A9136AA, Crc32C.Of(new byte[32])); // RFC 3720, B.4
    }

    [Fact]
    public void TryRead_flag_pull_is_for_the_last_chunk_of_a_push_alone()
    {
        FrameHeader chunk = Chunk(0, 4, 16);
        chunk.Flags = FrameFlags.Pull;
        Refused(HeaderOnly(chunk));
        Refused(HeaderOnly(new FrameHeader(FrameKind.Pull) { Flags = FrameFlags.Last | FrameFlags.Pull }));
        chunk.Flags = FrameFlags.Last | FrameFlags.Pull;
        var buffer = new ReadOnlySequence<byte>(HeaderOnly(chunk));
        Assert.False(FrameReader.TryRead(ref buffer, out _, out _));
    }

    [Fact]
    public void TryRead_payload_beyond_what_is_taken_here_is_refused_before_it_comes()
    {
        byte[] head = HeaderOnly(Chunk(0, 1000, 4000));
        var buffer = new ReadOnlySequence<byte>(head);
        Assert.False(FrameReader.TryRead(ref buffer, 4000, out _, out _));
        ProtocolException error = Assert.Throws<ProtocolException>(() =>
        {
            var again = new ReadOnlySequence<byte>(head);
            FrameReader.TryRead(ref again, 3999, out _, out _);
        });
        Assert.Contains("announces 4000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryRead_lengths_beyond_the_limits_are_refused_before_the_payload_comes()
    {
        Refused(HeaderOnly(new FrameHeader(FrameKind.Join) { PayloadLength = Limits.ControlBytes + 1 }));
        Refused(HeaderOnly(new FrameHeader(FrameKind.Join) { PayloadLength = 0 }));
        Refused(HeaderOnly(new FrameHeader(FrameKind.Pull) { PayloadLength = 1 }));
        Refused(HeaderOnly(Chunk(0, Limits.ChunkParameters + 1, (Limits.ChunkParameters + 1) * 4)));
        Refused(HeaderOnly(Chunk(0, 0, 0)));
        Refused(HeaderOnly(Chunk(0, 4, 15)));
        Refused(HeaderOnly(Chunk(0, uint.MaxValue, uint.MaxValue)));
        Refused(HeaderOnly(Chunk(uint.MaxValue, 4, 16)));
        Refused(HeaderOnly(Chunk(Limits.Parameters, 4, 16)));
        FrameHeader codec = Chunk(0, 4, 16);
        codec.Codec = (CodecId)77;
        Refused(HeaderOnly(codec));
        Refused(HeaderOnly(new FrameHeader((FrameKind)0)));
        Refused(HeaderOnly(new FrameHeader((FrameKind)200)));
    }

    private static FrameHeader Chunk(ulong begin, uint count, uint bytes) =>
        new(FrameKind.Push) { Codec = CodecId.Fp32, KeyBegin = begin, KeyCount = count, PayloadLength = bytes };

    private static byte[] HeaderOnly(FrameHeader header)
    {
        byte[] bytes = new byte[FrameHeader.Bytes];
        header.Write(bytes);
        return bytes;
    }

    private static byte[] Frame(FrameHeader header, int payload)
    {
        byte[] content = new byte[payload];
        for (int j = 0; j < payload; j++)
            content[j] = (byte)j;
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, header, content);
        return output.WrittenSpan.ToArray();
    }

    private static ProtocolException Refused(byte[] bytes) => Assert.Throws<ProtocolException>(() =>
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        FrameReader.TryRead(ref buffer, out _, out _);
    });
}
