using System;
using HpAsyncPs.Codecs;
using HpAsyncPs.Tests.Codecs;
using HpAsyncPs.Tests.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Allocation;

/// <summary>Invariant 5, of the codecs.</summary>
[Collection(Alone.Name)]
public sealed class CodecTests
{
    [Fact]
    public void Encode_and_every_use_of_it_allocate_nothing()
    {
        const int n = 6000;
        float[] x = new float[n], h = new float[n], server = new float[n];
        double[] sum = new double[n];
        byte[] payload = new byte[4 * n];
        Contents.Fill(0, new Random(1), x, h);
        foreach (CodecSettings settings in CodedChunks.All)
        {
            var encoder = new DeltaEncoder(settings, n);
            Round();
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int round = 0; round < 20; round++)
                Round();
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

            void Round()
            {
                x[17] += 1;
                int bytes = encoder.Encode(x, h, payload, out DeltaCodec codec);
                if (Delta.Read(codec, payload.AsSpan(0, bytes), n, CodedChunks.RowLength, out Delta delta) is not null || !delta.StaysWithin(server, 1e9f))
                    throw new InvalidOperationException("it cannot be read");
                delta.Apply(2, server, sum);
                delta.AddTo(server);
                delta.AddScaled(0.1, server);
                delta.Decode(server);
                if (!float.IsFinite(delta.LargestMagnitude()))
                    throw new InvalidOperationException("it is not finite");
            }
        }
    }
}
