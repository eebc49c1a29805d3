using System;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Server;
using HpAsyncPs.Simulation;
using HpAsyncPs.Worker;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>Runs of the simulated cluster with links that take no time.</summary>
internal static class Simulated
{
    /// <param name="options">How the job is run.</param>
    /// <param name="tasks">One for each rank.</param>
    /// <param name="passMicroseconds">Of each worker, for a pass over its data.</param>
    /// <param name="bursts">Each step takes exp(bursts N(0, 1)) times as long as usual.</param>
    public static RunResult Run(ServerOptions options, ITask[] tasks, int[] passMicroseconds, double bursts = 0)
    {
        var workers = new SimulatedWorker[tasks.Length];
        for (int rank = 0; rank < tasks.Length; rank++)
        {
            var random = new SeededRandom(1, 1, rank);
            workers[rank] = new SimulatedWorker(tasks[rank], TimeSpan.FromMicroseconds(passMicroseconds[rank]), Slowness.None.WithRandom(bursts, () => random.Normal()));
        }

        using var cluster = new SimulatedCluster(options, workers, LinkSpeed.Unlimited);
        return cluster.Run(100_000_000);
    }
}
