using System;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Policy asp on a virtual clock, with messages delivered twice: it comes near the optimum, and no nearer.</summary>
public sealed class AspTests(ITestOutputHelper output)
{
    private const int Workers = 4;
    private const double L2 = 1e-2;

    [Theory]
    [InlineData("asp", null, 1, 0.01)]
    [InlineData("asp", null, 8, 0.01)]
    [InlineData("asp:sgd", 0.05, 1, 0.01)]
    [InlineData("asp:adagrad", null, 1, 0.01)]
    [InlineData("asp:adam", null, 1, 0.01)]
    [InlineData("asp:adam", 0.01, 8, 0.02)]
    public void Batches_at_a_constant_rate_come_near_the_optimum_and_not_to_1e_6(string policy, double? rate, int slow, double near)
    {
        RunResult result = Run(policy, rate, batch: 8, slow, passes: 300, labelSorted: false);
        output.WriteLine($"{policy} rate {rate}, {slow}x: gap {result.Status.RelativeGap:e2}, pushes {result.Status.Pushes}");
        Assert.Equal("passes", result.Reason);
        Assert.InRange(result.Status.RelativeGap!.Value, 1e-6, near);
    }

    /// <summary>Half the labels at a fast worker, half at a slow one: gradients count as often as they come. async does not care.</summary>
    [Fact]
    public void Rows_of_fast_workers_count_more_and_async_has_no_such_bias()
    {
        RunResult asp = Run("asp", 0.02, batch: int.MaxValue, slow: 8, passes: 2000, labelSorted: true);
        RunResult even = Run("asp", 0.02, batch: int.MaxValue, slow: 1, passes: 2000, labelSorted: true);
        output.WriteLine($"gap {asp.Status.RelativeGap:e2} with one worker 8 times slower, {even.Status.RelativeGap:e2} at equal speeds");
        SparseRows all = Rows();
        ITask[] tasks = Array.ConvertAll(Parts.Split(all, Workers, true, 1), part => (ITask)new LogisticTask(part, Settings(0)));
        RunResult free = new VirtualCluster(1, new ServerOptions { Target = 1e-6, Reference = Optimum(all), Passes = 2000 }, tasks, [8000, 1000, 1000, 1000]).Run(20_000_000);
        Assert.Equal("target", free.Reason);
        Assert.InRange(asp.Status.RelativeGap!.Value, 10 * even.Status.RelativeGap!.Value, 1);
    }

    [Fact]
    public void One_worker_with_all_its_rows_a_push_is_gradient_descent_and_arrives()
    {
        SparseRows all = Rows();
        RunResult result = new VirtualCluster(1, new ServerOptions { Policy = "asp", Reference = Optimum(all), Passes = 3000 },
            [new GradientTask(all, Settings(int.MaxValue))], [1000]).Run(2_000_000);
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Batches_of_a_pass_make_up_the_gradient_of_all_rows(bool intercept)
    {
        SparseRows all = Rows();
        LogisticSettings settings = Settings(7) with { Intercept = intercept };
        var task = new GradientTask(all, settings);
        var start = new StartMessage(2, task.Parameters + 1, 0.25, true, task.Agreed);
        task.Start(start);
        float[] z = new float[start.Parameters], x = new float[start.Parameters];
        for (int j = 0; j < z.Length; j++)
            z[j] = 0.1f * (j % 5);
        for (int pass = 0; pass < 3; pass++)
        {
            double[] sum = new double[z.Length];
            double passes = 0;
            while (passes < 1 - 1e-9)
            {
                double of = task.Step(new StepInput(z, [], 0), x);
                for (int j = 0; j < z.Length; j++)
                    sum[j] += of * x[j];
                passes += of;
            }

            Assert.Equal(1, passes, 1e-9);
            SparseRows rows = intercept ? all.WithConstant() : all;
            double[] expected = new double[z.Length];
            new LogisticLoss(rows, BinaryLabels.Of(all).Signs(all)).Gradient(z, expected, [], CancellationToken.None);
            for (int j = 0; j < z.Length; j++)
                Assert.Equal(0.5 * (expected[j] + (intercept && j == 0 ? 0 : L2 * z[j])), sum[j], 1e-6);
        }
    }

    [Fact]
    public void L1_and_a_batch_of_nothing_are_refused()
    {
        Assert.Contains("--l1", Assert.Throws<InputException>(() => new GradientTask(Rows(), Settings(8) with { L1 = 1e-3 })).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => new GradientTask(Rows(), Settings(0)));
    }

    private static RunResult Run(string policy, double? rate, int batch, int slow, double passes, bool labelSorted)
    {
        SparseRows all = Rows();
        ITask[] tasks = Array.ConvertAll(Parts.Split(all, Workers, labelSorted, 1), part => (ITask)new GradientTask(part, Settings(batch)));
        int[] microseconds = [1000 * slow, 1000, 1000, 1000];
        return new VirtualCluster(1, new ServerOptions { Policy = policy, Rate = rate, Reference = Optimum(all), Passes = passes }, tasks, microseconds).Run(20_000_000);
    }

    private static LogisticSettings Settings(int batch) => new() { L2 = L2, Batch = batch };

    private static double Optimum(SparseRows all) => NewtonReference.Solve(all, BinaryLabels.Of(all).Signs(all), L2).Objective;

    /// <summary>400 rows of 10 features in [-1, 1], with noisy labels.</summary>
    private static SparseRows Rows()
    {
        const int rows = 400, features = 10;
        var random = new Random(5);
        long[] starts = new long[rows + 1];
        int[] columns = new int[rows * features];
        float[] values = new float[rows * features], labels = new float[rows];
        for (int row = 0; row < rows; row++)
        {
            double margin = random.NextDouble() - 0.5;
            for (int j = 0; j < features; j++)
            {
                int at = (row * features) + j;
                columns[at] = j;
                values[at] = (float)((2 * random.NextDouble()) - 1);
                margin += (j - 4) * 0.3 * values[at];
            }

            labels[row] = margin > 0 ? 1 : -1;
            starts[row + 1] = (row + 1) * features;
        }

        return new SparseRows("drawn", starts, columns, values, labels, features);
    }
}
