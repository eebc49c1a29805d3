using System;

namespace HpAsyncPs.Server;

/// <summary>
/// Whom a round waits for. A worker that the round does not wait for counts with what it pushed last, which answers to a state s rounds older than what the
/// others answer to. With e_t the distance from the optimum after round t and rho what a round makes of it where all are waited for,
///     e_(t+1) = rho ((1 - W) e_t + sum_j w_j e_(t - s_j)),   W = sum_j w_j, over those not waited for,
/// so e falls by the root lambda of lambda = rho (1 - W + sum_j w_j lambda^(-s_j)) a round, and by -ln(lambda) / (seconds of a round) a second; the quorum with the
/// largest of these is taken. A push that took t seconds is there until the
/// next one comes, in the middle of a round: s = 1.5 t / (seconds of a round) - 1/2, with t no less than a round. No clock; what it keeps is room to sort in.
/// </summary>
internal sealed class QuorumChoice(int workers)
{
    /// <summary>What a round of two exchanges makes of the distance from the optimum: measured, docs/algorithms.md.</summary>
    public const double Contraction = 0.5;

    // Half of the data alone leads elsewhere: the model above is of few that are late.
    internal const double MostLate = 0.5;

    private const double Step = 0.1; // of times that count as one
    private const int Halvings = 40;

    private readonly double[] _sorted = new double[workers];
    private readonly double[] _sharesOf = new double[workers];

    /// <summary>A quorum.</summary>
    /// <param name="Slowest">Seconds of the slowest worker that is waited for.</param>
    /// <param name="Round">Seconds of a round.</param>
    /// <param name="Rate">What is gained a second; only to be compared.</param>
    public readonly record struct Quorum(double Slowest, double Round, double Rate);

    /// <summary>Weighs a quorum: all workers up to a time.</summary>
    /// <param name="seconds">Of each worker, for what all wait for; 0: not known, it is waited for.</param>
    /// <param name="shares">Of each in the aggregate; they sum to 1.</param>
    /// <param name="slowest">Up to which time workers are waited for.</param>
    /// <param name="second">Seconds of the second exchange, the same for all.</param>
    public static Quorum Weigh(ReadOnlySpan<double> seconds, ReadOnlySpan<double> shares, double slowest, double second)
    {
        double round = Math.Max(1e-9, slowest + second), late = 0;
        for (int j = 0; j < seconds.Length; j++)
        {
            late += seconds[j] > slowest ? shares[j] : 0;
        }

        if (late >= MostLate)
            return new Quorum(slowest, round, 0);
        double low = Contraction, high = 1;
        for (int j = 0; j < Halvings && late > 0; j++)
        {
            double middle = (low + high) / 2, of = Contraction * (1 - late); // lambda between rho and 1
            for (int k = 0; k < seconds.Length; k++)
                of += seconds[k] > slowest ? Contraction * shares[k] * Math.Pow(middle, -Age(seconds[k], round)) : 0;
            (low, high) = of > middle ? (middle, high) : (low, middle);
        }

        return new Quorum(slowest, round, -Math.Log(late > 0 ? Math.Min(high, 1 - 1e-12) : low) / round);
    }

    private static double Age(double seconds, double round) => (1.5 * Math.Max(seconds, round) / round) - 0.5;

    /// <summary>The best quorum.</summary>
    /// <param name="seconds">As above; who is not known is waited for.</param>
    /// <param name="shares">As above.</param>
    /// <param name="second">As above.</param>
    public Quorum Best(ReadOnlySpan<double> seconds, ReadOnlySpan<double> shares, double second)
    {
        // Workers of about the same speed are one: few candidates, whatever the number of workers.
        seconds.CopyTo(_sorted);
        shares.CopyTo(_sharesOf);
        Array.Sort(_sorted, _sharesOf);
        int classes = 0;
        double begin = 0;
        for (int j = 0; j < _sorted.Length; j++)
        {
            bool isNew = classes == 0 || _sorted[j] > begin * (1 + Step);
            begin = isNew ? _sorted[j] : begin;
            double share = _sharesOf[j];
            classes += isNew ? 1 : 0;
            (_sorted[classes - 1], _sharesOf[classes - 1]) = (_sorted[j], isNew ? share : _sharesOf[classes - 1] + share);
        }

        Quorum best = default;
        for (int j = _sorted[0] > 0 || classes == 1 ? 0 : 1; j < classes; j++)
        {
            Quorum quorum = Weigh(_sorted.AsSpan(0, classes), _sharesOf.AsSpan(0, classes), _sorted[j], second);
            best = quorum.Rate >= best.Rate ? quorum : best;
        }

        return best;
    }
}
