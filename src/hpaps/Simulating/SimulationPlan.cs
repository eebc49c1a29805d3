using System;
using System.Threading;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Cli.Simulating;

/// <summary>What is trained in one process.</summary>
/// <param name="Tasks">One for each worker.</param>
/// <param name="WriteParts">Adds to a model's folder what only the workers have.</param>
internal sealed record SimulatedJob(ITask[] Tasks, Action<string> WriteParts);

/// <summary>How training in one process goes.</summary>
/// <param name="Read">Reads the data for all workers; what it returns makes a job of them, as often as one is wanted.</param>
/// <param name="PassTime">Virtual time of one pass of a worker over its data.</param>
/// <param name="Link">Between the server and each worker.</param>
internal sealed record SimulationPlan(Func<TrainSettings, CancellationToken, Func<SimulatedJob>> Read, TimeSpan PassTime, LinkSpeed Link)
{
    /// <summary>Logistic regression: the same tasks as those of worker processes.</summary>
    public static Func<SimulatedJob> ReadRows(TrainSettings settings, LogisticSettings task, RowCut cut, CancellationToken stop)
    {
        var rows = new SparseRows[settings.Workers];
        for (int rank = 0; rank < rows.Length; rank++)
            rows[rank] = LibsvmReader.Read(settings.Data, new RowPart(rank, rows.Length, settings.Seed), cut, stop);
        return () => new SimulatedJob(
            Array.ConvertAll(rows, part => LogisticOptions.Task(part, task with { Seed = settings.Seed, Parts = rows.Length })), static _ => { });
    }

    /// <summary>Matrix factorisation: the same tasks as those of worker processes.</summary>
    public static Func<SimulatedJob> ReadRatings(TrainSettings settings, FactorSettings task, FactorModel? warmStart, double holdout, CancellationToken stop)
    {
        FactorInput input = FactorInput.Read(settings.Data, settings.Test, holdout, settings.Seed, stop);
        var data = new FactorData[settings.Workers];
        for (int rank = 0; rank < data.Length; rank++)
            data[rank] = input.Part(new RowPart(rank, data.Length, settings.Seed));
        return () =>
        {
            FactorTask[] tasks = Array.ConvertAll(data, part => input.Task(part, task, data.Length, warmStart));
            return new SimulatedJob(tasks, folder =>
            {
                for (int rank = 0; rank < tasks.Length; rank++)
                    input.WriteUsers(folder, new RowPart(rank, tasks.Length, settings.Seed), tasks[rank], data[rank]);
            });
        };
    }
}
