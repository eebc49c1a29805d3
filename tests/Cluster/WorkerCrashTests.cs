using System;
using System.IO;
using System.Numerics.Tensors;
using System.Threading;
using HpAsyncPs.Protocol;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>The process of a worker is killed in the midst of its pushes, and another takes its place.</summary>
[Collection(Alone.Name)]
public sealed class WorkerCrashTests
{
    private const string Variable = "HPAPS_TEST_PUSHES_TO";
    private const int Parameters = 600_000; // three chunks
    private const int Kills = 4;

    private static readonly TimeSpan LongestLife = TimeSpan.FromSeconds(60);

    [Fact]
    public void Half_a_push_of_a_killed_worker_is_nothing_of_the_next_ones_vector()
    {
        using var folder = new TempFolder();
        string address = $"unix:{folder.In("socket")}";
        using RunningProgram server = RunningProgram.Start(Published.Server, folder.Path, "--listen", address, "--workers", "2", "--plain");
        server.Until(() => server.Errors.Contains("listening at", StringComparison.Ordinal), "it listened");
        RunningProgram child = StartWorker(folder, address);
        try
        {
            using var stays = new PushingWorker(address, 0, Parameters, Aggregate.Sum);
            stays.Start();
            var random = new Random(5);
            for (int kill = 1; kill <= Kills; kill++)
            {
                stays.UntilItGoesOn();
                Thread.Sleep(random.Next(100, 300));
                child.Signal(DyingProcesses.Kill);
                child.ExitCode();
                if (kill == Kills)
                    break;
                child = StartWorker(folder, address);
                int places = kill;
                child.Until(() => server.Errors.Split("takes the place of worker 1").Length > places, "it had taken the place");
            }

            using var last = new PushingWorker(address, 1, Parameters, Aggregate.Sum);
            last.Start();
            last.UntilItGoesOn();
            last.Finish();
            stays.Finish();
            float[] expected = new float[Parameters];
            ReadOnlySpan<float> pulled = last.Pull();
            TensorPrimitives.Add(stays.Vector, last.Vector, expected);
            int differs = pulled.CommonPrefixLength(expected);
            Assert.True(differs == Parameters, differs == Parameters ? "" : $"parameter {differs} is {pulled[differs]}, not {expected[differs]}");
        }
        finally
        {
            child.Dispose();
        }

        Assert.True(server.ExitCode() == 0, server.Errors);
    }

    /// <summary>The child: not a test by itself.</summary>
    [Fact(Explicit = true)]
    public void Pushes_until_it_is_killed()
    {
        string address = Environment.GetEnvironmentVariable(Variable) ?? throw new InvalidOperationException($"{Variable} says where to push to");
        using var worker = new PushingWorker(address, 1, Parameters, Aggregate.Sum);
        worker.Start();
        Thread.Sleep(LongestLife);
    }

    private static RunningProgram StartWorker(TempFolder folder, string address) => RunningProgram.Start("env", folder.Path, $"{Variable}={address}",
        Path.Combine(AppContext.BaseDirectory, "HpAsyncPs.Tests"), "-noLogo", "-explicit", "only", "-method", $"{typeof(WorkerCrashTests).FullName}.{nameof(Pushes_until_it_is_killed)}");
}
