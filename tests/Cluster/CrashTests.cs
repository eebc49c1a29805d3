using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using HpAsyncPs.Protocol;
using Xunit;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>
/// The server process is killed at any moment, again and again, while workers push whole numbers: what it has at the end is, exactly, what the
/// ledgers say. HPAPS_CRASHES is the number of kills in all, 100 unless given.
/// </summary>
[Collection(Alone.Name)]
public sealed class CrashTests
{
    private const int Workers = 3;
    private const int Parameters = 600_000; // three chunks
    private const int Kills = 100;
    private const int Cases = 4;

    private static readonly TimeSpan BeyondLiveness = TimeSpan.FromSeconds(2.5);

    [Theory]
    [InlineData("asp:sum", "always")]
    [InlineData("asp:sum", "interval:50")]
    [InlineData("async", "always")]
    [InlineData("async", "interval:50")]
    public void Nothing_is_lost_and_nothing_doubled(string policy, string durability)
    {
        using var folder = new TempFolder();
        bool isSum = policy == "asp:sum", isAlways = durability == "always";
        string address = isSum ? $"unix:{folder.In("socket")}" : $"127.0.0.1:{FreePort()}";
        using var server = new CrashingServer(folder, address, "--workers", $"{Workers}", "--policy", policy, "--plain", "--durability", durability,
            "--checkpoint-interval", "0.2", "--liveness-timeout", "2");
        PushingWorker[] workers = Connect(address, isSum ? Aggregate.Optimized : Aggregate.Sum);
        try
        {
            Crash(server, workers, isAlways);
            foreach (PushingWorker worker in workers)
                worker.Finish();
            ReadOnlySpan<float> pulled = workers[0].Pull();
            float[] expected = new float[Parameters];
            for (int rank = 0; rank < Workers; rank++)
            {
                if (isSum)
                    workers[rank].Pushed.AddTo(expected, server.StandsOf(rank));
                else
                    System.Numerics.Tensors.TensorPrimitives.Add(expected, workers[rank].Vector, expected);
            }

            int differs = pulled.CommonPrefixLength(expected);
            Assert.True(differs == Parameters, differs == Parameters ? "" : $"parameter {differs} is {pulled[differs]}; the ledgers say {expected[differs]}");
            Report(server, workers, isAlways);
        }
        finally
        {
            foreach (PushingWorker worker in workers)
                worker.Dispose();
        }

        Assert.True(server.Process.ExitCode() == 0, server.Process.Errors);
        Assert.Empty(Directory.GetFiles(folder.In("state/journal")));
    }

    private static PushingWorker[] Connect(string address, Aggregate aggregate)
    {
        var workers = new PushingWorker[Workers];
        var threads = new Thread[Workers];
        for (int j = 0; j < Workers; j++)
        {
            int rank = j;
            threads[j] = new Thread(() => workers[rank] = new PushingWorker(address, rank, Parameters, aggregate));
            threads[j].Start();
        }

        Array.ForEach(threads, thread => thread.Join());
        Array.ForEach(workers, worker => worker.Start());
        return workers;
    }

    /// <summary>Kills the server at a moment by chance, or while it writes a checkpoint, or before all workers are there again; and lets it sleep too long once.</summary>
    private static void Crash(CrashingServer server, PushingWorker[] workers, bool isAlways)
    {
        int kills = (int.TryParse(Environment.GetEnvironmentVariable("HPAPS_CRASHES"), out int given) ? given : Kills) / Cases;
        var random = new Random(7);
        Array.ForEach(workers, worker => worker.UntilItGoesOn());
        for (int kill = 0; kill < kills; kill++)
        {
            if (kill == kills / 2)
                server.Pause(BeyondLiveness);
            if (kill % 4 != 1)
                Array.ForEach(workers, worker => worker.UntilItGoesOn());
            if (kill % 4 == 2)
                SpinWait.SpinUntil(() => server.WritesCheckpoint, TimeSpan.FromSeconds(1));
            else
                Thread.Sleep(random.Next(150));
            server.Kill();
            ulong[] acknowledged = Array.ConvertAll(workers, worker => worker.Acknowledged);
            server.StartAgain();
            PushedNumbers.Stand[] now = server.Stands(Workers);
            for (int rank = 0; rank < Workers; rank++)
            {
                Assert.True(!isAlways || now[rank].Sequence >= acknowledged[rank], $"push {acknowledged[rank]} of worker {rank} was acknowledged; the server has come back with {now[rank]}");
            }
        }
    }

    private static void Report(CrashingServer server, PushingWorker[] workers, bool isAlways)
    {
        int inPush = 0;
        long reconnects = 0, resynchronisations = 0;
        ulong pushes = 0;
        for (int rank = 0; rank < Workers; rank++)
        {
            foreach (PushedNumbers.Stand stand in server.StandsOf(rank))
                inPush += stand.NextKey > 0 ? 1 : 0;
            reconnects += workers[rank].Session.Reconnects;
            resynchronisations += workers[rank].Session.Resynchronisations;
            pushes += workers[rank].Session.Pushed;
        }

        TestContext.Current.SendDiagnosticMessage(
            $"{server.Kills} kills, {server.KilledInCheckpoint} in a checkpoint; {inPush} workers in a push; {reconnects} reconnects, {resynchronisations} resynchronisations, {pushes} pushes");
        Assert.True(server.KilledInCheckpoint > 0, "no kill has hit a checkpoint: the test tests nothing of them");
        Assert.True(!isAlways || resynchronisations == 0, "acknowledged pushes were lost");
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
