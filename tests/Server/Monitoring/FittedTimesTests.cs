using System;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server.Monitoring;
using Xunit;

namespace HpAsyncPs.Tests.Server.Monitoring;

/// <summary>Families, parameters, distances and far quantiles of fitted times, against what they were drawn from.</summary>
public sealed class FittedTimesTests(ITestOutputHelper output)
{
    private const int Samples = WorkerTimes.Kept;

    [Theory]
    [InlineData(TimeFamily.LogNormal, -1, 0.7)]
    [InlineData(TimeFamily.LogNormal, 2, 0.01)]
    [InlineData(TimeFamily.ShiftedExponential, 0.5, 2)]
    [InlineData(TimeFamily.Weibull, 3, 0.2)]
    public void Family_and_parameters_are_those_that_times_were_drawn_from(TimeFamily family, double first, double second)
    {
        int right = 0, near = 0;
        double distance = 0;
        for (int seed = 0; seed < 100; seed++)
        {
            FittedTimes fitted = Fit(family, first, second, seed, Samples, out _);
            distance += fitted.Distance / 100;
            if (fitted.Family != family)
                continue;
            right++;
            near += Math.Abs(fitted.First - first) < 4 * Math.Max(0.1, Math.Abs(first)) / Math.Sqrt(Samples) && Math.Abs(fitted.Second / second - 1) < 4 / Math.Sqrt(Samples) ? 1 : 0;
        }

        output.WriteLine($"{family}: {right} of 100, of these {near} near; mean distance {distance:0.000}");
        Assert.InRange(right, 60, 100); // 128 times do not always tell
        Assert.InRange(near, right * 0.98, right);
        Assert.InRange(distance, 0.02, 0.8 / Math.Sqrt(Samples)); // of the right distribution, fitted: about 0.6 / sqrt(n)
    }

    [Fact]
    public void A_mixture_that_is_no_family_fits_badly()
    {
        float[] times = new float[Samples];
        var random = new SeededRandom(3, 1, 1);
        for (int j = 0; j < Samples; j++)
            times[j] = (float)((j % 2 == 0 ? 1 : 8) * Math.Exp(0.05 * random.Normal()));
        Array.Sort(times);
        Assert.InRange(FittedTimes.Of(times, new double[Samples]).Distance, 0.2, 1);
    }

    /// <summary>The quantile keeps what it says though its parameters are estimated: exceeded by the next time with that probability, or a little less.</summary>
    [Theory]
    [InlineData(TimeFamily.LogNormal, 0, 1, 40)]
    [InlineData(TimeFamily.LogNormal, 0, 1, 128)]
    [InlineData(TimeFamily.ShiftedExponential, 1, 1, 40)]
    [InlineData(TimeFamily.ShiftedExponential, 1, 1, 128)]
    [InlineData(TimeFamily.Weibull, 2, 1, 128)]
    public void Far_quantile_is_exceeded_as_seldom_as_it_says(TimeFamily family, double first, double second, int samples)
    {
        const double probability = 1e-3;
        const int trials = 4000;
        var parameters = new FittedTimes(family, first, second, 0, samples);
        double exceeded = 0;
        for (int seed = 0; seed < trials; seed++)
        {
            FittedTimes fitted = Fit(family, first, second, seed, samples, out _);
            if (fitted.Family == family)
                exceeded += 1 - parameters.ShareUpTo(fitted.ExceededWith(probability));
            else
                exceeded += probability;
        }

        output.WriteLine($"{family}, {samples} times: {exceeded / trials:g3}");
        Assert.InRange(exceeded / trials, 0.1 * probability, 1.6 * probability);
    }

    [Theory]
    [InlineData(TimeFamily.LogNormal, -1, 0.7)]
    [InlineData(TimeFamily.ShiftedExponential, 0.5, 2)]
    [InlineData(TimeFamily.Weibull, 3, 0.2)]
    public void Median_and_shares_agree(TimeFamily family, double first, double second)
    {
        var fitted = new FittedTimes(family, first, second, 0, 1_000_000);
        Assert.Equal(0.5, fitted.ShareUpTo(fitted.Median), 1e-6);
        foreach (double probability in (double[])[0.1, 1e-2, 1e-4])
            Assert.InRange((1 - fitted.ShareUpTo(fitted.ExceededWith(probability))) / probability, 0.97, 1.03);
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(1e-7f)]
    [InlineData(1e9f)]
    public void Times_that_are_all_the_same_do_no_harm(float time)
    {
        float[] times = new float[Samples];
        Array.Fill(times, time);
        FittedTimes fitted = FittedTimes.Of(times, new double[Samples]);
        Assert.InRange(fitted.Median / time, 0.999, 1.001);
        Assert.InRange(fitted.ExceededWith(1e-9) / time, 1, 1.05);
        Assert.Equal(TimeFamily.Unknown, FittedTimes.Of(times.AsSpan(1, FittedTimes.LeastSamples - 1), new double[Samples]).Family);
    }

    private static FittedTimes Fit(TimeFamily family, double first, double second, int seed, int samples, out float[] times)
    {
        var random = new SeededRandom((ulong)seed, 5, (long)family);
        times = new float[samples];
        for (int j = 0; j < samples; j++)
        {
            double exponential = -Math.Log(1 - random.Uniform());
            times[j] = (float)(family switch
            {
                TimeFamily.LogNormal => Math.Exp(first + (second * random.Normal())),
                TimeFamily.Weibull => second * Math.Pow(exponential, 1 / first),
                _ => first + (second * exponential),
            });
        }

        Array.Sort(times);
        return FittedTimes.Of(times, new double[samples]);
    }
}
