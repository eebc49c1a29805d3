using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Programs;

/// <summary>How slow a worker acts, of what was given for it: the same in a process and in a simulation.</summary>
internal static class SlowOptions
{
    /// <summary>The largest --slow-random: a step in a hundred then takes more than ten thousand times as long.</summary>
    public const double MostSigma = 4;

    // Apart from all that data is made of with the same seed.
    private const ulong Purpose = 0x736C6F77;

    /// <param name="pattern">FACTOR[@FROM-TO],... checked before; or null.</param>
    /// <param name="sigma">Of what is drawn for each step.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="rank">Of the worker.</param>
    public static Slowness Of(string? pattern, double sigma, ulong seed, int rank)
    {
        Slowness slowness = pattern is not null && Slowness.TryParse(pattern, out Slowness parsed, out _) ? parsed : Slowness.None;
        if (sigma == 0)
            return slowness;
        var random = new SeededRandom(seed, Purpose, rank);
        return slowness.WithRandom(sigma, () => random.Normal());
    }
}
