using System;
using System.Globalization;
using System.IO;
using HpAsyncPs.Buffers;
using HpAsyncPs.Codecs;
using HpAsyncPs.Protocol;

namespace HpAsyncPs.Bench.Loops;

/// <summary>Codecs over vectors, chunk by chunk as they travel. What they made is looked at afterwards.</summary>
internal static class CodecLoop
{
    private const int Chunk = Limits.ChunkParameters;
    private const double Ratio = 0.01;
    private const double Weight = 0.5;

    /// <returns>One JSON object.</returns>
    /// <exception cref="InvalidDataException">The reconstruction is not what it must be.</exception>
    public static string Encode(string what, int floats, double seconds)
    {
        ValueCodec values = what == "encode8" ? ValueCodec.Int8 : ValueCodec.Int4;
        CodecSettings settings = what == "topk" ? CodecSettings.TopK(Ratio, values) : CodecSettings.Dense(values);
        var encoder = new DeltaEncoder(settings, Math.Min(Chunk, floats));
        var pool = new FloatPool(floats, 3, "x, another x, h");
        using FloatBuffer one = pool.Lease(), other = pool.Lease(), reconstruction = pool.Lease();
        Span<float> h = reconstruction.Span;
        Fill(one.Span, 1);
        Fill(other.Span, 2);
        h.Clear();
        byte[] payload = new byte[DeltaEncoder.MostBytes(settings, floats) + (2 * ((floats / Chunk) + 1))];
        payload.AsSpan().Clear(); // touched
        long bytes = 0;
        var meter = new Meter(seconds);
        do
        {
            // In turn, so that there is always something to code.
            Span<float> x = (meter.Sweeps & 1) == 0 ? one.Span : other.Span;
            int at = 0;
            for (int begin = 0; begin < floats; begin += Chunk)
            {
                int count = Math.Min(Chunk, floats - begin);
                at += encoder.Encode(x.Slice(begin, count), h.Slice(begin, count), payload.AsSpan(at), out _);
            }

            bytes += at;
        }
        while (meter.Next());
        if (what != "topk")
            MustFollow(h, (meter.Sweeps & 1) != 0 ? one.Span : other.Span, meter.Sweeps, values);
        return Report(what, floats, what == "topk" ? sizeof(float) : (3 * sizeof(float)) + ((double)bytes / meter.Sweeps / floats), meter);
    }

    /// <returns>One JSON object.</returns>
    /// <exception cref="InvalidDataException">The sum is not what it must be.</exception>
    public static string Decode(string what, int floats, double seconds)
    {
        ValueCodec values = what == "decode8" ? ValueCodec.Int8 : ValueCodec.Int4;
        CodecSettings settings = CodecSettings.Dense(values);
        var encoder = new DeltaEncoder(settings, Math.Min(Chunk, floats));
        var pool = new FloatPool(floats, 2, "x, h");
        using FloatBuffer vector = pool.Lease(), reconstruction = pool.Lease();
        Span<float> x = vector.Span, h = reconstruction.Span;
        double[] sum = new double[floats];
        Fill(x, 1);
        h.Clear();
        sum.AsSpan().Clear();
        byte[] payload = new byte[DeltaEncoder.MostBytes(settings, floats) + (2 * ((floats / Chunk) + 1))];
        int bytes = 0;
        for (int begin = 0; begin < floats; begin += Chunk)
        {
            int count = Math.Min(Chunk, floats - begin);
            bytes += encoder.Encode(x.Slice(begin, count), h.Slice(begin, count), payload.AsSpan(bytes), out _);
        }

        h.Clear();
        var meter = new Meter(seconds);
        do
        {
            int at = 0;
            for (int begin = 0; begin < floats; begin += Chunk)
            {
                int count = Math.Min(Chunk, floats - begin), length = (int)DeltaEncoder.MostBytes(settings, count);
                if (Delta.Read((DeltaCodec)values, payload.AsSpan(at, length), count, 1, out Delta delta) is { } wrong)
                    throw new InvalidDataException(wrong);
                if (!(delta.LargestMagnitude() <= Limits.Magnitude))
                    throw new InvalidDataException("the delta is too large");
                delta.Apply(Weight, h.Slice(begin, count), sum.AsSpan(begin, count));
                at += length;
            }
        }
        while (meter.Next());
        for (int j = 0; j < floats; j++)
        {
            if (Math.Abs(sum[j] - (Weight * h[j])) > 1e-9 * (1 + Math.Abs(sum[j])) || Math.Abs(h[j] - (meter.Sweeps * x[j])) > 0.35 * (1 + meter.Sweeps))
                throw new InvalidDataException($"element {j} of the sum is {sum[j]:R} after {meter.Sweeps} sweeps, its reconstruction {h[j]:R}");
        }

        return Report(what, floats, (3 * sizeof(double)) + ((double)bytes / floats), meter);
    }

    /// <summary>Of differences of 2 and what was left the last time at most, half a scale is left, or with int4 a third.</summary>
    private static void MustFollow(ReadOnlySpan<float> h, ReadOnlySpan<float> x, long sweeps, ValueCodec values)
    {
        float most = values == ValueCodec.Int8 ? 0.01f : 1.001f;
        for (int j = 0; j < h.Length; j++)
        {
            if (!(Math.Abs(x[j] - h[j]) <= most))
                throw new InvalidDataException($"element {j} of h is {h[j]:R} after {sweeps} sweeps and should be {x[j]:R}");
        }
    }

    /// <summary>Between -1 and 1, more of small magnitude.</summary>
    private static void Fill(Span<float> x, int seed)
    {
        ulong state = (ulong)seed * 0x9e3779b97f4a7c15;
        for (int j = 0; j < x.Length; j++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            float even = (int)(state >> 32) * (1f / 2147483648);
            x[j] = even * even * even;
        }
    }

    private static string Report(string what, int floats, double bytesEach, in Meter meter) => string.Create(CultureInfo.InvariantCulture,
        $"{{\"what\":\"{what}\",\"bytes\":{(long)floats * sizeof(float)},\"gb_per_second\":{floats * bytesEach * meter.Sweeps / meter.Seconds * 1e-9:0.0000},\"microseconds\":{meter.Seconds / meter.Sweeps * 1e6:0.000}}}");
}
