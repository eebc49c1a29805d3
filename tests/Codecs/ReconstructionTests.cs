using System;
using HpAsyncPs.Codecs;
using HpAsyncPs.Tests.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

/// <summary>Invariant 3: both ends agree on h, bit for bit, whatever codecs were used and whatever was sent twice.</summary>
public sealed class ReconstructionTests
{
    [Fact]
    public void Both_ends_agree_after_a_hundred_thousand_pushes_with_duplicates_and_reconnects()
    {
        const int n = 210, pushes = 100_000;
        const double weight = 3;
        var random = new Random(77);
        CodecSettings[] all = CodedChunks.All;
        DeltaEncoder[] encoders = Array.ConvertAll(all, settings => new DeltaEncoder(settings, n));
        float[] x = new float[n], h = new float[n], server = new float[n], follower = new float[n];
        double[] sum = new double[n];
        byte[] payload = new byte[4 * n];
        int applied = 0, duplicates = 0, reconnects = 0;
        for (int push = 1; push <= pushes; push++)
        {
            for (int changes = random.Next(1, 8); changes > 0; changes--)
                x[random.Next(n)] += (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-4, 3)));
            int which = random.Next(all.Length), count = (random.Next(n / CodedChunks.RowLength) + 1) * CodedChunks.RowLength;
            int begin = random.Next((n - count) / CodedChunks.RowLength + 1) * CodedChunks.RowLength;
            int bytes = encoders[which].Encode(x.AsSpan(begin, count), h.AsSpan(begin, count), payload, out DeltaCodec codec);
            for (int sent = random.Next(10) == 0 ? 2 : 1; sent > 0; sent--)
            {
                Assert.Null(Delta.Read(codec, payload.AsSpan(0, bytes), count, CodedChunks.RowLength, out Delta delta));
                Assert.True(delta.StaysWithin(server.AsSpan(begin, count), 1e6f));
                if (applied == push)
                {
                    duplicates++; // known by its number
                    continue;
                }

                delta.Apply(weight, server.AsSpan(begin, count), sum.AsSpan(begin, count));
                delta.AddTo(follower.AsSpan(begin, count));
                applied = push;
            }

            if (random.Next(5000) == 0)
            {
                server.CopyTo(h, 0); // another connection: the worker takes over what the server has
                reconnects++;
            }

            if (push % 1000 == 0)
                SameBits.Of(h, server, $"push {push}");
        }

        SameBits.Of(h, server, "the end");
        SameBits.Of(h, follower, "the follower");
        for (int j = 0; j < n; j++)
            Assert.InRange(sum[j] - (weight * server[j]), -1e-6, 1e-6);
        Assert.True(duplicates > 5000 && reconnects > 5, $"{duplicates} duplicates, {reconnects} reconnects");
    }
}
