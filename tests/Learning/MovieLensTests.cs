using System;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>What the defaults reach on real ratings, a tenth of them held out, on the virtual clock: the same on every machine.</summary>
public sealed class MovieLensTests
{
    private const double Holdout = 0.1;
    private const int Passes = 40;
    private static readonly ulong[] Seeds = [1, 2, 3, 4, 5];

    [Fact]
    public void Four_workers_predict_as_well_as_one_and_better_than_biases()
    {
        Ratings ratings = Read();
        double one = 0, async = 0, bsp = 0;
        foreach (ulong seed in Seeds)
        {
            double biases = DampedBiases.Rmse(ratings, Holdout, seed);
            double alone = Run(ratings, "bsp", 1, 1, seed).Rmse, free = Run(ratings, "async", 4, 1, seed).Rmse;
            double barrier = Run(ratings, "bsp", 4, 1, seed).Rmse;
            Assert.True(Math.Max(free, barrier) < biases - 0.015, $"seed {seed}: async {free}, bsp {barrier}, biases {biases}");
            one += alone / Seeds.Length;
            async += free / Seeds.Length;
            bsp += barrier / Seeds.Length;
        }

        Assert.InRange(one, 0.80, 0.845);
        Assert.InRange(async, 0.80, 0.845);
        Assert.True(async <= one + 0.002, $"async {async}, one worker {one}");
        Assert.True(bsp <= one + 0.002, $"bsp {bsp}, one worker {one}");
    }

    [Fact]
    public void One_worker_eight_times_slower_costs_async_little_and_bsp_its_time()
    {
        Ratings ratings = Read();
        double async = 0, bsp = 0;
        foreach (ulong seed in Seeds)
        {
            (double free, double freeSeconds) = Run(ratings, "async", 4, 8, seed);
            (double barrier, double barrierSeconds) = Run(ratings, "bsp", 4, 8, seed);
            Assert.True(freeSeconds < barrierSeconds / 5, $"seed {seed}: async {freeSeconds} s, bsp {barrierSeconds} s");
            async += free / Seeds.Length;
            bsp += barrier / Seeds.Length;
        }

        Assert.True(async <= bsp + 0.005, $"async {async}, bsp {bsp}");
    }

    private static Ratings Read() => RatingsReader.Read(
        DataFolder.PathOf("ml-latest-small/ratings.csv"), new IdTable(), new IdTable(), needsRatings: true, CancellationToken.None);

    private static (double Rmse, double Seconds) Run(Ratings ratings, string policy, int workers, int slow, ulong seed)
    {
        var tasks = new ITask[workers];
        int[] microseconds = new int[workers];
        for (int part = 0; part < workers; part++)
        {
            tasks[part] = new FactorTask(FactorData.Of(ratings, null, Holdout, seed, part, workers), new FactorSettings { Seed = seed }, workers);
            microseconds[part] = 10_000 * (part == 0 ? slow : 1);
        }

        RunResult result = Simulated.Run(new ServerOptions { Policy = policy, Passes = Passes }, tasks, microseconds);
        Assert.Null(result.Failure);
        return (Math.Sqrt(result.Values[1] / result.Values[2]), result.Status.Seconds);
    }
}
