using System;
using HpAsyncPs.Codecs;

namespace HpAsyncPs.Server;

/// <summary>What coding takes for each value that is pushed: encoding and applying a push, encoding and adding a snapshot. In seconds.</summary>
/// <param name="Fp32">As fp32.</param>
/// <param name="EightBits">As int8.</param>
/// <param name="FourBits">As int4.</param>
/// <param name="Byte">What it takes to hand a byte of payload to the operating system and to take it there, whatever the link.</param>
public sealed record CodingCosts(double Fp32, double EightBits, double FourBits, double Byte = 0)
{
    private const int Values = 64 * 1024;
    private const int Repetitions = 5;

    /// <summary>Of an ordinary core, for simulations: the same everywhere.</summary>
    public static CodingCosts Ordinary { get; } = new(1e-9, 2e-9, 2e-9);

    /// <summary>Measures it here; takes some milliseconds.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="secondsOfByte">See <see cref="Byte"/>.</param>
    public static CodingCosts Measure(TimeProvider time, double secondsOfByte) => new(Of(ValueCodec.Fp32, time), Of(ValueCodec.Int8, time), Of(ValueCodec.Int4, time), secondsOfByte);

    internal double SecondsOfValue(int codec) => codec switch
    {
        0 => Fp32,
        1 => EightBits,
        _ => FourBits,
    };

    /// <summary>Measures it here for one codec: what coding a value at the one end takes, and applying it at the other, in seconds. Takes some milliseconds.</summary>
    /// <param name="settings">The codec; all its values or rows travel.</param>
    /// <param name="time">The clock.</param>
    /// <param name="count">Of so many values: more than fit into caches take longer each.</param>
    public static (double Encode, double Apply) Measure(CodecSettings settings, TimeProvider time, int count = Values)
    {
        ArgumentNullException.ThrowIfNull(time);
        int values = Math.Max(1, count / settings.RowLength) * settings.RowLength;
        var encoder = new DeltaEncoder(settings, values);
        float[] x = new float[values], sent = new float[values], received = new float[values];
        double[] sum = new double[values];
        byte[] payload = new byte[values * sizeof(float)];
        (TimeSpan encode, TimeSpan apply) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        for (int j = 0; j < Repetitions; j++)
        {
            for (int k = 0; k < values; k++)
                x[k] = (k % 17) - (j * 0.25f);
            long start = time.GetTimestamp();
            int bytes = encoder.Encode(x, sent, payload, out DeltaCodec delta);
            long coded = time.GetTimestamp();
            if (Delta.Read(delta, payload.AsSpan(0, bytes), values, settings.RowLength, out Delta read) is { } wrong)
                throw new InvalidOperationException(wrong);
            read.Apply(0.5, received, sum);
            TimeSpan first = time.GetElapsedTime(start, coded), second = time.GetElapsedTime(coded);
            (encode, apply) = (first < encode ? first : encode, second < apply ? second : apply);
        }

        return (encode.TotalSeconds / values, apply.TotalSeconds / values);
    }

    private static double Of(ValueCodec codec, TimeProvider time)
    {
        (double encode, double apply) = Measure(CodecSettings.Dense(codec), time);
        return 2 * (encode + apply); // both ways
    }
}
