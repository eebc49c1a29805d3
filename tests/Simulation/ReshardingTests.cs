using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using HpAsyncPs.Learning.Classification;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;
using HpAsyncPs.Learning.Generation;
using HpAsyncPs.Protocol;
using HpAsyncPs.Server;
using HpAsyncPs.Server.Durability;
using HpAsyncPs.Tests.Cluster;
using HpAsyncPs.Tests.Learning;
using HpAsyncPs.Worker;
using Xunit;

namespace HpAsyncPs.Tests.Simulation;

/// <summary>A job that is on disk goes on with other numbers of workers and servers, from where it stood.</summary>
public sealed partial class ReshardingTests : IDisposable
{
    private const double L2 = 0.05;
    private const int Chunk = 4;

    private readonly TempFolder _temp = new();
    private readonly SparseRows _all = Parts.Small();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData("async", 3, 1, 7, 1)]
    [InlineData("async", 4, 1, 1, 1)]
    [InlineData("bsp", 2, 1, 5, 1)]
    [InlineData("auto", 5, 1, 3, 1)]
    [InlineData("ssp:1", 3, 2, 4, 2)]
    [InlineData("async", 3, 2, 3, 3)]
    [InlineData("async", 3, 3, 5, 1)]
    [InlineData("bsp:1", 2, 1, 2, 4)]
    public void Job_goes_on_from_what_others_had_reached(string policy, int workers, int servers, int laterWorkers, int laterServers)
    {
        double best = NewtonReference.Solve(_all, BinaryLabels.Of(_all).Signs(_all), L2).Objective;
        int chunk = laterServers == servers ? Chunk : Limits.ChunkParameters;
        (float[] reached, double passes) = Train("state", policy, workers, servers, 4_000, chunkKeys: chunk);
        string state = _temp.In("state");
        if (laterServers != servers)
        {
            EarlierJob job = Resharding.Read([state], static _ => { });
            int[] bounds = Resharding.Write(job, laterServers, state = _temp.In("other"));
            Assert.Equal((0, reached.Length), (bounds[0], bounds[^1]));
            Assert.Equal(passes, job.Passes, 9);
        }

        using var kept = new States(state, laterServers);
        Recorder[] tasks = Tasks(laterWorkers);
        using ShardedCluster cluster = Cluster(2, new ServerOptions { Policy = policy, Target = 1e-6, Reference = best, Passes = 20_000 }, tasks, kept, chunkKeys: chunk);
        ulong begin = 0;
        int looks = 0;
        RunResult result = cluster.Run(1_000_000, _ =>
        {
            if (cluster.First.Status() is not { Phase: "Training" } status)
                return;
            begin = begin == 0 ? status.Pushes : begin;
            for (int rank = 0; rank < laterWorkers && cluster.First.StandOf(0).Sequence == 0; rank++) // the slowest has not pushed: nobody goes on from what others have
            {
                looks++;
                Assert.True((cluster.Session(rank)?.First.Version ?? 0) <= begin, $"worker {rank} goes on before rank 0 has pushed");
            }
        });
        Assert.True(looks > 10);
        Assert.Equal("target ", $"{result.Reason} {result.Failure}");
        Assert.InRange(result.Status.RelativeGap!.Value, -1e-7, 1e-6);
        Assert.True(result.Status.Passes > passes);
        foreach (Recorder task in tasks)
            Assert.Equal(reached, task.Stepped[0], static (a, b) => Math.Abs(a - b) <= 1e-6f * (1 + Math.Abs(a))); // all begin from the same, which is that
        double start = Objective(tasks, reached), first = Objective(tasks, tasks[0].Evaluated[0]);
        Assert.True(first <= start + (0.1 * (start - best)), $"{start - best:e2} above the optimum at the end, {first - best:e2} when all had pushed again");
    }

    [Fact]
    public void What_is_pushed_after_that_survives_a_crash_as_ever()
    {
        Train("state", "async", 3, 1, 3_000);
        var options = new ServerOptions { Policy = "async", Passes = 20_000 };
        float[][] vectors;
        ulong version;
        using (var kept = new States(_temp.In("state"), 1, checkpoints: false))
        {
            using ShardedCluster cluster = Cluster(3, options, Tasks(5), kept);
            cluster.Run(600);
            version = cluster.First.Status().Pushes;
            vectors = Vectors(cluster.First, 5);
        }

        using var again = new States(_temp.In("state"), 1);
        using ShardedCluster recovered = Cluster(4, options, Tasks(5), again);
        Assert.Contains(recovered.Log(0), static line => line.StartsWith("recovered from", StringComparison.Ordinal));
        Assert.Equal(version, recovered.First.Status().Pushes);
        Assert.Equal(vectors, Vectors(recovered.First, 5));
    }

    /// <summary>Three times, over checkpoints and the journal alone.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Numbers_may_change_again_and_again(bool checkpoints)
    {
        double best = NewtonReference.Solve(_all, BinaryLabels.Of(_all).Signs(_all), L2).Objective;
        Train("state", "async", 2, 1, 800, checkpoints);
        (_, double passes) = Train("state", "async", 6, 1, 800, checkpoints);
        (float[] reached, double more) = Train("state", "async", 3, 1, 800, checkpoints);
        Assert.True(more > passes);
        using var kept = new States(_temp.In("state"), 1);
        Recorder[] tasks = Tasks(4);
        using ShardedCluster cluster = Cluster(9, new ServerOptions { Policy = "async", Target = 1e-6, Reference = best, Passes = 20_000 }, tasks, kept);
        RunResult result = cluster.Run(1_000_000);
        Assert.Equal("target ", $"{result.Reason} {result.Failure}");
        Assert.Equal(reached, tasks[0].Stepped[0], static (a, b) => Math.Abs(a - b) <= 1e-6f * (1 + Math.Abs(a)));
    }

    [Fact]
    public void State_stays_until_all_are_here()
    {
        (float[] reached, _) = Train("state", "async", 3, 1, 3_000);
        using (var kept = new States(_temp.In("state"), 1))
        {
            using ShardedCluster cluster = Cluster(2, new ServerOptions { Policy = "async" }, Tasks(4), kept, absent: 1);
            cluster.Run(200);
            Assert.Equal("Joining", cluster.First.Status().Phase);
        }

        EarlierJob job = Resharding.Read([_temp.In("state")], static _ => { });
        Assert.Equal(3, job.Workers);
        Assert.Equal(reached, Array.ConvertAll(job.Values[0], static value => (float)value));
    }

    [Fact]
    public void Workers_of_another_job_are_refused()
    {
        Train("state", "async", 3, 1, 1_000);
        using (var kept = new States(_temp.In("state"), 1))
        {
            using ShardedCluster cluster = Cluster(2, new ServerOptions { Policy = "async" }, Tasks(4, l2: 0.5), kept);
            RunResult result = cluster.Run(10_000);
            Assert.Contains("Setting l2 is 0.5 at the workers, and 0.05 in the job on disk", result.Failure, StringComparison.Ordinal);
        }

        Assert.Equal(3, Resharding.Read([_temp.In("state")], static _ => { }).Workers); // as it was
    }

    /// <summary>Users stay with the workers, and theirs are others then: they are solved for the items' rows that are there.</summary>
    [Theory]
    [InlineData(5, 1)]
    [InlineData(2, 2)]
    public void Factorisation_goes_on_from_its_items(int laterWorkers, int laterServers)
    {
        string path = _temp.In("ratings.csv");
        using (FileStream file = File.Create(path))
            new RatingGenerator(new RatingSettings { Ratings = 6_000, Users = 200, Items = 80, Rank = 4, Seed = 5 }).Write(file, null, CancellationToken.None);
        Ratings ratings = RatingsReader.Read(path, new IdTable(), new IdTable(), needsRatings: true, CancellationToken.None);
        var options = new ServerOptions { Policy = "async", Passes = 60 };
        double before;
        using (var kept = new States(_temp.In("state"), 1))
        {
            using ShardedCluster cluster = Cluster(1, options with { Passes = 1_000 }, FactorTasks(ratings, 3), kept);
            cluster.Run(700);
            Assert.InRange(cluster.First.Status().Passes, 20, 55);
            before = cluster.First.Result().Trace[^1].Objective;
        }

        string state = _temp.In("state");
        if (laterServers > 1)
            Resharding.Write(Resharding.Read([state], static _ => { }), laterServers, state = _temp.In("other"));
        using var later = new States(state, laterServers);
        using ShardedCluster again = Cluster(2, options, FactorTasks(ratings, laterWorkers), later);
        RunResult result = again.Run(1_000_000), whole = Simulated.Run(options, FactorTasks(ratings, 3), [100, 100, 100]);
        Assert.Equal("passes ", $"{result.Reason} {result.Failure}");
        Assert.True(result.Trace[0].Objective < 1.15 * whole.Objective!.Value, $"{before} in the last evaluation, {result.Trace[0].Objective} when all had pushed again, {whole.Objective} at the end of a job of its own");
        Assert.InRange(result.Objective!.Value / whole.Objective!.Value, 0.85, 1.03); // users that are solved are ahead of those that took steps
    }

    [Fact]
    public void Optimizer_goes_on_with_its_state()
    {
        var options = new ServerOptions { Policy = "asp:adam", Rate = 0.01, Passes = 1_000 };
        double[] model;
        using (var kept = new States(_temp.In("state"), 2))
        {
            using ShardedCluster cluster = Cluster(1, options, GradientTasks(3), kept);
            cluster.Run(3_000);
            model = [.. cluster.Server(0).Sum, .. cluster.Server(1).Sum];
        }

        EarlierJob job = Resharding.Read([_temp.In("state")], static _ => { });
        Assert.Equal(model, job.Values[0]);
        Assert.Equal(3, job.Values.Length);
        Assert.Equal(model.Length, job.Counts.Length);
        Assert.True(job.Counts[0] > 10 && job.Counts[^1] > 10);
        Resharding.Write(job, 3, _temp.In("other"));
        EarlierJob same = Resharding.Read([_temp.In("other"), _temp.In("other/shard-1"), _temp.In("other/shard-2")], static _ => { });
        for (int j = 0; j < 3; j++)
            Assert.Equal(job.Values[j], same.Values[j]);
        Assert.Equal(job.Counts.Length, same.Counts.Length);
        using var later = new States(_temp.In("other"), 3);
        using ShardedCluster again = Cluster(2, options with { Passes = 100_000 }, GradientTasks(2), later, chunkKeys: Limits.ChunkParameters);
        for (int e = 0; e < 2_000 && again.First.Sum.IsEmpty; e++)
            again.Run(1);
        Assert.NotEmpty(again.First.Sum.ToArray());
        Assert.Equal(model[..again.First.Sum.Length], again.First.Sum.ToArray());
        again.Run(4_000);
        Assert.True(again.First.Status().Passes > job.Passes);
    }

    [Fact]
    public void States_that_do_not_belong_together_are_refused()
    {
        Train("two", "async", 3, 2, 1_000);
        Train("three", "async", 3, 3, 1_000);
        Train("one", "async", 3, 1, 1_000);
        Refused("'*nowhere' has no state of a server", _temp.In("nowhere"));
        Refused("give all of them", _temp.In("one"), _temp.In("two"));
        Refused("has the state of server 1/2, and that of server 0/2 comes there", _temp.In("two/shard-1"), _temp.In("two"));
        Refused("has the state of server 1/3, and that of server 1/2 comes there", _temp.In("two"), _temp.In("three/shard-1"));
        Directory.Move(_temp.In("three/shard-2"), _temp.In("away"));
        Refused("shard-2' has no state of a server", _temp.In("three"));
        using (StateFolder.Open(_temp.In("one")))
            Refused("is in use by another server", _temp.In("one"));
        EarlierJob job = Resharding.Read([_temp.In("one")], static _ => { });
        Assert.Contains("there already", Assert.Throws<InputException>(() => Resharding.Write(job, 2, _temp.In("two"))).Message, StringComparison.Ordinal);
        Assert.Contains("take fewer servers", Assert.Throws<InputException>(() => Resharding.Write(job, 60, _temp.In("more"))).Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(_temp.In("more")) || Path.Exists(_temp.In("more.partial")));

        static void Refused(string why, params string[] folders) =>
            Assert.Contains(why.Split('*')[^1], Assert.Throws<InputException>(() => Resharding.Read(folders, static _ => { })).Message, StringComparison.Ordinal);
    }

    /// <summary>Trains for so many events, and leaves what is on disk. What was reached, and after how many passes.</summary>
    private (float[] Reached, double Passes) Train(string state, string policy, int workers, int servers, int events, bool checkpoints = true, int chunkKeys = Limits.ChunkParameters, double l2 = L2, LogisticModel? warmStart = null)
    {
        using var kept = new States(_temp.In(state), servers, checkpoints);
        using ShardedCluster cluster = Cluster(1, new ServerOptions { Policy = policy, Passes = 1_000_000 }, Tasks(workers, l2, warmStart), kept, chunkKeys: chunkKeys);
        cluster.Run(events);
        var reached = new List<float>();
        for (int s = 0; s < servers; s++)
        {
            ParameterServer server = cluster.Server(s);
            Assert.Equal("Training", server.Status().Phase);
            double scale = ScaleOf(server, workers);
            foreach (double sum in server.Sum)
                reached.Add((float)(sum * scale));
        }

        return ([.. reached], cluster.First.Status().Passes);
    }

    private double ScaleOf(ParameterServer server, int workers)
    {
        double total = 0;
        foreach (SparseRows part in Parts.Split(_all, workers, labelSorted: false, 1))
            total += part.Rows;
        Assert.True(server.Sum.Length > 0);
        return 1 / total;
    }

    private static float[][] Vectors(ParameterServer server, int workers)
    {
        float[][] vectors = new float[workers][];
        for (int rank = 0; rank < workers; rank++)
            vectors[rank] = server.ReconstructionOf(rank).ToArray();
        return vectors;
    }

    private double Objective(Recorder[] tasks, float[] z)
    {
        double objective = 0;
        foreach (Recorder task in tasks)
            objective += task.Weight * task.ObjectiveAt(z) / _all.Rows;
        return objective;
    }

    private Recorder[] Tasks(int workers, double l2 = L2, LogisticModel? warmStart = null, int? parts = null) =>
        Array.ConvertAll(Parts.Split(_all, workers, labelSorted: false, 1), part => new Recorder(new LogisticTask(part, new LogisticSettings { L2 = l2, Parts = parts ?? workers, WarmStart = warmStart })));

    private static ITask[] FactorTasks(Ratings ratings, int workers)
    {
        var tasks = new ITask[workers];
        for (int part = 0; part < workers; part++)
            tasks[part] = new FactorTask(FactorData.Of(ratings, null, 0.1, 1, part, workers), new FactorSettings { Rank = 4, Seed = 1 }, workers);
        return tasks;
    }

    private ITask[] GradientTasks(int workers) =>
        Array.ConvertAll(Parts.Split(_all, workers, labelSorted: false, 1), part => (ITask)new GradientTask(part, new LogisticSettings { L2 = L2, Batch = 20, Parts = workers }));

    private static ShardedCluster Cluster(int seed, ServerOptions options, ITask[] tasks, States kept, int absent = 0, int chunkKeys = Limits.ChunkParameters)
    {
        int[] micros = new int[tasks.Length];
        for (int rank = 0; rank < micros.Length; rank++)
            micros[rank] = rank == 0 ? 700 : 100;
        double[] eagerness = new double[kept.All.Length];
        Array.Fill(eagerness, 1);
        return new ShardedCluster(seed, options, eagerness, tasks, micros, kept.All, chunkKeys) { Absent = absent, Tells = true };
    }

    /// <summary>The states of all servers of a job.</summary>
    private sealed class States : IDisposable
    {
        private readonly StateFolder[] _folders;

        public States(string first, int servers, bool checkpoints = true)
        {
            _folders = new StateFolder[servers];
            All = new DurableState[servers];
            for (int s = 0; s < servers; s++)
            {
                _folders[s] = StateFolder.Open(Resharding.FolderOf(first, s)); // makes it
                All[s] = new DurableState(_folders[s].Journal, _folders[s].Checkpoints, TimeSpan.FromMilliseconds(1)) { CheckpointInterval = checkpoints ? TimeSpan.FromMilliseconds(20) : TimeSpan.FromDays(1) };
            }
        }

        public DurableState[] All { get; }

        public void Dispose()
        {
            foreach (DurableState state in All)
                state.Dispose();
            foreach (StateFolder folder in _folders)
                folder.Dispose();
        }
    }
}
