using System;
using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>One line of JSON that a worker of a stress test prints: a few times a second, and at its end.</summary>
internal sealed record StressNews
{
    /// <summary>The warm-up is over.</summary>
    public bool Measuring { get; init; }

    /// <summary>Parameters' bytes that were moved while it measured.</summary>
    public long Bytes { get; init; }

    /// <summary>The measured time is over; what is on its way still comes in.</summary>
    public bool Measured { get; init; }

    /// <summary>In the last line.</summary>
    public StressOutcome? Outcome { get; init; }

    /// <summary>Writes a line without an outcome, and allocates nothing.</summary>
    public static void TryWrite(Span<byte> line, long bytes, bool measured, out int length) => Utf8.TryWrite(
        line, CultureInfo.InvariantCulture, $"{{\"measuring\":true,\"bytes\":{bytes},\"measured\":{(measured ? "true"u8 : "false"u8)}}}\n", out length);
}

/// <summary>What one worker has measured.</summary>
internal sealed record StressOutcome
{
    public long Messages { get; init; }

    public long Bytes { get; init; }

    public double Seconds { get; init; }

    /// <summary>Pushes that the server acknowledged, warm-up and all.</summary>
    public ulong Pushes { get; init; }

    /// <summary>Payload of its pushes and snapshots, as it was coded.</summary>
    public long CodedBytes { get; init; }

    /// <summary>How many they were.</summary>
    public long Vectors { get; init; }

    /// <summary>What of its vector the codec has left out in the end, at most, in one parameter.</summary>
    public double Residual { get; init; }

    /// <summary>Nanoseconds, how many times, nanoseconds, ...</summary>
    public long[] Latencies { get; init; } = [];

    public double ProcessorSeconds { get; init; }

    public long AllocatedBytes { get; init; }

    public int Collections { get; init; }

    public bool? Verified { get; init; }
}

/// <summary>Lines between the processes of a stress test, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StressNews))]
[JsonSerializable(typeof(LimitLine))]
internal sealed partial class StressJson : JsonSerializerContext;
