using System;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Protocol;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>A worker of logistic regression that is far slower than the job makes shorter steps, by passes alone, and longer ones again.</summary>
public sealed class SlowWorkerTests
{
    private const int Rows = 400;
    private const int Features = 10;
    private const int Settled = 12; // steps after which what was before is forgotten

    [Theory]
    [InlineData("svrg", 3, 1)] // not slow enough
    [InlineData("svrg", 8, 0.5)]
    [InlineData("svrg", 20, 0.2)]
    [InlineData("gradient:9", 3, 1)]
    [InlineData("gradient:9", 8, 0.5)]
    [InlineData("gradient:9", 20, 0.2)]
    public void Step_of_a_slow_worker_is_shorter_by_what_it_is_slower_than_four_times(string solver, int slower, double share)
    {
        var worker = new Driven(solver);
        double usual = worker.Passes(jobPerOwn: 1, Settled);
        Assert.True(usual >= 8, $"a step usually makes {usual} passes: nothing can be seen");
        double slow = worker.Passes(slower, Settled);
        double whole = solver == "svrg" ? 0.1 : 1; // gradient steps are rounded up
        Assert.InRange(slow, (share * usual) - 0.1, Math.Min(usual, (share * usual) + whole));
        Assert.Equal(usual, worker.Passes(jobPerOwn: 1, Settled));
    }

    [Theory]
    [InlineData("svrg", 1.25)]
    [InlineData("gradient:9", 2)]
    public void Step_of_a_worker_slower_than_any_makes_some_local_work(string solver, double least)
    {
        var worker = new Driven(solver);
        Assert.Equal(least, worker.Passes(jobPerOwn: 1000, Settled));
    }

    [Theory]
    [InlineData("svrg")]
    [InlineData("gradient:9")]
    public void Step_of_a_fast_worker_is_whole_as_soon_as_the_slowest_was_heard(string solver)
    {
        var worker = new Driven(solver);
        double usual = new Driven(solver).Passes(jobPerOwn: 1, Settled);
        worker.Rounds = 0;
        Assert.Equal(1, worker.Passes(jobPerOwn: 1, steps: 40)); // gradients alone, while the slowest is at its first step
        worker.Rounds = 1;
        Assert.Equal(usual, worker.Passes(jobPerOwn: 1, steps: 1));
    }

    /// <summary>A task that is told how far the job is.</summary>
    private sealed class Driven
    {
        private readonly LogisticTask _task;
        private readonly float[] _aggregate;
        private readonly float[] _x;
        private double _job;
        private double _last;

        public Driven(string solver)
        {
            Assert.True(LocalSolver.TryParse(solver, out LocalSolver parsed));
            _task = new LogisticTask(Data(), new LogisticSettings { L2 = 1e-6, Solver = parsed });
            _task.Start(new StartMessage(4, _task.Parameters, 0.25, false, _task.Agreed));
            _aggregate = new float[_task.Parameters];
            _x = new float[_task.Parameters];
        }

        public long Rounds { get; set; } = 1;

        /// <summary>Passes of the last of some steps, each of which the job makes so many times the passes of.</summary>
        public double Passes(double jobPerOwn, int steps)
        {
            for (int step = 0; step < steps; step++)
            {
                _job += jobPerOwn * _last;
                _last = _task.Step(new StepInput(_aggregate, new float[_aggregate.Length], _job, Rounds), _x);
            }

            return _last;
        }
    }

    private static SparseRows Data()
    {
        var random = new Random(2);
        long[] starts = new long[Rows + 1];
        int[] columns = new int[Rows * Features];
        float[] values = new float[Rows * Features], labels = new float[Rows];
        for (int at = 0; at < columns.Length; at++)
            (columns[at], values[at]) = (at % Features, (float)((2 * random.NextDouble()) - 1));
        for (int row = 0; row < Rows; row++)
            (starts[row + 1], labels[row]) = ((row + 1) * Features, row % 2 == 0 ? 1 : -1);
        return new SparseRows("drawn", starts, columns, values, labels, Features);
    }
}
