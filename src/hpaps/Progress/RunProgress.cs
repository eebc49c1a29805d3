using System;
using System.Collections.Generic;
using HpAsyncPs.Server;

namespace HpAsyncPs.Cli.Progress;

/// <summary>How a worker does.</summary>
/// <param name="Rank">Its rank.</param>
/// <param name="Passes">Over its data.</param>
/// <param name="Pushes">Applied.</param>
/// <param name="Busy">Share of its time spent computing steps.</param>
/// <param name="Idle">Share of its time spent waiting.</param>
/// <param name="Slowness">How many times slower it is than the median worker; 1 when it is not known.</param>
internal sealed record WorkerProgress(int Rank, double Passes, ulong Pushes, double Busy, double Idle, double Slowness)
{
    private const double NotableSlowness = 1.6;

    public bool IsSlow => Slowness >= NotableSlowness;
}

/// <summary>What is shown of a run: the server's newest word, and what follows from the words before it.</summary>
internal sealed class RunProgress(RunGoal goal)
{
    private const double WindowSeconds = 5;
    private const double LeastPasses = 3;
    private const double LeastSecondsForRates = 0.5;

    private readonly Queue<Sample> _window = new();
    private RunStatus? _first;

    private readonly record struct Sample(double Seconds, ulong Pushes, double Done);

    /// <summary>The newest word of the server, or null.</summary>
    public RunStatus? Status { get; private set; }

    /// <summary>The user has asked it to stop.</summary>
    public bool IsStopping { get; set; }

    /// <summary>Ranks of the workers that are not there now.</summary>
    public IReadOnlyList<int> Absent { get; set; } = [];

    /// <summary>Part of the way, 0 to 1.</summary>
    public double Done { get; private set; }

    /// <summary>Over the last seconds.</summary>
    public double PushesPerSecond { get; private set; }

    /// <summary>Times are those of a virtual clock: how long it will take cannot be told from them.</summary>
    public bool IsVirtual { get; init; }

    /// <summary>Estimate, or null.</summary>
    public double? SecondsLeft { get; private set; }

    /// <summary>One for each rank.</summary>
    public IReadOnlyList<WorkerProgress> Workers { get; private set; } = [];

    /// <summary>Is this worker not there now?</summary>
    public bool IsAbsent(int rank)
    {
        foreach (int absent in Absent)
        {
            if (absent == rank)
                return true;
        }

        return false;
    }

    /// <summary>Takes the newest word; the same one again changes nothing.</summary>
    public void Update(RunStatus? status)
    {
        if (status is null || ReferenceEquals(status, Status))
            return;
        if (status.Seconds < Status?.Seconds)
            _window.Clear(); // the server was started again
        Status = status;
        if (status.Objective is not null)
            _first ??= status;
        Done = goal.Done(status, _first);
        _window.Enqueue(new Sample(status.Seconds, status.Pushes, Done));
        while (_window.Count > 2 && _window.Peek().Seconds < status.Seconds - WindowSeconds)
            _window.Dequeue();
        Sample old = _window.Peek();
        double seconds = status.Seconds - old.Seconds;
        if (seconds >= LeastSecondsForRates)
        {
            PushesPerSecond = (status.Pushes - old.Pushes) / seconds;
            double rate = (Done - old.Done) / seconds;
            SecondsLeft = rate > 0 && !IsVirtual ? (1 - Done) / rate : null;
        }

        Workers = Compare(status.Workers);
    }

    /// <summary>
    /// A worker is slow if it makes fewer passes than the median worker, or takes longer to compute one: behind a barrier
    /// all make the same passes, and only the second shows who is waited for.
    /// </summary>
    private static List<WorkerProgress> Compare(IReadOnlyList<WorkerRecord> workers)
    {
        var passes = new double[workers.Count];
        var costs = new double[workers.Count];
        for (int j = 0; j < workers.Count; j++)
        {
            passes[j] = workers[j].Passes;
            costs[j] = Cost(workers[j]);
        }

        // Of two in the middle, the faster: with two workers the slow one must not be half of its own yardstick.
        Array.Sort(passes);
        Array.Sort(costs);
        double medianPasses = passes.Length == 0 ? 0 : passes[passes.Length / 2];
        double medianCost = costs.Length == 0 ? 0 : costs[(costs.Length - 1) / 2];
        var result = new List<WorkerProgress>(workers.Count);
        foreach (WorkerRecord worker in workers)
        {
            double slowness = 1;
            if (medianPasses >= LeastPasses)
            {
                slowness = medianPasses / Math.Max(worker.Passes, 0.5);
                if (medianCost > 0 && double.IsFinite(Cost(worker)))
                    slowness = Math.Max(slowness, Cost(worker) / medianCost);
            }

            double all = worker.BusySeconds + worker.IdleSeconds + worker.EvaluatingSeconds;
            double busy = all > 0 ? worker.BusySeconds / all : 0, idle = all > 0 ? worker.IdleSeconds / all : 0;
            result.Add(new WorkerProgress(worker.Rank, worker.Passes, worker.Pushes, busy, idle, slowness));
        }

        return result;
    }

    private static double Cost(WorkerRecord worker) => worker.Passes >= 1 ? worker.BusySeconds / worker.Passes : double.PositiveInfinity;
}
