using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Simulation;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

public sealed class FactorTaskTests
{
    private static readonly FactorSettings Plain = new() { Rank = 4, Start = 0, Decay = 0, Step = 1e-4, StepDecay = 1 };

    [Fact]
    public void Step_of_an_item_split_90_to_10_counts_90_to_10()
    {
        // 90 ratings one above the mean at one worker, 10 one below it at the other.
        float many = ItemBiasAfterAStep(90, 1, 100), few = ItemBiasAfterAStep(10, -1, 100), all = ItemBiasAfterAStep(100, 1, 100);
        Assert.Equal(0.9, many / all, 0.01);
        Assert.Equal(-0.1, few / all, 0.01); // by squared weights it would be 81 to 1
    }

    [Fact]
    public void Step_of_an_item_with_one_rating_of_a_thousand_does_not_explode()
    {
        var settings = new FactorSettings { Rank = 4 };
        var task = new FactorTask(Data(1, 1, 1000), settings, 1);
        float[] z = new float[5], x = new float[5];
        for (int pass = 0; pass < 200; pass++)
        {
            task.Step(new StepInput(z, x, 0), x);
            x.CopyTo(z, 0);
            Assert.All(x, v => Assert.InRange(v, -0.01f, 0.01f)); // its weight in the row is a thousandth
        }
    }

    [Fact]
    public void Last_evaluation_gives_the_best_users_for_the_item_rows_whatever_was_done_before()
    {
        FactorTask fresh = Planted(1, new FactorSettings { Rank = 6 })[0], trained = Planted(1, new FactorSettings { Rank = 6 })[0];
        float[] z = new float[fresh.Parameters], x = new float[fresh.Parameters], other = new float[fresh.Parameters];
        for (int j = 0; j < z.Length; j++)
            z[j] = 0.01f * (j % 17);
        for (int j = 0; j < 20; j++)
            trained.Step(new StepInput(other, x, j), x);
        double[] one = new double[3], two = new double[3];
        fresh.Evaluate(z, one, isLast: true);
        trained.Evaluate(z, two, isLast: true);
        Assert.Equal(one, two);
        Assert.Equal(fresh.Evaluated.Factors, trained.Evaluated.Factors);
        Assert.Equal(fresh.Evaluated.Checksum, trained.Evaluated.Checksum);
        trained.Evaluate(z, two, isLast: false); // with the users as training left them
        Assert.True(two[0] > one[0]);
        trained.Evaluate(other, two, isLast: true);
        Assert.NotEqual(one, two);
    }

    [Fact]
    public void Worker_in_the_place_of_a_lost_one_gives_its_users_what_is_best_for_the_items_though_steps_are_short_by_then()
    {
        var settings = new FactorSettings { Rank = 6 };
        FactorTask lost = Planted(1, settings)[0], next = Planted(1, settings)[0], first = Planted(1, settings)[0];
        float[] z = new float[lost.Parameters], x = new float[lost.Parameters];
        for (int j = 0; j < 60; j++)
        {
            lost.Step(new StepInput(z, x, j), x);
            x.CopyTo(z, 0);
        }

        double[] best = new double[3], values = new double[3];
        Planted(1, settings)[0].Evaluate(z, best, isLast: true);
        next.Step(new StepInput(z, x, 300, rounds: 60), x);
        next.Evaluate(z, values, isLast: false);
        Assert.InRange(values[0], best[0] * 0.999, best[0] * 1.001);
        var other = Planted(1, settings)[0];
        other.Step(new StepInput(z, x, 300), new float[x.Length]); // of a job that goes on with other workers: it has a vector that it has not pushed
        other.Evaluate(z, values, isLast: false);
        Assert.InRange(values[0], best[0] * 0.999, best[0] * 1.001);
        first.Step(new StepInput(z, new float[x.Length], 300), x); // nobody has pushed for it: it begins from where all begin
        first.Evaluate(z, values, isLast: false);
        Assert.True(values[0] > best[0] * 1.1);
    }

    [Fact]
    public void Slow_worker_pushes_less_at_a_time_and_a_step_ends_with_the_pass()
    {
        FactorTask task = Planted(1, new FactorSettings { Rank = 6 })[0];
        float[] z = new float[task.Parameters], x = new float[task.Parameters];
        double own = 0, job = 0;
        int steps = 0, whole = 0;
        for (; own < 5; steps++)
        {
            double before = own;
            own += task.Step(new StepInput(z, x, job), x);
            job = 8 * own; // the others are eight times as fast
            whole += Math.Floor(own + 1e-9) > Math.Floor(before + 1e-9) ? 1 : 0;
            Assert.InRange(own - before, 0.0001, 0.14);
            Assert.True(Math.Floor(own + 1e-9) == Math.Floor(before + 1e-9) || Math.Abs(own - Math.Round(own)) < 1e-9);
        }

        Assert.InRange(steps, 38, 52);
        Assert.Equal(5, whole);
    }

    [Fact]
    public void Other_number_of_workers_than_parts_is_refused()
    {
        var task = new FactorTask(Data(1, 1, 2), Plain, 2);
        task.Start(new HpAsyncPs.Protocol.StartMessage(2, 5, 1, false, []));
        string message = Assert.Throws<InputException>(() => task.Start(new HpAsyncPs.Protocol.StartMessage(3, 5, 1, false, []))).Message;
        Assert.Contains("the ratings are in 2 parts, but 3 workers train", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_of_items_make_the_same_steps_bit_for_bit()
    {
        var settings = new FactorSettings { Rank = 6, Step = 0.03 };
        RunResult whole = Run(Planted(2, settings)), blocks = Run(Planted(2, settings with { BlockBytes = 7 * 8 * sizeof(float) }));
        Assert.Equal(whole.Objective, blocks.Objective); // each row takes its steps in the same order
        Assert.Equal(whole.Model, blocks.Model);

        static RunResult Run(ITask[] tasks) => Simulated.Run(new ServerOptions { Passes = 30 }, tasks, [3000, 3100]);
    }

    [Theory]
    [InlineData("bsp", 1, 4, 0.004)]
    [InlineData("async", 1, 4, 0.004)]
    [InlineData("async", 1, 8, 0.006)]
    [InlineData("bsp", 8, 4, 0.004)]
    public void Training_with_several_workers_predicts_as_well_as_one(string policy, int slow, int workers, double tolerance)
    {
        double one = Rmse("bsp", 1, 1), noFactors = 0.9;
        double several = Rmse(policy, slow, workers);
        Assert.True(one < noFactors, $"one worker learned nothing: {one}");
        Assert.True(several <= one + tolerance, $"{workers} workers: {several:0.0000}, one: {one:0.0000}");
    }

    [Fact]
    public void Job_ends_at_the_error_asked_for_or_says_that_nothing_is_held_out()
    {
        RunResult met = Run(Planted(2, new FactorSettings { Rank = 6, Step = 0.03 }));
        Assert.Null(met.Failure);
        Assert.Equal("target", met.Reason);
        Assert.InRange(met.Trace[^1].TestRmse!.Value, 0.1, 0.35);
        Assert.True(met.Trace[^2].TestRmse > 0.35);

        FactorTask[] blind = [new(Data(10, 1, 20), Plain with { Decay = 0.05 }, 2), new(Data(10, -1, 20), Plain with { Decay = 0.05 }, 2)];
        Assert.Contains("hold no examples out", Run(blind).Failure, StringComparison.Ordinal);

        static RunResult Run(ITask[] tasks) =>
            Simulated.Run(new ServerOptions { TargetRmse = 0.35, Passes = 1000 }, tasks, [3000, 20000]);
    }

    private static float ItemBiasAfterAStep(int ratings, float value, int everywhere)
    {
        var task = new FactorTask(Data(ratings, value, everywhere), Plain, 1);
        float[] x = new float[5];
        double passes = 0, step = 0;
        while (step < 1) // the first steps are less than a pass
            passes += step = task.Step(new StepInput(new float[5], x, passes), x);
        return x[^1];
    }

    /// <summary>One item, each rating by another user.</summary>
    private static FactorData Data(int ratings, float value, int everywhere)
    {
        int[] users = new int[ratings], starts = new int[ratings + 1];
        float[] values = new float[ratings];
        Array.Fill(values, value);
        for (int user = 0; user < ratings; user++)
            (users[user], starts[user + 1]) = (user, user + 1);
        return new FactorData
        {
            Mean = 0,
            UserIds = users,
            UserStarts = starts,
            Items = new int[ratings],
            Values = values,
            LocalItems = [0],
            LocalCounts = [ratings],
            ItemCounts = [everywhere],
        };
    }

    private static double Rmse(string policy, int slow, int workers)
    {
        ITask[] tasks = Planted(workers, new FactorSettings { Rank = 6, Step = 0.03 });
        int[] microseconds = new int[workers];
        Array.Fill(microseconds, 100);
        microseconds[0] *= slow;
        RunResult result = new VirtualCluster(3, new ServerOptions { Policy = policy, Passes = 40 }, tasks, microseconds).Run(5_000_000);
        Assert.Null(result.Failure);
        return Math.Sqrt(result.Values[1] / result.Values[2]);
    }

    /// <summary>Ratings of 300 users and 120 items with planted factors and biases, noise 0.3, a tenth held out.</summary>
    private static FactorTask[] Planted(int workers, FactorSettings settings)
    {
        const int users = 300, items = 120, rank = 3;
        var random = new Random(9);
        double[,] p = Normal(random, users, rank + 1), q = Normal(random, items, rank + 1);
        int[] itemCounts = new int[items];
        var ratings = new List<(int Item, float Value, bool Test)>[users];
        for (int user = 0; user < users; user++)
        {
            ratings[user] = [];
            for (int item = 0; item < items; item++)
            {
                if (random.NextDouble() > 0.25)
                    continue;
                double value = (0.5 * p[user, rank]) + (0.5 * q[item, rank]) + (0.3 * (random.NextDouble() + random.NextDouble() - 1));
                for (int k = 0; k < rank; k++)
                    value += 0.6 * p[user, k] * q[item, k];
                bool test = random.Next(10) == 0;
                ratings[user].Add((item, (float)value, test));
                itemCounts[item] += test ? 0 : 1;
            }
        }

        var tasks = new FactorTask[workers];
        for (int worker = 0; worker < workers; worker++)
            tasks[worker] = new FactorTask(Part(ratings, worker, workers, itemCounts), settings, workers);
        return tasks;
    }

    private static FactorData Part(List<(int Item, float Value, bool Test)>[] ratings, int worker, int workers, int[] itemCounts)
    {
        var users = new List<int>();
        List<int> starts = [0], items = [], localItems = [], localCounts = [], testUsers = [], testItems = [];
        List<float> values = [], testValues = [];
        var localOf = new Dictionary<int, int>();
        for (int item = 0; item < itemCounts.Length; item++)
        {
            for (int user = worker; user < ratings.Length; user += workers)
            {
                if (!ratings[user].Exists(rating => rating.Item == item && !rating.Test) || localOf.ContainsKey(item))
                    continue;
                localOf[item] = localItems.Count;
                localItems.Add(item);
                localCounts.Add(0);
            }
        }

        for (int user = worker; user < ratings.Length; user += workers)
        {
            foreach ((int item, float value, bool test) in ratings[user])
            {
                if (test)
                {
                    testUsers.Add(users.Count);
                    testItems.Add(item);
                    testValues.Add(value);
                    continue;
                }

                int local = localOf[item];
                localCounts[local]++;
                items.Add(local);
                values.Add(value);
            }

            users.Add(user);
            starts.Add(items.Count);
        }

        return new FactorData
        {
            Mean = 0,
            UserIds = [.. users],
            UserStarts = [.. starts],
            Items = [.. items],
            Values = [.. values],
            LocalItems = [.. localItems],
            LocalCounts = [.. localCounts],
            ItemCounts = itemCounts,
            TestUsers = [.. testUsers],
            TestItems = [.. testItems],
            TestValues = [.. testValues],
        };
    }

    private static double[,] Normal(Random random, int rows, int columns)
    {
        double[,] matrix = new double[rows, columns];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
                matrix[row, column] = random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5;
        }

        return matrix;
    }
}
