using System;

namespace HpAsyncPs.Server.Monitoring;

/// <summary>Of what kind a distribution is.</summary>
public enum TimeFamily
{
    /// <summary>Too little is known.</summary>
    Unknown,

    /// <summary>A least time, and an exponential beyond it.</summary>
    ShiftedExponential,

    /// <summary>The logarithm is normal.</summary>
    LogNormal,

    /// <summary>Weibull.</summary>
    Weibull,
}

/// <summary>
/// A distribution of times, fitted to some of them by maximum likelihood. All families have two parameters, so the one of the largest likelihood is that of the smallest AIC. No clock.
/// </summary>
/// <param name="Family">Of what kind.</param>
/// <param name="First">Shifted exponential: the least time; lognormal: mean of the logarithm; Weibull: shape.</param>
/// <param name="Second">Shifted exponential: mean beyond the least; lognormal: standard deviation of the logarithm; Weibull: scale.</param>
/// <param name="Distance">Of Kolmogorov and Smirnov: the largest difference to the distribution of the times themselves, 0 to 1.</param>
/// <param name="Samples">Times that it was fitted to.</param>
public readonly record struct FittedTimes(TimeFamily Family, double First, double Second, double Distance, int Samples)
{
    /// <summary>Fewer times are not fitted.</summary>
    public const int LeastSamples = 32;

    // Times that are all the same have no likelihood: no clock is that exact.
    private const double LeastSpread = 1e-4;
    private const int NewtonSteps = 6;
    private const double MostShape = 1e4;
    private const double MostTail = 0.1; // a family beyond that has no say

    /// <summary>Of the family, in words.</summary>
    internal string Name => Family switch
    {
        TimeFamily.ShiftedExponential => "shifted exponential",
        TimeFamily.LogNormal => "lognormal",
        _ => Family.ToString(),
    };

    /// <summary>Fits all families and takes the most likely.</summary>
    /// <param name="sorted">Times in seconds, all above 0, the least first.</param>
    /// <param name="logs">Room for as many numbers.</param>
    internal static FittedTimes Of(ReadOnlySpan<float> sorted, Span<double> logs) => Of(sorted, logs, 0, out _);

    /// <summary>The same; and the time that the next one exceeds with a small probability, whichever of the families is the right one.</summary>
    /// <param name="sorted">Times in seconds, all above 0, the least first.</param>
    /// <param name="logs">Room for as many numbers.</param>
    /// <param name="probability">Of that; 0: it is not wanted.</param>
    /// <param name="exceeded">
    /// That time. The families count by their likelihood, w_f: it is the largest t_f at which w_f (1 - F_f(t_f)) is that probability, so one that few times speak against keeps its say in the tail.
    /// </param>
    internal static FittedTimes Of(ReadOnlySpan<float> sorted, Span<double> logs, double probability, out double exceeded)
    {
        exceeded = double.NaN;
        int n = sorted.Length;
        if (n < LeastSamples)
            return default;
        double mean = 0, logMean = 0, spread = 0;
        for (int j = 0; j < n; j++)
        {
            logs[j] = Math.Log(sorted[j]);
            mean += sorted[j] / n;
            logMean += logs[j] / n;
        }

        for (int j = 0; j < n; j++)
        {
            logs[j] -= logMean;
            spread += logs[j] * logs[j] / n;
        }

        double sigma = Math.Max(LeastSpread, Math.Sqrt(spread)), beyond = Math.Max(LeastSpread * mean, mean - sorted[0]);
        double asNormal = -n * (logMean + Math.Log(sigma) + (0.5 * Math.Log(2 * Math.PI)) + (0.5 * spread / (sigma * sigma)));
        double asExponential = -n * (Math.Log(beyond) + ((mean - sorted[0]) / beyond));
        (double shape, double power) = ShapeOf(logs[..n], sigma);
        double scale = Math.Exp(logMean) * Math.Pow(power, 1 / shape);
        double asWeibull = n * (Math.Log(shape) - Math.Log(power) - logMean - 1); // the mean of the logarithm, less its own, is 0
        var normal = new FittedTimes(TimeFamily.LogNormal, logMean, sigma, 0, n);
        var exponential = new FittedTimes(TimeFamily.ShiftedExponential, sorted[0], beyond, 0, n);
        var weibull = new FittedTimes(TimeFamily.Weibull, shape, scale, 0, n);
        double most = Math.Max(asNormal, Math.Max(asExponential, asWeibull));
        if (probability > 0)
        {
            double all = Math.Exp(asNormal - most) + Math.Exp(asExponential - most) + Math.Exp(asWeibull - most);
            exceeded = Math.Max(Tail(normal, asNormal), Math.Max(Tail(exponential, asExponential), Tail(weibull, asWeibull)));

            double Tail(in FittedTimes one, double likelihood)
            {
                double rest = probability * all / Math.Exp(likelihood - most);
                return rest < MostTail ? one.ExceededWith(rest) : 0;
            }
        }

        FittedTimes best = most == asNormal ? normal : most == asExponential ? exponential : weibull;
        return best with { Distance = best.DistanceTo(sorted) };
    }

    /// <summary>Half of the times are shorter; NaN: not known.</summary>
    public double Median => Family switch
    {
        TimeFamily.ShiftedExponential => First + (Second * Math.Log(2)),
        TimeFamily.LogNormal => Math.Exp(First),
        TimeFamily.Weibull => Second * Math.Pow(Math.Log(2), 1 / First),
        _ => double.NaN,
    };

    /// <summary>The share of times that are no longer than this.</summary>
    public double ShareUpTo(double seconds) => Family switch
    {
        TimeFamily.ShiftedExponential => seconds <= First ? 0 : 1 - Math.Exp((First - seconds) / Second),
        TimeFamily.LogNormal => seconds <= 0 ? 0 : Normal((Math.Log(seconds) - First) / Second),
        TimeFamily.Weibull => seconds <= 0 ? 0 : 1 - Math.Exp(-Math.Pow(seconds / Second, First)),
        _ => double.NaN,
    };

    /// <summary>
    /// The time that the next one exceeds with this small probability, with what is not known of the parameters: exact for a normal logarithm (the distribution of Student) and for the
    /// exponential (that of Pareto), and for the shape of a Weibull about a standard error and a quarter less than it seems.
    /// </summary>
    /// <param name="probability">Below 0.5.</param>
    public double ExceededWith(double probability)
    {
        double n = Samples;
        switch (Family)
        {
            case TimeFamily.ShiftedExponential:
                double scale = Second * n / (n - 1), least = Math.Max(0, First - (scale / n));
                return least + (scale * (n - 1) * (Math.Pow(probability, -1 / (n - 1)) - 1));
            case TimeFamily.LogNormal:
                return Math.Exp(First + (Second * Math.Sqrt((n + 1) / (n - 1)) * Student(NormalTail(probability), n - 1)));
            case TimeFamily.Weibull:
                return Second * Math.Pow(n * (Math.Pow(probability, -1 / n) - 1), 1 / (First * (1 - (1 / Math.Sqrt(n)))));
            default:
                return double.NaN;
        }
    }

    private double DistanceTo(ReadOnlySpan<float> sorted)
    {
        double distance = 0;
        for (int j = 0; j < sorted.Length; j++)
        {
            double share = ShareUpTo(sorted[j]);
            distance = Math.Max(distance, Math.Max(share - ((double)j / sorted.Length), ((j + 1.0) / sorted.Length) - share));
        }

        return distance;
    }

    /// <summary>The k of the largest likelihood, at which sum(y^k ln y) / sum(y^k) = 1 / k where the mean of ln y is 0, by Newton's method; and the mean of y^k.</summary>
    private static (double Shape, double Power) ShapeOf(ReadOnlySpan<double> logs, double sigma)
    {
        double shape = 1.28 / sigma, power = 1; // pi / sqrt(6)
        for (int step = 0; step <= NewtonSteps; step++)
        {
            double first = 0, second = 0;
            power = 0;
            foreach (double log in logs)
            {
                double y = Math.Exp(shape * log);
                power += y;
                first += y * log;
                second += y * log * log;
            }

            if (step == NewtonSteps)
                break;
            double slope = (second / power) - (first / power * (first / power)) + (1 / (shape * shape));
            double next = shape - (((first / power) - (1 / shape)) / slope);
            shape = Math.Clamp(next, shape / 2, Math.Min(MostShape, 2 * shape));
        }

        return (shape, power / logs.Length);
    }

    // Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17: within 7.5e-8.
    private static double Normal(double z)
    {
        double t = 1 / (1 + (0.2316419 * Math.Abs(z)));
        double tail = Math.Exp(-0.5 * z * z) / Math.Sqrt(2 * Math.PI) * t
            * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return z >= 0 ? 1 - tail : tail;
    }

    // The same, 26.2.23: within 4.5e-4.
    private static double NormalTail(double probability)
    {
        double t = Math.Sqrt(-2 * Math.Log(probability));
        return t - ((2.515517 + (t * (0.802853 + (t * 0.010328)))) / (1 + (t * (1.432788 + (t * (0.189269 + (t * 0.001308)))))));
    }

    // The same, 26.7.5: quantiles of Student's distribution from those of the normal one.
    private static double Student(double z, double degrees)
    {
        double square = z * z;
        double first = z * (square + 1) / 4;
        double second = z * ((((5 * square) + 16) * square) + 3) / 96;
        double third = z * ((((((3 * square) + 19) * square) + 17) * square) - 15) / 384;
        return z + ((first + ((second + (third / degrees)) / degrees)) / degrees);
    }
}
