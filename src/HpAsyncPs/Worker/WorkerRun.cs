using System;
using System.Threading;

namespace HpAsyncPs.Worker;

/// <summary>Runs a task against a server to its end, on the calling thread.</summary>
public static class WorkerRun
{
    // Monitor counts whole milliseconds; less would be no wait at all.
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>Connects, trains until the server ends the job, leaves.</summary>
    /// <param name="server">HOST:PORT; of several servers all, in the order of their shards, with commas between them.</param>
    /// <param name="rank">The rank to ask for, or -1.</param>
    /// <param name="task">What is learned.</param>
    /// <param name="options">Time limits; what the task says replaces the rest.</param>
    /// <param name="cancellation">Leaves early.</param>
    /// <returns>Why the job ended.</returns>
    /// <exception cref="ClusterException">The session failed.</exception>
    public static string Run(string server, int rank, ITask task, WorkerOptions options, CancellationToken cancellation)
    {
        TimeProvider time = TimeProvider.System;
        options = options with
        {
            Rank = rank,
            Parameters = task.Parameters,
            RowLength = task.RowLength,
            Aggregate = task.Aggregate,
            Weight = task.Weight,
            Agreed = task.Agreed,
            Loads = task.Loads,
            Settings = task.Settings,
        };
        using WorkerClient client = WorkerClient.Connect(server, options, time, cancellation);
        JobSession session = client.Job;
        try
        {
            task.Start(session.Started);
            using var loop = new TrainingLoop(session, task, time);
            client.Progress = () => loop.Progress;
            using CancellationTokenRegistration interrupt = cancellation.Register(session.InterruptStep);
            Loop(loop, session, time, cancellation);
        }
        catch (Exception e) when (e is OperationCanceledException or InputException)
        {
            session.Leave(e is InputException ? e.Message : "it was stopped", client.Progress?.Invoke() ?? default);
            throw;
        }

        session.First.ThrowIfFailed();
        return session.First.StopReason;
    }

    private static void Loop(TrainingLoop loop, JobSession session, TimeProvider time, CancellationToken cancellation)
    {
        NextAction next;
        while ((next = loop.Next(out TimeSpan wait)) != NextAction.Leave)
        {
            cancellation.ThrowIfCancellationRequested();
            if (next == NextAction.Step)
                loop.Step();
            else if (next == NextAction.Evaluate)
                loop.Evaluate();
            else if (next == NextAction.Deliver)
                loop.Deliver();
            else
                Wait(loop, session, wait, time);
        }
    }

    private static void Wait(TrainingLoop loop, JobSession session, TimeSpan wait, TimeProvider time)
    {
        long start = time.GetTimestamp();
        lock (session.Gate)
        {
            // Asked again under the lock: what came in between must not be slept over.
            if (loop.Next(out _) == NextAction.Wait)
            {
                if (wait < TimeSpan.Zero || wait > LongestWait)
                    wait = LongestWait;
                Monitor.Wait(session.Gate, wait > ShortestWait ? wait : ShortestWait);
            }
        }

        loop.Waited(time.GetElapsedTime(start));
    }
}
