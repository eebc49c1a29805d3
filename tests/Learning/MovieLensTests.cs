using System;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>What the defaults reach on real ratings, a tenth of them held out, on the virtual clock: the same on every machine.</summary>
public sealed class MovieLensTests(ITestOutputHelper output)
{
    private const double Holdout = 0.1;
    private const int Passes = 40;
    private static readonly ulong[] Seeds = [1, 2, 3, 4, 5];

    /// <summary>At most 0.840, the mean over five splits, with any number of workers, and within 0.003 of each other.</summary>
    [Fact]
    public void Any_number_of_workers_predicts_as_well_as_one_and_better_than_biases()
    {
        Ratings ratings = Read();
        double biases = Mean(seed => DampedBiases.Rmse(ratings, Holdout, seed)), best = double.MaxValue, worst = 0;
        foreach ((string policy, int workers) in new[] { ("async", 1), ("async", 2), ("async", 4), ("async", 8), ("bsp", 4), ("bsp", 8) })
        {
            double rmse = Mean(seed => Run(ratings, policy, workers, 1, seed).Rmse);
            output.WriteLine($"{policy}, {workers} workers: {rmse:0.0000}; biases {biases:0.0000}");
            Assert.InRange(rmse, 0.80, Math.Min(0.840, biases - 0.015));
            best = Math.Min(best, rmse);
            worst = Math.Max(worst, rmse);
        }

        Assert.True(worst - best <= 0.003, $"from {best} to {worst}");
    }

    /// <summary>Only rows that changed travel, in 4 bits a value; evaluations included.</summary>
    [Fact]
    public void Rows_in_four_bits_predict_as_well_with_a_sixth_of_the_bytes()
    {
        Ratings ratings = Read();
        double exact = Mean(seed => Run(ratings, "async", 4, 1, seed).Rmse), coded = Mean(seed => Run(ratings, "async", 4, 1, seed, codec: "int4").Rmse);
        RunStatus before = Run(ratings, "async", 4, 1, 1).Status, after = Run(ratings, "async", 4, 1, 1, codec: "int4").Status;
        double up = before.UplinkPayloadBytes / (double)after.UplinkPayloadBytes;
        double all = (before.UplinkPayloadBytes + before.DownlinkPayloadBytes) / (double)(after.UplinkPayloadBytes + after.DownlinkPayloadBytes);
        output.WriteLine($"fp32 {exact:0.0000}, int4 {coded:0.0000}; payload of fp32 over int4: up {up:0.00}, both ways {all:0.00}");
        Assert.InRange(coded, exact - 0.002, exact + 0.002);
        Assert.InRange(up, 6, 10);
        Assert.InRange(all, 6, 10);
    }

    /// <summary>
    /// Virtual time until 0.003 above the error that bsp ends with. The schedule of steps looks at the passes of the job alone, so a run of
    /// fewer passes is the beginning of a longer one; users are solved for at the end of each, as they are at the end of all.
    /// </summary>
    [Fact]
    public void With_one_of_eight_workers_eight_times_slower_bsp_takes_more_than_two_and_a_half_times_as_long()
    {
        Ratings ratings = Read();
        double enough = Mean(seed => Run(ratings, "bsp", 8, 8, seed).Rmse) + 0.003;
        double bsp = SecondsTo(enough, ratings, "bsp"), async = SecondsTo(enough, ratings, "async");
        output.WriteLine($"to {enough:0.0000}: bsp {bsp:0.000} s, async {async:0.000} s, ratio {bsp / async:0.00}");
        Assert.True(bsp >= 2.5 * async, $"bsp takes {bsp} s, async {async} s");
    }

    private double SecondsTo(double enough, Ratings ratings, string policy)
    {
        for (int passes = 10; passes <= Passes; passes += 2)
        {
            double rmse = Mean(seed => Run(ratings, policy, 8, 8, seed, passes).Rmse);
            output.WriteLine($"{policy}, {passes} passes: {rmse:0.0000}");
            if (rmse <= enough)
                return Mean(seed => Run(ratings, policy, 8, 8, seed, passes).Seconds);
            Assert.True(passes > 10 || rmse > enough + 0.003, $"{policy} is near already after {passes} passes: begin earlier");
        }

        Assert.Fail($"{policy} does not get to {enough} in {Passes} passes");
        return 0;
    }

    private static double Mean(Func<ulong, double> value)
    {
        double[] values = new double[Seeds.Length];
        Parallel.For(0, values.Length, j => values[j] = value(Seeds[j]));
        double sum = 0;
        foreach (double v in values)
            sum += v;
        return sum / values.Length;
    }

    private static Ratings Read() => RatingsReader.Read(
        DataFolder.PathOf("ml-latest-small/ratings.csv"), new IdTable(), new IdTable(), needsRatings: true, CancellationToken.None);

    private static (double Rmse, double Seconds, RunStatus Status) Run(Ratings ratings, string policy, int workers, int slow, ulong seed, double passes = Passes, string codec = "fp32")
    {
        var tasks = new ITask[workers];
        int[] microseconds = new int[workers];
        for (int part = 0; part < workers; part++)
        {
            tasks[part] = new FactorTask(FactorData.Of(ratings, null, Holdout, seed, part, workers), new FactorSettings { Seed = seed }, workers);
            microseconds[part] = 10_000 * (part == 0 ? slow : 1);
        }

        RunResult result = Simulated.Run(new ServerOptions { Policy = policy, Passes = passes, Codec = CodecSpec.Parse(codec) }, tasks, microseconds);
        Assert.Null(result.Failure);
        return (Math.Sqrt(result.Values[1] / result.Values[2]), result.Status.Seconds, result.Status);
    }
}
