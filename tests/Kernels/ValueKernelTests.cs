using System;
using HpAsyncPs.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Kernels;

/// <summary>Kernels of values of fewer bits against the scalar reference, bit for bit, between guard pages.</summary>
public sealed class ValueKernelTests
{
    private const int Block = BlockScale.Values;

    public static TheoryData<int, bool> Lengths()
    {
        var data = new TheoryData<int, bool>();
        for (int n = 0; n <= (2 * Block) + 2; n++)
            data.Add(n, n % 2 == 0);
        foreach (int n in new[] { 191, 192, 193, 255, 257, 640, 1000, 1023, 1024, 4099 })
        {
            data.Add(n, true);
            data.Add(n, false);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Blocks_any_length_and_content_agree_with_scalar(int n, bool guardAfter)
    {
        foreach (bool isFour in new[] { false, true })
        {
            for (int kind = 0; kind < Contents.Kinds; kind++)
            {
                foreach (Dither dither in new[] { default, Dither.Of(7, (ulong)n), new Dither(true, uint.MaxValue - 5) })
                    SameBlocks(n, guardAfter, isFour, kind, dither);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Bf16_any_length_and_content_agrees_with_scalar(int n, bool guardAfter)
    {
        for (int kind = 0; kind < Contents.Kinds; kind++)
        {
            using GuardedMemory<float> x = new(n, guardAfter), h = new(n, guardAfter), c = new(n, guardAfter);
            using GuardedMemory<byte> values = new(2 * n, guardAfter);
            Contents.Fill(kind, new Random(n), x.Span, h.Span);
            float[] h2 = h.Span.ToArray(), c2 = new float[n];
            byte[] values2 = new byte[2 * n];
            Scalar.EncodeBf16(x.Span, h2, values2);
            Bf16Kernel.Encode(x.Span, h.Span, values.Span);
            SameBits.Of(values2, values.Span, $"values of kind {kind}");
            SameBits.Of(h2, h.Span, $"h of kind {kind}");
            Scalar.DecodeBf16(values2, c2);
            Bf16Kernel.Decode(values.Span, c.Span);
            SameBits.Of(c2, c.Span, $"c of kind {kind}");
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Decode_any_bytes_agrees_with_scalar(int n, bool guardAfter)
    {
        using GuardedMemory<byte> scales = new(ScaleBytes(n), guardAfter), values = new(n, guardAfter), halves = new((n + 1) / 2, guardAfter);
        using GuardedMemory<float> c = new(n, guardAfter);
        var random = new Random(n);
        random.NextBytes(scales.Span);
        random.NextBytes(values.Span);
        random.NextBytes(halves.Span);
        float[] c2 = new float[n];
        Scalar.DecodeInt8(scales.Span, values.Span, c2);
        BlockKernel.DecodeInt8(scales.Span, values.Span, c.Span);
        SameBits.Of(c2, c.Span, "int8");
        Scalar.DecodeInt4(scales.Span, halves.Span, c2);
        BlockKernel.DecodeInt4(scales.Span, halves.Span, c.Span);
        SameBits.Of(c2, c.Span, "int4");
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void LargestDifference_any_length_agrees_with_scalar(int n, bool guardAfter)
    {
        for (int kind = 0; kind < Contents.Kinds; kind++)
        {
            using GuardedMemory<float> x = new(n, guardAfter), h = new(n, guardAfter);
            Contents.Fill(kind, new Random(n), x.Span, h.Span);
            SameBits.Of([Scalar.LargestDifference(x.Span, h.Span)], [DeltaKernel.LargestDifference(x.Span, h.Span)], $"kind {kind}");
        }
    }

    [Fact]
    public void Kernels_spans_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => BlockKernel.EncodeInt8(new float[65], new float[65], new byte[2], new byte[65], default));
        Assert.Throws<ArgumentException>(() => BlockKernel.EncodeInt4(new float[65], new float[65], new byte[4], new byte[32], default));
        Assert.Throws<ArgumentException>(() => BlockKernel.DecodeInt8(new byte[2], new byte[63], new float[64]));
        Assert.Throws<ArgumentException>(() => BlockKernel.DecodeInt4(new byte[2], new byte[33], new float[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bf16Kernel.Encode(new float[8], new float[8], new byte[15]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bf16Kernel.Decode(new byte[15], new float[8]));
    }

    private static void SameBlocks(int n, bool guardAfter, bool isFour, int kind, Dither dither)
    {
        string what = $"{(isFour ? "int4" : "int8")} of kind {kind}, {dither}";
        int bytes = isFour ? (n + 1) / 2 : n;
        using GuardedMemory<float> x = new(n, guardAfter), h = new(n, guardAfter), c = new(n, guardAfter);
        using GuardedMemory<byte> scales = new(ScaleBytes(n), guardAfter), values = new(bytes, guardAfter);
        values.Span.Fill(0xee);
        Contents.Fill(kind, new Random(n), x.Span, h.Span);
        float[] before = h.Span.ToArray(), h2 = h.Span.ToArray(), c2 = new float[n];
        byte[] scales2 = new byte[scales.Length], values2 = new byte[bytes];
        if (isFour)
        {
            Scalar.EncodeInt4(x.Span, h2, scales2, values2, dither);
            BlockKernel.EncodeInt4(x.Span, h.Span, scales.Span, values.Span, dither);
            Scalar.DecodeInt4(scales2, values2, c2);
            BlockKernel.DecodeInt4(scales.Span, values.Span, c.Span);
        }
        else
        {
            Scalar.EncodeInt8(x.Span, h2, scales2, values2, dither);
            BlockKernel.EncodeInt8(x.Span, h.Span, scales.Span, values.Span, dither);
            Scalar.DecodeInt8(scales2, values2, c2);
            BlockKernel.DecodeInt8(scales.Span, values.Span, c.Span);
        }

        SameBits.Of(scales2, scales.Span, $"scales of {what}");
        SameBits.Of(values2, values.Span, $"values of {what}");
        SameBits.Of(h2, h.Span, $"h of {what}");
        SameBits.Of(c2, c.Span, $"c of {what}");
        for (int j = 0; j < n; j++)
        {
            // What the decoder adds is what the encoder added, to the bit; a block that is not finite was not added.
            float after = float.IsNaN(c2[j]) ? before[j] : before[j] + c2[j];
            SameBits.Of([after], [h2[j]], $"element {j} of {n} of h at the other end, {what}");
        }
    }

    private static int ScaleBytes(int n) => (n + Block - 1) / Block * BlockScale.Bytes;
}
