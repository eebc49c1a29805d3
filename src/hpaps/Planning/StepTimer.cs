using System;
using System.Collections.Generic;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Cli.Planning;

/// <summary>
/// Measures what an example takes in a pass here. What it takes elsewhere differs by the machine; how it changes with the size of a worker's part, as part of
/// each step is for the model and not for the examples, and from a gradient to a local step, does not so much: so a plan takes ratios.
/// </summary>
internal sealed class StepTimer(ITask task, TimeProvider time) : ITask
{
    private const int Steps = 40;
    private const int LeastSteps = 4;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(1);

    private readonly List<TimedStep> _all = [];

    public int Parameters => task.Parameters;

    public int RowLength => task.RowLength;

    public Aggregate Aggregate => task.Aggregate;

    public double Weight => task.Weight;

    public double[] Agreed => task.Agreed;

    public IReadOnlyList<KeyValuePair<string, string>> Settings => task.Settings;

    public int Values => task.Values;

    public bool IsHalf => task.IsHalf;

    /// <summary>Some steps of all workers.</summary>
    /// <param name="tasks">Fresh ones, which cannot be used afterwards.</param>
    /// <param name="options">How the job is run; it does not run to its end.</param>
    /// <param name="time">The clock.</param>
    public static List<TimedStep> Measure(ITask[] tasks, ServerOptions options, TimeProvider time)
    {
        var timers = Array.ConvertAll(tasks, task => new StepTimer(task, time));
        var workers = Array.ConvertAll(timers, static timer => new SimulatedWorker(timer, TimeSpan.FromSeconds(1), Slowness.None));
        using var cluster = new SimulatedCluster(options, workers, LinkSpeed.Unlimited);
        long start = time.GetTimestamp();
        var all = new List<TimedStep>();
        while (cluster.Next())
        {
            int count = 0;
            foreach (StepTimer timer in timers)
                count += timer._all.Count;
            if (count >= (Steps + 1) * timers.Length || (count >= LeastSteps * timers.Length && time.GetElapsedTime(start) > Enough))
                break;
        }

        foreach (StepTimer timer in timers)
            all.AddRange(timer._all.Count > 1 ? timer._all[1..] : timer._all); // the first step finds nothing in caches
        return all;
    }

    public void Start(StartMessage agreed) => task.Start(agreed);

    public double Step(in StepInput input, Span<float> x)
    {
        bool isSecond = task.IsHalf;
        long start = time.GetTimestamp();
        double passes = task.Step(input, x), gradient = isSecond || passes < 1 ? 0 : 1;
        if (passes > 0)
            _all.Add(new TimedStep(time.GetElapsedTime(start).TotalSeconds / Weight, gradient, passes - gradient));
        return passes;
    }

    public void Evaluate(ReadOnlySpan<float> z, Span<double> values, bool isLast) => task.Evaluate(z, values, isLast);
}
