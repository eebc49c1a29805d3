using System;
using System.Globalization;
using HpAsyncPs.Codecs;
using HpAsyncPs.Tests.Kernels;
using Xunit;

namespace HpAsyncPs.Tests.Codecs;

/// <summary>
/// Mutated and random bytes, between guard pages: refused or used, never an exception, never a byte outside. FUZZ_CASES sets how many
/// for each codec; by hand, take millions.
/// </summary>
public sealed class DeltaFuzzTests
{
    private const int MostKeys = 400;
    private const float Limit = 1e18f;

    private static readonly int Cases = int.TryParse(Environment.GetEnvironmentVariable("FUZZ_CASES"), NumberStyles.None, CultureInfo.InvariantCulture, out int cases) ? cases : 10_000;

    public static TheoryData<int> Codecs => [0, 1, 2, 3, 4, 5, 6, 7, 255];

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Random_bytes_are_refused_or_used(int codec)
    {
        var random = new Random(codec);
        for (int round = 0; round < Cases; round++)
        {
            int keys = random.Next(MostKeys), length = random.Next(3) == 0 ? LikelyLength(codec, keys) : random.Next(2 * MostKeys);
            byte[] bytes = new byte[length];
            random.NextBytes(bytes);
            if (random.Next(2) == 0 && length >= 16)
                Plausible(codec, bytes, random);
            Use((DeltaCodec)codec, bytes, keys, random.Next(1, 10), round % 2 == 0);
        }
    }

    [Fact]
    public void Mutated_payloads_are_refused_or_used()
    {
        foreach (CodecSettings settings in CodedChunks.All)
        {
            var random = new Random(settings.GetHashCode());
            int refused = 0, used = 0;
            for (int round = 0; round < Cases / 4; round++)
            {
                int keys = random.Next(MostKeys / CodedChunks.RowLength) * CodedChunks.RowLength;
                float[] x = new float[keys];
                Contents.Fill(random.Next(Contents.Kinds), random, x, new float[keys]);
                byte[] bytes = CodedChunks.Encode(new DeltaEncoder(settings, keys), settings, x, new float[keys], out DeltaCodec codec);
                for (int changes = random.Next(4); changes > 0 && bytes.Length > 0; changes--)
                    Mutate(ref bytes, random);
                int claimed = random.Next(10) == 0 ? random.Next(MostKeys) : keys;
                if (Use(codec, bytes, claimed, random.Next(20) == 0 ? random.Next(1, 50) : CodedChunks.RowLength, round % 2 == 0))
                    used++;
                else
                    refused++;
            }

            Assert.True(used > Cases / 20 && refused > Cases / 20, $"{settings}: {used} used, {refused} refused");
        }
    }

    private static void Mutate(ref byte[] bytes, Random random)
    {
        switch (random.Next(4))
        {
            case 0: bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8)); break;
            case 1: bytes[random.Next(Math.Min(bytes.Length, 24))] = (byte)random.Next(256); break;
            case 2: bytes = bytes[..random.Next(bytes.Length)]; break;
            default: bytes[random.Next(bytes.Length)] = (byte)(random.Next(2) * 255); break;
        }
    }

    /// <summary>Heads that get past the first checks.</summary>
    private static void Plausible(int codec, byte[] bytes, Random random)
    {
        byte[] values = [1, 3, 4, 5];
        if (codec is (int)DeltaCodec.TopK or (int)DeltaCodec.Rows)
        {
            BitConverter.TryWriteBytes(bytes, random.Next(codec == (int)DeltaCodec.Rows ? 4 : 20));
            bytes[4] = (byte)random.Next(1, 3);
            bytes[5] = values[random.Next(4)];
            bytes[6] = bytes[7] = 0;
        }
        else
        {
            for (int j = 1; j < Math.Min(bytes.Length, 14); j += 2)
                bytes[j] = 0x3f; // scales
        }
    }

    private static int LikelyLength(int codec, int keys) => ValueCoding.IsKnown((ValueCodec)codec) ? (int)ValueCoding.Bytes((ValueCodec)codec, keys) : keys;

    /// <summary>Uses a payload in every way, as a server would; false if it is refused.</summary>
    private static bool Use(DeltaCodec codec, byte[] bytes, int keys, int rowLength, bool guardAfter)
    {
        using GuardedMemory<byte> payload = new(bytes.Length, guardAfter);
        using GuardedMemory<float> h = new(keys, guardAfter), x = new(keys, guardAfter);
        using GuardedMemory<double> sum = new(keys, guardAfter);
        bytes.CopyTo(payload.Span);
        h.Span.Fill(1);
        sum.Span.Fill(2);
        if (Delta.Read(codec, payload.Span, keys, rowLength, out Delta delta) is { } wrong)
        {
            Assert.NotEqual("", wrong);
            return false;
        }

        float largest = delta.LargestMagnitude();
        bool stays = delta.StaysWithin(h.Span, Limit);
        if (!(largest <= Limit / 2))
            Assert.True(!stays || codec is not (DeltaCodec.Fp32 or DeltaCodec.Bf16) || largest <= 2 * Limit);
        else
            Assert.True(stays, "the largest magnitude promised that");
        delta.AddScaled(0.5, x.Span);
        delta.Decode(x.Span);
        delta.CopyTo(x.Span);
        if (!stays)
        {
            Assert.False(h.Span.ContainsAnyExcept(1f) || sum.Span.ContainsAnyExcept(2.0)); // looking at it changes nothing
            return false;
        }

        delta.Apply(3, h.Span, sum.Span);
        foreach (float value in h.Span)
            Assert.InRange(value, -Limit, Limit);
        delta.AddTo(h.Span);
        return true;
    }
}
