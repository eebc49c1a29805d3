using System;
using HpAsyncPs.Codecs;

namespace HpAsyncPs.Cli.Stressing;

/// <summary>What one worker does.</summary>
internal sealed record StressJob
{
    public StressMode Mode { get; init; }

    public StressPath Path { get; init; }

    /// <summary>Bytes of a push and of a snapshot: 4 a parameter.</summary>
    public int Bytes { get; init; } = sizeof(float);

    /// <summary>Pushes, pulls or pairs in flight.</summary>
    public int Window { get; init; } = 1;

    /// <summary>Measured time.</summary>
    public double Seconds { get; init; }

    /// <summary>0, 1, ...: decides what it pushes.</summary>
    public int Index { get; init; }

    /// <summary>The rank to ask for, or -1: any.</summary>
    public int Rank { get; init; } = -1;

    /// <summary>Ask for the model at the end and look at it, if nobody else has pushed.</summary>
    public bool VerifiesByPull { get; init; }

    /// <summary>How deltas are made and coded; null: they are ready made, and go out as they are.</summary>
    public CodecSpec? Codec { get; init; }

    /// <summary>Spin before sleeping.</summary>
    public Transport.Spin Spin { get; init; }

    public int Parameters => Bytes / sizeof(float);

    /// <summary>Trips go one by one.</summary>
    public int InFlight => Mode == StressMode.Trip ? 1 : Window;
}

/// <summary>
/// What workers push, and what comes of it. All of it is whole numbers, so sums are exact: what push number n of worker i adds to parameter j is
/// a factor of n times (i + 1)(1 + j mod 7). On path sum the factor is always 1; on path async the worker's vector is a float that must
/// not grow, so factors are 2, -1, -1 and again.
/// </summary>
internal static class StressLedger
{
    /// <summary>On path async a worker has so many vectors, in turn: after so many pushes it is at 0.</summary>
    public const int Cycle = 3;

    private const int Period = 7; // no divisor of a chunk's length: a chunk in the wrong place shows

    /// <summary>The factor of push n, from 1 on.</summary>
    public static int Factor(StressPath path, ulong n) => path == StressPath.Sum ? 1 : n % Cycle == 1 ? 2 : -1;

    /// <summary>The sum of the factors of the first pushes.</summary>
    public static double Total(StressPath path, ulong pushes) => path == StressPath.Sum ? pushes : (int)((Cycle - (pushes % Cycle)) % Cycle);

    /// <summary>What stands for parameter j where the totals, times i + 1, of all workers add up to this.</summary>
    public static float Value(double total, int j) => (float)(total * (1 + (j % Period)));

    /// <summary>What a push with this factor carries.</summary>
    public static float[] Delta(int parameters, int index, int factor)
    {
        float[] delta = new float[parameters];
        for (int j = 0; j < parameters; j++)
            delta[j] = Value(factor * (index + 1.0), j);
        return delta;
    }

    /// <summary>The first parameter that is not what it should be, or -1.</summary>
    /// <param name="model">All of it.</param>
    /// <param name="total">What it should be made of.</param>
    /// <param name="missing">What codecs have left out, at most.</param>
    public static int FirstWrong(ReadOnlySpan<float> model, double total, double missing = 0)
    {
        for (int j = 0; j < model.Length; j++)
        {
            float value = Value(total, j);
            if (model[j] != value && !(Math.Abs((double)model[j] - value) <= missing))
                return j;
        }

        return -1;
    }
}
