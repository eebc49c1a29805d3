using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Codecs;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

public sealed class Fp32CodecTests
{
    [Fact]
    public void Apply_payload_split_at_any_two_bytes_gives_the_same()
    {
        float[] c = new float[13];
        for (int j = 0; j < c.Length; j++)
            c[j] = (j * 1.25f) - 3;
        byte[] bytes = MemoryMarshal.AsBytes(c.AsSpan()).ToArray();
        for (int first = 0; first <= bytes.Length; first++)
        {
            for (int second = first; second <= bytes.Length; second++)
            {
                ReadOnlySequence<byte> payload = Pieces.Of(bytes[..first], bytes[first..second], bytes[second..]);
                float[] h = new float[c.Length];
                double[] sum = new double[c.Length];
                Assert.True(Fp32Codec.StaysWithin(payload, h, float.MaxValue));
                Fp32Codec.Apply(payload, 2, h, sum);
                Assert.Equal(c, h);
                Assert.Equal(Array.ConvertAll(c, v => 2.0 * v), sum);
            }
        }
    }

    [Fact]
    public void StaysWithin_infinity_cut_in_two_is_found()
    {
        byte[] bytes = MemoryMarshal.AsBytes<float>([1, float.PositiveInfinity, 3]).ToArray();
        for (int cut = 4; cut <= 8; cut++)
            Assert.False(Fp32Codec.StaysWithin(Pieces.Of(bytes[..cut], bytes[cut..]), new float[3], float.MaxValue));
    }
}
