using System;
using System.Collections.Generic;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Programs;

namespace HpAsyncPs.WorkerProgram;

/// <summary>
/// Parts of workers that were lost, which the server asks this one to take over: each is read and trained on a thread of its own, in a
/// session of its own, and at the end does what its worker would have done.
/// </summary>
/// <param name="own">This worker's part.</param>
/// <param name="hasParts">The data is cut into parts, of which all can be read here.</param>
/// <param name="run">Reads and trains a part to the end of the job; calls what it is given once training has ended well.</param>
internal sealed class AdoptedParts(RowPart own, bool hasParts, Action<RowPart, Action> run)
{
    // What is left when the job has ended: leaving, and writing users.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(60);

    private readonly List<(int Rank, Thread Thread)> _all = [];
    private string? _failure;

    /// <summary>Begins to train the part of a rank, unless it has begun. Called on the thread of the network.</summary>
    public void Take(int rank)
    {
        if (!hasParts || rank >= own.Count)
        {
            Tell(LogLine.Warning($"the server asks this worker to take over the part of rank {rank}, which it cannot: "
                + (hasParts ? $"the data has {own.Count} parts" : "without --part its data is only its own")));
            return;
        }

        lock (_all)
        {
            if (_all.Exists(one => one.Rank == rank))
                return;
            var thread = new Thread(() => Run(rank)) { IsBackground = true, Name = $"part {rank}" };
            _all.Add((rank, thread));
            thread.Start();
        }

        Tell($"takes over part {rank}/{own.Count}, whose worker was lost");
    }

    /// <summary>Once the job has ended well: waits for the threads.</summary>
    /// <exception cref="ClusterException">One failed at what follows training, or takes too long.</exception>
    public void Finish()
    {
        (int Rank, Thread Thread)[] all;
        lock (_all)
            all = [.. _all];
        foreach ((int rank, Thread thread) in all)
        {
            if (!thread.Join(EndTimeout))
                throw new ClusterException($"part {rank}, which this worker took over, was not done {EndTimeout.TotalSeconds:0} s after the end of the job; is the disk very slow?");
        }

        if (Volatile.Read(ref _failure) is { } failure)
            throw new ClusterException(failure);
    }

    private void Run(int rank)
    {
        bool trained = false;
        try
        {
            run(own with { Index = rank }, () => trained = true);
        }
        catch (Exception e) // this part's end; the server waits for somebody else, or ends the job
        {
            string failure = $"part {rank}, which this worker took over, failed: {e.Message}";
            Tell(LogLine.Warning(failure, rank));
            if (trained)
                Volatile.Write(ref _failure, failure);
        }
    }

    private static void Tell(LogLine line) => ProgramLog.Write(line);
}
