using System;
using System.Collections.Generic;
using System.IO;
using HpAsyncPs.Cli.Launching;
using HpAsyncPs.Cli.Progress;
using HpAsyncPs.Cli.Training;
using HpAsyncPs.Codecs;
using HpAsyncPs.Learning.Output;
using HpAsyncPs.Programs;
using HpAsyncPs.Server;
using HpAsyncPs.Simulation;

namespace HpAsyncPs.Cli.Simulating;

/// <summary>A job that was trained in this process, on the virtual clock.</summary>
internal sealed class SimulatedTraining : IDisposable
{
    // How long it computes before it looks at signals and shows how it stands.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);

    private readonly SimulatedJob _job;
    private readonly TrainSettings _settings;

    private SimulatedTraining(SimulatedJob job, TrainSettings settings, SimulationPlan plan)
    {
        _job = job;
        _settings = settings;
        var workers = new SimulatedWorker[job.Tasks.Length];
        for (int rank = 0; rank < workers.Length; rank++)
        {
            workers[rank] = new SimulatedWorker(job.Tasks[rank], plan.PassTime,
                SlowOptions.Of(settings.Slow.GetValueOrDefault(rank), settings.SlowRandom, settings.Seed, rank));
        }

        Cluster = new SimulatedCluster(OptionsOf(settings), workers, plan.Link);
    }

    /// <summary>The cluster, whose job is over.</summary>
    public SimulatedCluster Cluster { get; }

    /// <summary>Reads the data and trains to the end.</summary>
    /// <exception cref="InputException">The data cannot be used.</exception>
    /// <exception cref="ClusterException">Training failed, or the user wants it to end at once.</exception>
    public static SimulatedTraining Run(TrainSettings settings, SimulationPlan plan, StopSignals signals, TimeProvider time)
    {
        var training = new SimulatedTraining(plan.Read(settings, signals.First)(), settings, plan);
        try
        {
            training.Follow(settings, signals, time);
            return training;
        }
        catch
        {
            training.Dispose();
            throw;
        }
    }

    /// <summary>How the server of a simulated job runs it.</summary>
    public static ServerOptions OptionsOf(TrainSettings settings)
    {
        var options = new ServerOptions
        {
            Policy = settings.Policy,
            Codec = CodecSpec.Parse(settings.Codec),
            Rate = settings.Rate,
            Plateau = settings.Plateau,
            Passes = settings.Passes,
            Target = settings.Target,
            Reference = settings.Reference,
            TargetRmse = settings.TargetRmse,
            TimeLimit = settings.TimeLimit is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };
        return settings.MaxMagnitude is { } most ? options with { MaxMagnitude = (float)most } : options;
    }

    /// <summary>Writes the run's folder, model included.</summary>
    /// <returns>The summary.</returns>
    public RunSummary Write(string folder, double wallSeconds, TimeProvider time)
    {
        RunResult result = Cluster.Result();
        RunSummary summary = RunSummary.Of(result, _settings.Policy, wallSeconds) with
        {
            VirtualTime = true,
            Command = _settings.Command ?? Commands.Own(),
            FinishedAt = time.GetLocalNow(),
        };
        RunFolder.Write(folder, result, summary);
        _job.WriteParts(Path.Combine(folder, RunFolder.Model));
        return summary;
    }

    /// <inheritdoc/>
    public void Dispose() => Cluster.Dispose();

    private void Follow(TrainSettings settings, StopSignals signals, TimeProvider time)
    {
        (RunProgress progress, IProgressView view) = TrainRun.Views(settings, time);
        view.Follow(progress, () =>
        {
            if (signals.Received > 1)
                throw new ClusterException("ended at once, as asked for: nothing is saved");
            if (signals.Received == 1 && !progress.IsStopping)
            {
                progress.IsStopping = true;
                Cluster.RequestStop("stopped");
            }

            bool runs = true;
            for (long start = time.GetTimestamp(); runs && time.GetElapsedTime(start) < Slice;)
                runs = Cluster.Next();
            progress.Update(Cluster.Status());
            return runs;
        });
        if (Cluster.Result().Failure is { } failure)
            throw new ClusterException(failure);
    }
}
